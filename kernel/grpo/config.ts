import {
  because,
  checked,
  flag,
  nullable,
  oneOf,
  preset,
  record,
  resolveSettings,
  whole,
  type Declaration,
  type Given,
  type Resolved,
} from '../common/settings';
import { checkGenerationKwargs, samplingSettings } from '../models/generation/generateOptions';
import { rewardTimeLimit } from '../rewards/scoring';
import { playSettings, strategySettings } from '../rollout/settings';
import { notHonoured, type Backend } from '../models/backend';
import { elsewhere, trainingArguments, type ResolvedArguments, type TrainingArguments } from '../training/arguments';
import { checkSchedule } from '../training/scheduler';
import { resolveRefinement, type RefinementConfig, type ResolvedRefinement } from './refinement/settings';
import { entropySettings, lossSettings, referenceSettings, stepSettings, temperature } from './updateSettings';
import { WORKERS, workerSettings } from './workerSettings';

const { topP, topK, minP, repetitionPenalty } = samplingSettings;

/** Settings that other trainers do not have, or have with another default. */
const ownSettings = {
  /** Completions of a group: all answer one prompt and play from one environment seed. 8 by default; 2 at least. */
  numGenerations: whole(8, { from: 2 }),
  /** Completions of a micro-batch. One group by default (TRL: 8 completions). */
  perDeviceTrainBatchSize: whole(undefined, { from: 1 }),
  /** Completions of an evaluation's batch. One group by default. */
  perDeviceEvalBatchSize: whole(undefined, { from: 1 }),
  /** Completions that are generated together, a multiple of `numGenerations`; give this or `stepsPerGeneration`. `null` by default: as many as a step uses. */
  generationBatchSize: nullable(whole(null, { from: 2 })),
  /** Micro-batches that are generated together. `null` by default: as `gradientAccumulationSteps`, so that each step generates its own. */
  stepsPerGeneration: nullable(whole(null, { from: 1 })),
  /** Updates made with the same rollouts. 1 by default. */
  numIterations: whole(1, { from: 1 }),

  /** Tokens of a completion, at most. 512 by default, or as many as `maxSeqLength` leaves after the prompt. */
  maxCompletionLength: whole(undefined, { from: 1 }),
  /** Softmax temperature of sampling. 1 by default. */
  temperature,
  /** Nucleus sampling: keeps the most likely tokens of this total probability. 1 by default: all. */
  topP,
  /** Keeps this many most likely tokens; 0 means all. 0 by default. */
  topK: preset(topK, 0),
  /** Keeps tokens at least this fraction as likely as the most likely one. `null` by default: all. */
  minP: nullable(preset(minP, null)),
  /** Above 1, tokens that occurred become less likely. 1 by default. */
  repetitionPenalty,
  /** More options of `model.generate`, such as `{ stopStrings: ['\n\n'] }`; they override the settings above. `null` by default. */
  generationKwargs: record<Record<string, unknown>>('options of model.generate, such as { stopStrings: ["\\n\\n"] }'),
  /** Variables for the chat template, such as `{ enableThinking: false }`. `null` by default. */
  chatTemplateKwargs: record<Record<string, unknown>>(
    'variables of the chat template, such as { enableThinking: false }',
  ),

  /** Peak learning rate. 1e-6 by default. */
  learningRate: preset(trainingArguments.learningRate, 1e-6),
  /** Leaves completions that were cut at `maxCompletionLength` out of the loss. `false` by default. */
  maskTruncatedCompletions: flag(false),

  /** Divisor of advantages: the standard deviation of the group, of the batch, or none; `true` is 'group', `false` 'none'. 'group' by default. */
  scaleRewards: oneOf('group', ['group', 'batch', 'none', true, false]),
  /** One weight per reward function. `null` by default: the weights that they were registered with. */
  rewardWeights: nullable(
    checked<number[], null>(
      null,
      'a list of numbers, one per reward function',
      (v) => Array.isArray(v) && v.every(Number.isFinite),
    ),
  ),
  /** Sums rewards before or after normalisation in the group. 'sum_then_normalize' by default. */
  multiObjectiveAggregation: oneOf('sum_then_normalize', ['sum_then_normalize', 'normalize_then_sum']),

  /**
   * A completion that did not play (no function, one that is not allowed, or
   * one that failed) has at most the reward of the worst of its group that did,
   * so that the model does not learn to write nothing when losing costs more.
   * Only with `env`; the metrics of the reward functions stay as they are.
   * `true` by default; TRL has no such rule.
   */
  capUnplayed: flag(true),
  /**
   * Measures the returns of random actions and of every constant action in
   * `env`, before the first step: about 50 episodes, once for all runs. Samples
   * then have them as `reference`, which `normalizedReturn` and `winLoss` take
   * as their scale, and a run that is no better says so. `true` by default.
   */
  measureReference: flag(true),

  /** Shuffles the prompts by the seed, differently in each epoch. `true` by default. */
  shuffleDataset: flag(true),

  /** Completions of a group in an evaluation. `null` by default: as `numGenerations`. */
  numGenerationsEval: nullable(whole(null, { from: 1 })),

  /** Shows the completions with their rewards whenever metrics are logged; with `outputDir` also writes them to its folder `completions`. `false` by default. */
  logCompletions: flag(false),
  /** Shows only this many of them, drawn at random. `null` by default: all. */
  numCompletionsToPrint: nullable(whole(null, { from: 1 })),
  /** Shows one completion per prompt. `false` by default. */
  logUniquePrompts: flag(false),

  /**
   * Rollouts that are kept in the file `rollouts.db`, at most, of all runs that write it: in `outputDir`, for a notebook
   * without one in its folder `.joylab`. The oldest go first, but the best of each run stay; 0 keeps none. 100000 by default.
   */
  rolloutsTotalLimit: whole(100_000, { from: 0 }),

  /** Steps of an episode, at most. 1000 by default. */
  maxEpisodeSteps: playSettings.maxSteps,
  /** Seconds of processor time that a strategy has for an episode, of which one call may take 0.1. 2 by default. */
  strategyTimeLimit: strategySettings.strategyTimeLimit,
  /** Seconds by the clock that a reward function may take for one sample: enough to ask another model; a function may have its own (`@reward timeLimit=600`). 300 by default. */
  rewardTimeLimit,

  /**
   * Edits programs instead of writing each from nothing: prompts have a parent from a program database, completions are
   * rewarded for what they gain over it, and the database keeps good programs. `true`: with all defaults. `null` by
   * default: off. With it a step has four groups, and `learningRate: 0` searches without training.
   */
  refinement: nullable(
    checked<boolean | RefinementConfig, null>(
      null,
      'true, or an object such as { archiveSize: 24 }',
      (v) => typeof v === 'boolean' || (typeof v === 'object' && !Array.isArray(v)),
    ),
  ),
};

/**
 * Settings of a GRPO run: TRL's names in camelCase, TRL's defaults unless a
 * setting says otherwise. Those that every trainer has are in
 * {@link TrainingArguments}.
 */
export interface GRPOConfig
  extends Given<typeof ownSettings>,
    Given<typeof lossSettings>,
    Given<typeof workerSettings>,
    Given<typeof entropySettings>,
    Given<typeof referenceSettings>,
    Given<typeof stepSettings>,
    TrainingArguments {}

/** Every setting with its value. */
export interface ResolvedConfig
  extends Omit<Resolved<typeof ownSettings>, Filled>,
    Resolved<typeof lossSettings>,
    Resolved<typeof workerSettings>,
    Resolved<typeof entropySettings>,
    Resolved<typeof referenceSettings>,
    Resolved<typeof stepSettings>,
    Omit<ResolvedArguments, keyof typeof ownSettings> {
  perDeviceTrainBatchSize: number;
  perDeviceEvalBatchSize: number;
  scaleRewards: 'group' | 'batch' | 'none';
  generationBatchSize: number;
  stepsPerGeneration: number;
  numGenerationsEval: number;
  refinement: ResolvedRefinement | null;
}

/** The settings that follow from others when they are not given. */
type Filled =
  | 'perDeviceTrainBatchSize'
  | 'perDeviceEvalBatchSize'
  | 'refinement'
  | 'scaleRewards'
  | 'generationBatchSize'
  | 'stepsPerGeneration'
  | 'numGenerationsEval';

/** The settings of a GRPO run. */
export const grpoDeclaration: Declaration = {
  owner: 'GRPOConfig',
  example: '{ maxSteps: 80, numGenerations: 32 }',
  settings: {
    ...trainingArguments,
    ...lossSettings,
    ...entropySettings,
    ...referenceSettings,
    ...stepSettings,
    ...workerSettings,
    ...ownSettings,
  },
  elsewhere: {
    ...elsewhere,
    ...because('give it to trl vllm-serve, or leave it out', ['vllmStructuredOutputsRegex']),
    ...because("vllmImportanceSamplingMode and TRL's limits are all there is", [
      'vllmImportanceSamplingCap',
      'vllmImportanceSamplingClipMax',
      'vllmImportanceSamplingClipMin',
    ]),
    ...because('give useTransformersContinuousBatching', [
      'useTransformersPaged',
      'transformersContinuousBatchingConfig',
    ]),
    ...because('load the model with FastLanguageModel.fromPretrained, and give it to the trainer', [
      'modelInitKwargs',
      'trustRemoteCode',
    ]),
    strategySeconds: 'it is now strategyTimeLimit',
    rewardSeconds: 'it is now rewardTimeLimit',
    maxPromptLength: 'prompts are never cut: shorten the prompt',
    disableDropout: 'set loraDropout to 0 in getPeftModel',
    logMultimodal: 'prompts are text',
    logCompletionsHubRepo: 'with outputDir the completions are in its folder completions',
    maxToolCallingIterations: 'completions call no tools',
  },
};

/** Where a run trains: settings have their meaning, and some their defaults, from it. */
export interface Place {
  backend: Backend;
  /** Processes that train together. */
  numProcesses: number;
}

const HERE: Place = { backend: 'onnx', numProcesses: 1 };

/**
 * Returns the settings with their defaults.
 *
 * @throws TypeError for an unknown name, with the nearest valid one, for a
 * wrong value, with the valid ones, or for a setting that the back end has not,
 * with those that have it
 */
export function resolveConfig(config: GRPOConfig = {}, place: Place = HERE): ResolvedConfig {
  const values = resolveSettings(grpoDeclaration, config) as unknown as ResolvedConfig;
  checkPlace(config, place);
  return consistent(values, config, place);
}

function checkPlace(given: GRPOConfig, { backend }: Place): void {
  if (backend === 'onnx') {
    const other = Object.keys(workerSettings).find((name) => given[name as keyof GRPOConfig] !== undefined);
    if (other) throw new TypeError(`GRPOConfig: ${notHonoured(other, WORKERS, backend)}`);
    return;
  }
  if (typeof given.refinement === 'object' && given.refinement?.imitations)
    throw new TypeError(
      `GRPOConfig: ${notHonoured('refinement.imitations', ['onnx'], backend)} TRL's loss is of the completions that it has sampled.`,
    );
}

/** Groups of a step with refinement: several with parents, and a fresh one. */
const REFINED_GROUPS = 4;

/** Fills in what follows from other settings, and checks what must fit together. */
function consistent(values: ResolvedConfig, given: GRPOConfig, { backend, numProcesses }: Place): ResolvedConfig {
  values.refinement = resolveRefinement(given.refinement ?? null);
  if (values.refinement && backend !== 'onnx') values.refinement.imitations = 0;
  const together =
    values.numGenerations * (values.refinement && given.generationBatchSize == null ? REFINED_GROUPS : 1);
  // Of several processes each has its share, so that a step learns from as many as one alone would.
  values.perDeviceTrainBatchSize ??= together % numProcesses === 0 ? together / numProcesses : together;
  values.numGenerationsEval ??= values.numGenerations;
  values.perDeviceEvalBatchSize ??= values.numGenerationsEval;
  if (typeof values.scaleRewards === 'boolean') values.scaleRewards = values.scaleRewards ? 'group' : 'none';
  if (given.saveSteps !== undefined) values.outputDir ??= 'trainer_output';
  checkSchedule(values);
  fillGeneration(values, numProcesses);
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

/** Fills in the number of completions that are generated together: as many as a step uses, unless a setting says otherwise. */
function fillGeneration(values: ResolvedConfig, numProcesses: number): void {
  const { gradientAccumulationSteps, numGenerations } = values;
  const batch = values.perDeviceTrainBatchSize * numProcesses;
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
