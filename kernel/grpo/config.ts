import { checkGenerationKwargs } from '../models/generation/generateOptions';
import { REWARD_SECONDS } from '../rewards/scoring';
import {
  elsewhere,
  sayFor,
  trainingArguments,
  type ResolvedArguments,
  type TrainingArguments,
} from '../training/arguments';
import { checkSchedule } from '../training/scheduler';
import {
  flag,
  nullable,
  number,
  oneOf,
  record,
  resolveSettings,
  whole,
  type Setting,
  type SettingTable,
} from '../training/settings';
import { LOSS_TYPES, type LossType } from './losses';
import { resolveRefinement, type RefinementConfig, type ResolvedRefinement } from './refinement/settings';

/**
 * Settings of a GRPO run: TRL's names in camelCase, TRL's defaults unless a
 * setting says otherwise. Those that every trainer has are in
 * {@link TrainingArguments}.
 */
export interface GRPOConfig extends TrainingArguments {
  /** Completions of a group: all answer one prompt and play from one start. 8 by default, at least 2. */
  numGenerations?: number;
  /** Completions of a micro-batch. One group by default (TRL: 8 completions). */
  perDeviceTrainBatchSize?: number;
  /** Completions that are generated together, a multiple of `numGenerations`. As many as a step uses by default; give this or `stepsPerGeneration`. */
  generationBatchSize?: number | null;
  /** Micro-batches that are generated together. As `gradientAccumulationSteps` by default: each step generates its own. */
  stepsPerGeneration?: number | null;
  /** Updates made with the same rollouts. 1 by default. */
  numIterations?: number;

  /** Tokens of a completion at most. 512 by default, or as many as `maxSeqLength` leaves after the prompt. */
  maxCompletionLength?: number;
  /** Softmax temperature of sampling. 1 by default. */
  temperature?: number;
  /** Nucleus sampling: keep the likeliest tokens of this total probability. 1 by default (all). */
  topP?: number;
  /** Keep this many likeliest tokens. 0 by default (all). */
  topK?: number;
  /** Keep tokens at least this likely relative to the likeliest. `null` by default (all). */
  minP?: number | null;
  /** Above 1, tokens that occurred become less likely. 1 by default. */
  repetitionPenalty?: number;
  /** More options of `model.generate`, such as `{ stopStrings: ['\n\n'] }`; they go before the settings above. `null` by default. */
  generationKwargs?: Record<string, unknown> | null;
  /** Variables for the chat template, such as `{ enableThinking: false }`. `null` by default. */
  chatTemplateKwargs?: Record<string, unknown> | null;

  /** Peak learning rate. 1e-6 by default. */
  learningRate?: number;

  /** How token losses are formed and averaged. 'dapo' by default. */
  lossType?: LossType;
  /** Weight of the KL divergence from the reference model. 0 by default: there is none. */
  beta?: number;
  /** Whether the KL term is multiplied by the probability ratio, which makes its gradient that of the reverse KL divergence. true by default. */
  useBiasCorrectionKl?: boolean;
  /** Move the reference model towards the policy every `refModelSyncSteps` steps. false by default; not with an adapter. */
  syncRefModel?: boolean;
  /** The policy's share in the new reference model. 0.6 by default. */
  refModelMixupAlpha?: number;
  /** 512 by default. */
  refModelSyncSteps?: number;
  /** Clip range of the probability ratio. 0.2 by default. */
  epsilon?: number;
  /** Upper clip range; `null` (the default): as `epsilon`. With 'cispo' the ratio's limit itself. */
  epsilonHigh?: number | null;
  /** Upper limit of the unclipped ratio (two-sided clipping). `null` by default: none. */
  delta?: number | null;
  /** Whether the ratio is taken per token or per completion. 'token' by default. */
  importanceSamplingLevel?: 'token' | 'sequence';
  /** Temperature of the 'sapo' loss for tokens of positive advantage. 1 by default. */
  sapoTemperaturePos?: number;
  /** The same for tokens of negative advantage. 1.05 by default. */
  sapoTemperatureNeg?: number;
  /** Exponent and decay of the 'vespo' loss for advantages from 0 on: 2 and 3 by default. */
  vespoKPos?: number;
  vespoLambdaPos?: number;
  /** The same for negative advantages: 3 and 2 by default. */
  vespoKNeg?: number;
  vespoLambdaNeg?: number;
  /** Leave completions of negative advantage out of the loss that the policy has moved away from by more than this mean log-ratio. `null` by default: keep all. */
  offPolicyMaskThreshold?: number | null;
  /** Leave completions that were cut at `maxCompletionLength` out of the loss. false by default. */
  maskTruncatedCompletions?: boolean;
  /** Only the tokens of the highest entropy, this part of all, count in the policy's loss. 1 by default: all tokens. */
  topEntropyQuantile?: number;
  /** Weight of an entropy bonus in the loss, against collapse. 0 by default. */
  entropyCoef?: number;
  /** Steer `entropyCoef`: up by `entropyCoefDelta` after a step whose entropy was below `entropyTarget`, else down. false by default. */
  useAdaptiveEntropy?: boolean;
  entropyCoefMin?: number;
  entropyCoefMax?: number;
  entropyCoefDelta?: number;
  /** In nats per token. 0.2 by default. */
  entropyTarget?: number;

  /** What advantages are divided by: the spread of the group, of the batch, or nothing. 'group' by default; true is 'group', false 'none'. */
  scaleRewards?: 'group' | 'batch' | 'none' | boolean;
  /** One weight per reward function, instead of the weights they were registered with. */
  rewardWeights?: number[] | null;
  /** Whether rewards are summed before or after normalisation in the group. 'sum_then_normalize' by default. */
  multiObjectiveAggregation?: 'sum_then_normalize' | 'normalize_then_sum';

  /**
   * A completion that did not play (no function, one that is not allowed, or
   * one that failed) counts no more than the worst of its group that did, so
   * that silence is never learned where losing costs more. Only with `env`; the
   * metrics of the reward functions stay as they are. true by default; TRL has
   * no such rule.
   */
  capUnplayed?: boolean;
  /**
   * Measure what chance and every constant action get in `env`, before the
   * first step: about 50 episodes, once for all runs. Samples then have it as
   * `reference`, which `normalizedReturn` and `winLoss` take as their scale, and
   * the run says where it is no better. true by default.
   */
  measureReference?: boolean;

  /** Draw the prompts in an order shuffled by the seed, another one in each pass. true by default. */
  shuffleDataset?: boolean;

  /** Completions of a group in an evaluation; `null` (the default): as `numGenerations`. */
  numGenerationsEval?: number | null;

  /** Show the completions with their rewards whenever metrics are logged; with `outputDir` also write them to its folder `completions`. false by default. */
  logCompletions?: boolean;
  /** Show only so many of them, drawn at random. `null` by default: all. */
  numCompletionsToPrint?: number | null;
  /** Show one completion per prompt. false by default. */
  logUniquePrompts?: boolean;

  /** Steps of an episode at most. 1,000 by default. */
  maxEpisodeSteps?: number;
  /** Seconds of processor time that a strategy has for an episode, of which one call may take 0.1. 2 by default. */
  strategySeconds?: number;
  /** Seconds that a reward function may take for one sample, by the clock. 300 by default, enough to ask another model; a function may have its own (`@reward seconds=600`). */
  rewardSeconds?: number;

  /**
   * Edits programs instead of writing each from nothing: prompts carry a parent from a program database, completions are
   * rewarded for what they gain over it, and what is good is kept. true: with all defaults. `null` by default: off.
   * With it a step has four groups, and `learningRate: 0` is the search alone.
   */
  refinement?: boolean | RefinementConfig | null;
}

/** Every setting with its value. */
export interface ResolvedConfig
  extends ResolvedArguments,
    Required<Omit<GRPOConfig, keyof TrainingArguments | Filled>> {
  /** `undefined`: as long as prompt and model leave room, 512 at most. */
  maxCompletionLength: number | undefined;
  scaleRewards: 'group' | 'batch' | 'none';
  generationBatchSize: number;
  stepsPerGeneration: number;
  numGenerationsEval: number;
  refinement: ResolvedRefinement | null;
}

/** The settings that follow from others where they are not given. */
type Filled =
  | 'refinement'
  | 'maxCompletionLength'
  | 'scaleRewards'
  | 'generationBatchSize'
  | 'stepsPerGeneration'
  | 'numGenerationsEval';

const { maxSteps, numTrainEpochs, ...otherArguments } = trainingArguments;

const settings: Record<keyof GRPOConfig, Setting> = {
  maxSteps,
  numTrainEpochs,
  numGenerations: whole(8, 2),
  ...otherArguments,
  perDeviceTrainBatchSize: whole(undefined, 1),
  perDeviceEvalBatchSize: whole(undefined, 1),
  generationBatchSize: nullable(whole(null, 2)),
  stepsPerGeneration: nullable(whole(null, 1)),
  numIterations: whole(1, 1),
  maxCompletionLength: whole(undefined, 1),
  temperature: number(1, { above: 0 }),
  topP: number(1, { above: 0, to: 1 }),
  topK: whole(0, 0),
  minP: nullable(number(null, { from: 0, to: 1 })),
  repetitionPenalty: number(1, { above: 0 }),
  generationKwargs: record('options of model.generate, such as { stopStrings: ["\\n\\n"] }'),
  chatTemplateKwargs: record('variables of the chat template, such as { enableThinking: false }'),
  learningRate: number(1e-6, { from: 0 }),
  lossType: oneOf('dapo', LOSS_TYPES),
  beta: number(0, { from: 0 }),
  useBiasCorrectionKl: flag(true),
  syncRefModel: flag(false),
  refModelMixupAlpha: number(0.6, { from: 0, to: 1 }),
  refModelSyncSteps: whole(512, 1),
  epsilon: number(0.2, { from: 0 }),
  epsilonHigh: nullable(number(null, { from: 0 })),
  delta: nullable(number(null, { above: 0 })),
  importanceSamplingLevel: oneOf('token', ['token', 'sequence']),
  sapoTemperaturePos: number(1, { above: 0 }),
  sapoTemperatureNeg: number(1.05, { above: 0 }),
  vespoKPos: number(2, { from: 0 }),
  vespoLambdaPos: number(3, { from: 0 }),
  vespoKNeg: number(3, { from: 0 }),
  vespoLambdaNeg: number(2, { from: 0 }),
  offPolicyMaskThreshold: nullable(number(null, { above: 0 })),
  maskTruncatedCompletions: flag(false),
  topEntropyQuantile: number(1, { from: 0, to: 1 }),
  entropyCoef: number(0),
  useAdaptiveEntropy: flag(false),
  entropyCoefMin: number(0),
  entropyCoefMax: number(1),
  entropyCoefDelta: number(0.005, { from: 0 }),
  entropyTarget: number(0.2, { from: 0 }),
  scaleRewards: oneOf('group', ['group', 'batch', 'none', true, false]),
  rewardWeights: {
    fallback: null,
    valid: 'a list of numbers, one per reward function, or null',
    accepts: (v) => v === null || (Array.isArray(v) && v.every((weight) => Number.isFinite(weight))),
  },
  multiObjectiveAggregation: oneOf('sum_then_normalize', ['sum_then_normalize', 'normalize_then_sum']),
  capUnplayed: flag(true),
  measureReference: flag(true),
  shuffleDataset: flag(true),
  numGenerationsEval: nullable(whole(null, 1)),
  logCompletions: flag(false),
  numCompletionsToPrint: nullable(whole(null, 1)),
  logUniquePrompts: flag(false),
  maxEpisodeSteps: whole(1000, 1),
  strategySeconds: number(2, { above: 0 }),
  rewardSeconds: number(REWARD_SECONDS, { above: 0 }),
  refinement: {
    fallback: null,
    valid: 'true, null, or an object such as { archiveSize: 24 }',
    accepts: (v) => v === null || typeof v === 'boolean' || (typeof v === 'object' && !Array.isArray(v)),
  },
};

const inThisProcess = 'generation runs in this process';

const table: SettingTable = {
  owner: 'GRPOConfig',
  example: '{ maxSteps: 80, numGenerations: 32 }',
  settings,
  elsewhere: {
    ...elsewhere,
    ...sayFor(inThisProcess, [
      'useVllm',
      'vllmMode',
      'vllmModelImpl',
      'vllmEnableSleepMode',
      'vllmStructuredOutputsRegex',
      'vllmServerBaseUrl',
      'vllmServerHost',
      'vllmServerPort',
      'vllmServerTimeout',
      'vllmGroupPort',
      'vllmGpuMemoryUtilization',
      'vllmMaxModelLength',
      'vllmTensorParallelSize',
      'useTransformersPaged',
      'useTransformersContinuousBatching',
      'transformersContinuousBatchingConfig',
      'cacheImplementation',
    ]),
    ...sayFor('completions are sampled with the numbers that train, so there is nothing to correct', [
      'vllmImportanceSamplingCorrection',
      'vllmImportanceSamplingMode',
      'vllmImportanceSamplingCap',
      'vllmImportanceSamplingClipMax',
      'vllmImportanceSamplingClipMin',
    ]),
    ...sayFor('load the model with FastLanguageModel.fromPretrained, and give it to the trainer', [
      'modelInitKwargs',
      'trustRemoteCode',
    ]),
    maxPromptLength: 'prompts are never cut: shorten the prompt',
    routerAuxLossCoef: 'mixture-of-experts models are not supported',
    disableDropout: 'set loraDropout to 0 in getPeftModel',
    logMultimodal: 'prompts are text',
    logCompletionsHubRepo: 'with outputDir the completions are in its folder completions',
    maxToolCallingIterations: 'completions call no tools',
  },
};

/**
 * The settings with their defaults.
 *
 * @throws TypeError for an unknown name, with the nearest valid one, or for a
 * wrong value, with the valid ones
 */
export function resolveConfig(config: GRPOConfig = {}): ResolvedConfig {
  return consistent(resolveSettings(table, config) as unknown as ResolvedConfig, config);
}

/** Groups of a step that edits programs: several parents, and a fresh one. */
const REFINED_GROUPS = 4;

/** Fills in what follows from other settings, and checks what must fit together. */
function consistent(values: ResolvedConfig, given: GRPOConfig): ResolvedConfig {
  values.refinement = resolveRefinement(given.refinement ?? null);
  values.perDeviceTrainBatchSize ??=
    values.numGenerations * (values.refinement && given.generationBatchSize == null ? REFINED_GROUPS : 1);
  values.numGenerationsEval ??= values.numGenerations;
  values.perDeviceEvalBatchSize ??= values.numGenerationsEval;
  if (typeof values.scaleRewards === 'boolean') values.scaleRewards = values.scaleRewards ? 'group' : 'none';
  if (given.saveSteps !== undefined) values.outputDir ??= 'trainer_output';
  checkSchedule(values);
  fillGeneration(values);
  if (values.generationKwargs) checkGenerationKwargs('GRPOConfig: generationKwargs', values.generationKwargs);
  checkReference(values);
  if (values.perDeviceEvalBatchSize % values.numGenerationsEval !== 0) {
    const { perDeviceEvalBatchSize, numGenerationsEval } = values;
    throw new TypeError(
      `GRPOConfig: perDeviceEvalBatchSize = ${perDeviceEvalBatchSize} is not a multiple of numGenerationsEval = ${numGenerationsEval}.`,
    );
  }
  return values;
}

/** How many completions are generated together: as many as a step uses, unless a setting says otherwise. */
function fillGeneration(values: ResolvedConfig): void {
  const { perDeviceTrainBatchSize: batch, gradientAccumulationSteps, numGenerations } = values;
  if (values.generationBatchSize !== null && values.stepsPerGeneration !== null) {
    throw new TypeError('GRPOConfig: give generationBatchSize or stepsPerGeneration, not both.');
  }
  if (values.generationBatchSize !== null && values.generationBatchSize % batch !== 0) {
    throw new TypeError(
      `GRPOConfig: generationBatchSize = ${values.generationBatchSize} is not a multiple of perDeviceTrainBatchSize = ${batch}.`,
    );
  }
  values.stepsPerGeneration ??=
    values.generationBatchSize !== null ? values.generationBatchSize / batch : gradientAccumulationSteps;
  values.generationBatchSize = batch * values.stepsPerGeneration;
  if (values.generationBatchSize % numGenerations !== 0) {
    throw new TypeError(
      `GRPOConfig: perDeviceTrainBatchSize × stepsPerGeneration = ${batch} × ${values.stepsPerGeneration} = ${values.generationBatchSize} completions ` +
        `are generated together, which is not a multiple of numGenerations = ${numGenerations}. Leave perDeviceTrainBatchSize out for one group per micro-batch.`,
    );
  }
}

function checkReference({ syncRefModel, beta }: ResolvedConfig): void {
  if (syncRefModel && beta === 0) {
    throw new TypeError(
      'GRPOConfig: syncRefModel is true, but with beta = 0 there is no reference model. Give beta a value above 0, or leave syncRefModel out.',
    );
  }
}
