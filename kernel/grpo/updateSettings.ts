import {
  checkValues,
  defaultsOf,
  flag,
  nullable,
  number,
  oneOf,
  whole,
  type Given,
  type Resolved,
} from '../common/settings';
import { optimizerArguments } from '../training/arguments';
import type { OptimizerSettings } from '../training/update/modelUpdate';

/** Forms of the loss, by TRL's names. */
export const LOSS_TYPES = ['grpo', 'dr_grpo', 'dapo', 'bnpo', 'cispo', 'sapo', 'luspo', 'vespo'] as const;

export type LossType = (typeof LOSS_TYPES)[number];

/** Settings of the loss, by TRL's names, with its meaning and its defaults. */
export const lossSettings = {
  /** The loss of a token, and how token losses are averaged. 'dapo' by default. */
  lossType: oneOf('dapo', LOSS_TYPES),
  /** Weight of the KL divergence from the reference model. 0 by default: there is none. */
  beta: number(0, { from: 0 }),
  /** Multiplies the KL term by the probability ratio, which makes its gradient that of the reverse KL divergence. `true` by default. */
  useBiasCorrectionKl: flag(true),
  /** Clip range of the probability ratio: it stays between 1 - `epsilon` and 1 + `epsilonHigh`. 0.2 by default. */
  epsilon: number(0.2, { from: 0 }),
  /** Upper clip range; with 'cispo', the upper limit of the ratio itself. `null` by default: as `epsilon`. */
  epsilonHigh: nullable(number(null, { from: 0 })),
  /** Upper limit of the unclipped ratio (two-sided clipping). `null` by default: none. */
  delta: nullable(number(null, { above: 0 })),
  /** Takes the probability ratio per token or per completion. 'token' by default. */
  importanceSamplingLevel: oneOf('token', ['token', 'sequence']),
  /** Temperature of the 'sapo' loss for tokens of positive advantage. 1 by default. */
  sapoTemperaturePos: number(1, { above: 0 }),
  /** Temperature of the 'sapo' loss for tokens of negative advantage. 1.05 by default. */
  sapoTemperatureNeg: number(1.05, { above: 0 }),
  /** Exponent of the 'vespo' loss for advantages from 0 on. 2 by default. */
  vespoKPos: number(2, { from: 0 }),
  /** Decay of the 'vespo' loss for advantages from 0 on. 3 by default. */
  vespoLambdaPos: number(3, { from: 0 }),
  /** Exponent of the 'vespo' loss for negative advantages. 3 by default. */
  vespoKNeg: number(3, { from: 0 }),
  /** Decay of the 'vespo' loss for negative advantages. 2 by default. */
  vespoLambdaNeg: number(2, { from: 0 }),
  /** Leaves a completion of negative advantage out of the loss when its mean log-ratio of sampling to current policy is above this. `null` by default: leaves none out. */
  offPolicyMaskThreshold: nullable(number(null, { above: 0 })),
  /** Fraction of tokens that count in the policy's loss: those of the highest entropy. 1 by default: all tokens. */
  topEntropyQuantile: number(1, { from: 0, to: 1 }),
};

/** Settings of the entropy bonus, by TRL's names. */
export const entropySettings = {
  /** Weight of an entropy bonus in the loss, against collapse; with `useAdaptiveEntropy`, its first value. 0 by default. */
  entropyCoef: number(0),
  /** Adapts `entropyCoef`: up by `entropyCoefDelta` after a step whose entropy was at most `entropyTarget`, else down. `false` by default. */
  useAdaptiveEntropy: flag(false),
  /** Lower limit of an adaptive `entropyCoef`. 0 by default. */
  entropyCoefMin: number(0),
  /** Upper limit of an adaptive `entropyCoef`. 1 by default. */
  entropyCoefMax: number(1),
  /** Change of an adaptive `entropyCoef` in a step. 0.005 by default. */
  entropyCoefDelta: number(0.005, { from: 0 }),
  /** Entropy that an adaptive `entropyCoef` aims at, in nats per token. 0.2 by default. */
  entropyTarget: number(0.2, { from: 0 }),
};

/** Settings of the reference model, by TRL's names. */
export const referenceSettings = {
  /** Moves the reference model towards the policy every `refModelSyncSteps` steps. `false` by default; not with an adapter. */
  syncRefModel: flag(false),
  /** Fraction of the policy in the new reference model. 0.6 by default. */
  refModelMixupAlpha: number(0.6, { from: 0, to: 1 }),
  /** Steps between two changes of the reference model. 512 by default. */
  refModelSyncSteps: whole(512, { from: 1 }),
};

/** Settings of the step that an update makes. */
export const stepSettings = {
  /**
   * Halves a step as long as the policy differs from the one before by more than this, in nats per token of the
   * completions: one step of a small model at a high learning rate can undo all that it has learned. `null` by default:
   * a step is as long as the optimizer makes it, as in TRL.
   */
  targetKl: nullable(number(null, { above: 0 })),
};

/** The temperature that completions are sampled with, by which logits are divided in training, too. */
export const temperature = number(1, { above: 0 });

const settings = {
  ...optimizerArguments,
  ...lossSettings,
  ...entropySettings,
  ...referenceSettings,
  ...stepSettings,
  temperature,
};

/** Settings of the loss, with all values. */
export interface LossSettings extends Omit<Resolved<typeof lossSettings>, 'epsilonHigh'> {
  epsilonHigh: number;
}

/** Settings of the entropy bonus, with all values. */
export type EntropySettings = Resolved<typeof entropySettings>;

/** Options of a `PolicyUpdate`. */
export interface UpdateOptions
  extends Given<typeof optimizerArguments>,
    Given<typeof lossSettings>,
    Given<typeof entropySettings>,
    Given<typeof referenceSettings>,
    Given<typeof stepSettings> {
  /** The temperature that completions were sampled with. 1 by default. */
  temperature?: number;
  /** Approximate number of tokens that are computed at a time; by default chosen by the size of the model. */
  maxRows?: number;
  /** Computes the activations of blocks again in the backward pass instead of keeping them; by default as the model has it. */
  gradientCheckpointing?: boolean;
  /** Divisor of 'dr_grpo', in tokens. 512 by default. */
  maxCompletionLength?: number;
}

/** Settings of a `PolicyUpdate`, with all values. */
export interface UpdateSettings
  extends LossSettings,
    EntropySettings,
    OptimizerSettings,
    Resolved<typeof referenceSettings>,
    Resolved<typeof stepSettings>,
    Pick<UpdateOptions, 'maxRows' | 'gradientCheckpointing'> {
  temperature: number;
  maxCompletionLength: number;
}

/**
 * Returns the settings with TRL's defaults. Other members of the options, such as the rest of a trainer's, stay.
 *
 * @throws TypeError for a wrong value, with the valid ones
 */
export function resolveUpdate(options: UpdateOptions): UpdateSettings {
  checkValues('', settings, options);
  const all = { maxCompletionLength: 512, ...defaultsOf(settings), ...options };
  return { ...all, epsilonHigh: options.epsilonHigh ?? all.epsilon };
}
