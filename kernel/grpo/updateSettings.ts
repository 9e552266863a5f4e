import { OPTIMIZER_DEFAULTS, type OptimizerSettings } from '../training/update/modelUpdate';
import type { EntropySettings } from './update/entropyControl';
import { LOSS_TYPES, type LossSettings } from './update/losses';

/** Settings of a `PolicyUpdate`: TRL's names, meaning and defaults. */
export interface UpdateSettings extends LossSettings, OptimizerSettings, EntropySettings {
  /** About how many tokens are computed at a time; chosen by the size of the model where it is absent. */
  maxRows?: number;
  /** Whether blocks are computed again on the way back instead of being held; by default as the model says. */
  gradientCheckpointing?: boolean;
  /** The temperature that completions were sampled with. */
  temperature: number;
  /** For dr_grpo, whose shares do not depend on the lengths. */
  maxCompletionLength: number;
  /** Whether the reference model is moved towards the policy every `refModelSyncSteps` steps, by the part `refModelMixupAlpha`. */
  syncRefModel: boolean;
  refModelMixupAlpha: number;
  refModelSyncSteps: number;
}

/** TRL's defaults. */
export const UPDATE_DEFAULTS: UpdateSettings = {
  ...OPTIMIZER_DEFAULTS,
  lossType: 'dapo',
  beta: 0,
  epsilon: 0.2,
  epsilonHigh: 0.2,
  delta: null,
  importanceSamplingLevel: 'token',
  useBiasCorrectionKl: true,
  sapoTemperaturePos: 1,
  sapoTemperatureNeg: 1.05,
  vespoKPos: 2,
  vespoLambdaPos: 3,
  vespoKNeg: 3,
  vespoLambdaNeg: 2,
  offPolicyMaskThreshold: null,
  topEntropyQuantile: 1,
  entropyCoef: 0,
  useAdaptiveEntropy: false,
  entropyCoefMin: 0,
  entropyCoefMax: 1,
  entropyCoefDelta: 0.005,
  entropyTarget: 0.2,
  temperature: 1,
  maxCompletionLength: 512,
  syncRefModel: false,
  refModelMixupAlpha: 0.6,
  refModelSyncSteps: 512,
};

/** The settings with TRL's defaults; an error names a wrong one and its valid values. */
export function resolveSettings(settings: Partial<UpdateSettings>): UpdateSettings {
  const all = { ...UPDATE_DEFAULTS, ...settings };
  if (settings.epsilonHigh === undefined || settings.epsilonHigh === null) all.epsilonHigh = all.epsilon;
  if (!LOSS_TYPES.includes(all.lossType))
    throw new Error(`lossType must be one of ${LOSS_TYPES.join(', ')}, not ${JSON.stringify(all.lossType)}`);
  if (!['token', 'sequence'].includes(all.importanceSamplingLevel)) {
    throw new Error(
      `importanceSamplingLevel must be 'token' or 'sequence', not ${JSON.stringify(all.importanceSamplingLevel)}`,
    );
  }
  if (!(all.temperature > 0)) throw new Error(`temperature must be positive for training, not ${all.temperature}`);
  return all;
}
