import { nameDistance, nearestFirst } from '../nearest';

/**
 * Settings of a GRPO run: TRL's names in camelCase, TRL's defaults unless a
 * setting says otherwise.
 */
export interface GRPOConfig {
  /** Training steps; −1 (the default) means `numTrainEpochs` passes over the data set. */
  maxSteps?: number;
  /** Passes over the data set where `maxSteps` is −1. 3 by default. */
  numTrainEpochs?: number;
  /** Completions of a group: all answer one prompt and play from one start. 8 by default, at least 2. */
  numGenerations?: number;
  /** Completions of a batch: a multiple of `numGenerations`. One group by default (TRL: 8 completions). */
  perDeviceTrainBatchSize?: number;
  /** Batches of one training step. 1 by default. */
  gradientAccumulationSteps?: number;
  /** Updates made with the rollouts of one step. 1 by default. */
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

  /** Peak learning rate. 1e-6 by default. */
  learningRate?: number;
  /** How the learning rate goes on after the warm-up. 'linear' by default. */
  lrSchedulerType?: 'linear' | 'cosine' | 'constant' | 'constant_with_warmup';
  /** Steps of warm-up; below 1: a fraction of all steps. 0 by default. */
  warmupSteps?: number;
  /** Fraction of all steps that warm up, where `warmupSteps` is 0. 0 by default. */
  warmupRatio?: number;
  /** AdamW's weight decay. 0 by default. */
  weightDecay?: number;
  adamBeta1?: number;
  adamBeta2?: number;
  adamEpsilon?: number;
  /** Gradients are scaled down to this norm. 1 by default; 0 turns it off. */
  maxGradNorm?: number;

  /** How token losses are averaged. 'dapo' by default. */
  lossType?: 'grpo' | 'dr_grpo' | 'dapo' | 'bnpo' | 'cispo' | 'sapo';
  /** Weight of the KL divergence from the reference model. 0 by default: there is none. */
  beta?: number;
  /** Clip range of the probability ratio. 0.2 by default. */
  epsilon?: number;
  /** Upper clip range; `null` (the default): as `epsilon`. */
  epsilonHigh?: number | null;
  /** Upper limit of the unclipped ratio (two-sided clipping). `null` by default: none. */
  delta?: number | null;
  /** Temperature of the 'sapo' loss for tokens of positive advantage. 1 by default. */
  sapoTemperaturePos?: number;
  /** The same for tokens of negative advantage. 1.05 by default. */
  sapoTemperatureNeg?: number;
  /** Whether the ratio is taken per token or per completion. 'token' by default. */
  importanceSamplingLevel?: 'token' | 'sequence';
  /** Leave completions that were cut at `maxCompletionLength` out of the loss. false by default. */
  maskTruncatedCompletions?: boolean;

  /** What advantages are divided by: the spread of the group, of the batch, or nothing. 'group' by default; true is 'group', false 'none'. */
  scaleRewards?: 'group' | 'batch' | 'none' | boolean;
  /** One weight per reward function, instead of the weights they were registered with. */
  rewardWeights?: number[] | null;
  /** Whether rewards are summed before or after normalisation in the group. 'sum_then_normalize' by default. */
  multiObjectiveAggregation?: 'sum_then_normalize' | 'normalize_then_sum';

  /** Draw the prompts in an order shuffled by the seed, another one in each pass. true by default. */
  shuffleDataset?: boolean;
  /** Everything random follows from it: sampling, starts of episodes, order of prompts. 42 by default. */
  seed?: number;

  /** Log every so many steps. 1 by default (TRL: 10). */
  loggingSteps?: number;
  /** Folder of the checkpoints. None is written by default; with `saveSteps` alone: 'trainer_output'. */
  outputDir?: string | null;
  /** Write a checkpoint every so many steps, and at the end. 500 by default. */
  saveSteps?: number;
  /** Keep only this many checkpoints, the newest. `null` by default (all). */
  saveTotalLimit?: number | null;
  /** Where a new run starts from: the folder of a checkpoint, or `true` for the newest in `outputDir`. `null` by default: from the start. */
  resumeFromCheckpoint?: string | boolean | null;

  /** Steps of an episode at most. 1,000 by default. */
  maxEpisodeSteps?: number;
  /** Seconds of a strategy's own time per episode. 2 by default. */
  strategySeconds?: number;
}

/** Every setting with its value. */
export interface ResolvedConfig extends Required<Omit<GRPOConfig, 'maxCompletionLength' | 'scaleRewards'>> {
  /** `undefined`: as long as prompt and model leave room, 512 at most. */
  maxCompletionLength: number | undefined;
  scaleRewards: 'group' | 'batch' | 'none';
}

/** One setting: its default and what it may be. */
interface Setting {
  fallback: unknown;
  /** What is valid, for the error message. */
  valid: string;
  accepts(value: unknown): boolean;
}

const settings: Record<keyof GRPOConfig, Setting> = {
  maxSteps: { fallback: -1, valid: 'a whole number above 0, or -1', accepts: (v) => isWhole(v) && (v > 0 || v === -1) },
  numTrainEpochs: number(3, { above: 0 }),
  numGenerations: whole(8, 2),
  perDeviceTrainBatchSize: whole(undefined, 2),
  gradientAccumulationSteps: whole(1, 1),
  numIterations: whole(1, 1),
  maxCompletionLength: whole(undefined, 1),
  temperature: number(1, { above: 0 }),
  topP: number(1, { above: 0, to: 1 }),
  topK: whole(0, 0),
  minP: nullable(number(null, { from: 0, to: 1 })),
  repetitionPenalty: number(1, { above: 0 }),
  learningRate: number(1e-6, { from: 0 }),
  lrSchedulerType: oneOf('linear', ['linear', 'cosine', 'constant', 'constant_with_warmup']),
  warmupSteps: number(0, { from: 0 }),
  warmupRatio: number(0, { from: 0, to: 1 }),
  weightDecay: number(0, { from: 0 }),
  adamBeta1: number(0.9, { from: 0, below: 1 }),
  adamBeta2: number(0.999, { from: 0, below: 1 }),
  adamEpsilon: number(1e-8, { above: 0 }),
  maxGradNorm: number(1, { from: 0 }),
  lossType: oneOf('dapo', ['grpo', 'dr_grpo', 'dapo', 'bnpo', 'cispo', 'sapo']),
  beta: number(0, { from: 0 }),
  epsilon: number(0.2, { from: 0 }),
  epsilonHigh: nullable(number(null, { from: 0 })),
  delta: nullable(number(null, { above: 0 })),
  sapoTemperaturePos: number(1, { above: 0 }),
  sapoTemperatureNeg: number(1.05, { above: 0 }),
  importanceSamplingLevel: oneOf('token', ['token', 'sequence']),
  maskTruncatedCompletions: flag(false),
  scaleRewards: oneOf('group', ['group', 'batch', 'none', true, false]),
  rewardWeights: {
    fallback: null,
    valid: 'a list of numbers, one per reward function, or null',
    accepts: (v) => v === null || (Array.isArray(v) && v.every((weight) => Number.isFinite(weight))),
  },
  multiObjectiveAggregation: oneOf('sum_then_normalize', ['sum_then_normalize', 'normalize_then_sum']),
  shuffleDataset: flag(true),
  seed: { fallback: 42, valid: 'a whole number from 0 to 2^53', accepts: (v) => isWhole(v) && v >= 0 },
  loggingSteps: whole(1, 1),
  outputDir: { fallback: null, valid: 'a folder name, or null', accepts: (v) => v === null || (typeof v === 'string' && v !== '') },
  saveSteps: whole(500, 1),
  saveTotalLimit: nullable(whole(null, 1)),
  resumeFromCheckpoint: {
    fallback: null,
    valid: 'the folder of a checkpoint, true, false, or null',
    accepts: (v) => v === null || typeof v === 'boolean' || (typeof v === 'string' && v !== ''),
  },
  maxEpisodeSteps: whole(1000, 1),
  strategySeconds: number(2, { above: 0 }),
};

/** What a setting of TRL that Joylab does not have is called here, or why it is missing. */
const elsewhere: Record<string, string> = {
  maxPromptLength: 'prompts are never cut: shorten the prompt',
  numGenerationsEval: 'evaluate with model.generate and rollout after training',
  reportTo: 'the metrics are in the output of the cell and in trainer.log',
  optim: 'the optimizer is AdamW',
  bf16: 'the weights are trained in float32',
  fp16: 'the weights are trained in float32',
  useVllm: 'generation runs in this process',
};

/**
 * The settings with their defaults.
 *
 * @throws TypeError for an unknown name, with the nearest valid one, or for a
 * wrong value, with the valid ones
 */
export function resolveConfig(config: GRPOConfig = {}): ResolvedConfig {
  if (config === null || typeof config !== 'object') throw new TypeError('GRPOConfig is an object: { maxSteps: 80, numGenerations: 32 }.');
  for (const name of Object.keys(config)) if (!(name in settings)) throw new TypeError(unknownSetting(name));
  const values: Record<string, unknown> = {};
  for (const [name, { fallback, accepts, valid }] of Object.entries(settings)) {
    const value = (config as Record<string, unknown>)[name];
    if (value !== undefined && !accepts(value)) {
      throw new TypeError(`GRPOConfig: ${name} is ${show(value)}. Valid: ${valid}.`);
    }
    values[name] = value ?? fallback;
  }
  return consistent(values as unknown as ResolvedConfig, config);
}

/** Fills in what follows from other settings, and checks what must fit together. */
function consistent(values: ResolvedConfig, given: GRPOConfig): ResolvedConfig {
  values.perDeviceTrainBatchSize ??= values.numGenerations;
  if (typeof values.scaleRewards === 'boolean') values.scaleRewards = values.scaleRewards ? 'group' : 'none';
  if (given.saveSteps !== undefined) values.outputDir ??= 'trainer_output';
  if (completionsPerStep(values) % values.numGenerations !== 0) {
    throw new TypeError(
      `GRPOConfig: a step has perDeviceTrainBatchSize × gradientAccumulationSteps = ${completionsPerStep(values)} completions, ` +
        `which is not a multiple of numGenerations = ${values.numGenerations}. Leave perDeviceTrainBatchSize out for one group per step.`,
    );
  }
  return values;
}

/** Completions that one training step generates. */
export function completionsPerStep(config: Pick<ResolvedConfig, 'perDeviceTrainBatchSize' | 'gradientAccumulationSteps'>): number {
  return config.perDeviceTrainBatchSize * config.gradientAccumulationSteps;
}

function unknownSetting(name: string): string {
  const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (camel in elsewhere) return `GRPOConfig has no setting ${name}: ${elsewhere[camel]}.`;
  const names = Object.keys(settings);
  const [nearest] = nearestFirst(camel, names);
  const close = nameDistance(nearest, camel) <= Math.max(2, camel.length / 3);
  const advice = close ? `Did you mean ${nearest}?` : `The settings are: ${names.join(', ')}.`;
  return `GRPOConfig has no setting ${name}. ${advice}`;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' ? (JSON.stringify(value) ?? 'an object') : String(value);
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function whole(fallback: number | null | undefined, from: number): Setting {
  return { fallback, valid: `a whole number from ${from}`, accepts: (v) => isWhole(v) && v >= from };
}

function number(fallback: number | null, range: { from?: number; above?: number; to?: number; below?: number }): Setting {
  const { from = -Infinity, above = -Infinity, to = Infinity, below = Infinity } = range;
  const words = Object.entries(range).map(([word, bound]) => `${word} ${bound}`);
  return {
    fallback,
    valid: `a number ${words.join(' ')}`,
    accepts: (v) => typeof v === 'number' && Number.isFinite(v) && v >= from && v > above && v <= to && v < below,
  };
}

function nullable(setting: Setting): Setting {
  return { ...setting, valid: `${setting.valid}, or null`, accepts: (v) => v === null || setting.accepts(v) };
}

function flag(fallback: boolean): Setting {
  return oneOf(fallback, [true, false]);
}

function oneOf(fallback: unknown, values: unknown[]): Setting {
  return { fallback, valid: values.map(show).join(', '), accepts: (v) => values.includes(v) };
}

/** Names of the settings in which two configurations differ. */
export function changedSettings(before: ResolvedConfig, after: ResolvedConfig): Array<keyof ResolvedConfig> {
  const names = Object.keys(settings) as Array<keyof ResolvedConfig>;
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** What changed, for the charts: "learningRate 0.001 → 0.0005". */
export function changeText(before: ResolvedConfig, after: ResolvedConfig): string {
  return changedSettings(before, after).map((name) => `${name} ${show(before[name])} → ${show(after[name])}`).join(', ');
}
