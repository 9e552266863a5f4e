import {
  because,
  checked,
  flag,
  nullable,
  number,
  oneOf,
  record,
  text,
  whole,
  type Given,
  type Resolved,
  type Setting,
} from '../common/settings';
import { scheduleTypes } from './scheduler';
import { TRACKERS, type TrackerName } from './tracking/trackers';

/** Settings of the optimizer, by transformers' names and with its defaults. */
export const optimizerArguments = {
  /** Decay of the mean of gradients, by AdamW. 0.9 by default. */
  adamBeta1: number(0.9, { from: 0, below: 1 }),
  /** Decay of the mean of squared gradients, by AdamW. 0.999 by default. */
  adamBeta2: number(0.999, { from: 0, below: 1 }),
  /** Added to AdamW's divisor. 1e-8 by default. */
  adamEpsilon: number(1e-8, { above: 0 }),
  /** AdamW's weight decay; norms and biases are not decayed. 0 by default. */
  weightDecay: number(0, { from: 0 }),
  /** Gradients are scaled down to this norm; 0 turns it off. 1 by default. */
  maxGradNorm: number(1, { from: 0 }),
  /** Everything random follows from it. 42 by default. */
  seed: whole(42, { from: 0 }),
};

const ownArguments = {
  /** Training steps; -1 means `numTrainEpochs` passes over the data set. -1 by default. */
  maxSteps: checked<number, -1>(
    -1,
    'a whole number above 0, or -1',
    (v) => Number.isSafeInteger(v) && ((v as number) > 0 || v === -1),
  ),
  /** Passes over the data set where `maxSteps` is -1. 3 by default. */
  numTrainEpochs: number(3, { above: 0 }),
  /** Samples of a micro-batch. 8 by default. */
  perDeviceTrainBatchSize: whole(8, { from: 1 }),
  /** Micro-batches of one training step. 1 by default. */
  gradientAccumulationSteps: whole(1, { from: 1 }),

  /** Peak learning rate. 5e-5 by default. */
  learningRate: number(5e-5, { from: 0 }),
  /** Course of the learning rate after the warm-up. 'linear' by default. */
  lrSchedulerType: oneOf('linear', scheduleTypes),
  /** Settings of the schedule, by transformers' names: `{ numCycles: 2 }`, `{ minLrRate: 0.1 }`, `{ power: 2, lrEnd: 1e-7 }`. `null` by default. */
  lrSchedulerKwargs: record<Record<string, number | string>>('an object such as { numCycles: 2 }'),
  /** Steps of warm-up; below 1: a fraction of all steps. 0 by default. */
  warmupSteps: number(0, { from: 0 }),
  /** Fraction of all steps that warm up, where `warmupSteps` is 0. 0 by default. */
  warmupRatio: number(0, { from: 0, to: 1 }),

  /**
   * Holds only what enters each block of the model, and computes the rest again on the way back: a fraction of the memory
   * of long sequences for 10 to 30 % more time. The gradients are the same. 'unsloth' is Unsloth's own way of it, and with
   * other back ends `true`. `false` by default (TRL: `true`).
   */
  gradientCheckpointing: oneOf(false, [true, false, 'unsloth']),

  /** Logs every so many steps; below 1: a fraction of all steps. 1 by default (TRL: 10). */
  loggingSteps: interval(1),
  /** Logs the first step, too. `false` by default. */
  loggingFirstStep: flag(false),
  /** When to evaluate on `evalDataset`: every `evalSteps` steps and at the end, after each pass over the data, or never. 'no' by default. */
  evalStrategy: oneOf('no', ['no', 'steps', 'epoch']),
  /** Steps between evaluations; below 1: a fraction of all steps. `null` by default: as `loggingSteps`. */
  evalSteps: nullable(interval(null)),
  /** Evaluates before the first step, too. `false` by default. */
  evalOnStart: flag(false),
  /** Samples of an evaluation's batch. 8 by default. */
  perDeviceEvalBatchSize: whole(8, { from: 1 }),

  /** Folder of the checkpoints. `null` by default: none is written; with `saveSteps` alone it is 'trainer_output'. */
  outputDir: nullable(text(null, 'a folder name')),
  /** When to write a checkpoint: every `saveSteps` steps and at the end, after each pass over the data, or never. 'steps' by default. */
  saveStrategy: oneOf('steps', ['no', 'steps', 'epoch']),
  /** Writes a checkpoint every so many steps; below 1: a fraction of all steps. 500 by default. */
  saveSteps: interval(500),
  /** Keeps only this many checkpoints, the newest. `null` by default: all. */
  saveTotalLimit: nullable(whole(null, { from: 1 })),
  /** Where a new run starts from: the folder of a checkpoint, or `true` for the newest in `outputDir`. `null` by default: from the start. */
  resumeFromCheckpoint: checked<string | boolean | null, null>(
    null,
    'the folder of a checkpoint, true, false, or null',
    (v) => v === null || typeof v === 'boolean' || (typeof v === 'string' && v !== ''),
  ),

  /**
   * Where the metrics are logged, too: 'trackio', 'wandb', or a list of both; each needs its Python package. Nothing leaves
   * this machine unless Trackio's `TRACKIO_SPACE_ID` or `WANDB_MODE=online` says so. 'none' by default.
   */
  reportTo: checked<'none' | TrackerName | readonly TrackerName[], 'none'>(
    'none',
    `'none', ${TRACKERS.map((name) => `'${name}'`).join(', ')}, or a list of these`,
    (v) => v === 'none' || (Array.isArray(v) ? v : [v]).every((name) => TRACKERS.includes(name)),
  ),
  /** Name of the run there. `null` by default: the environment's, with the beginning of the run's ID. */
  runName: nullable(text(null, 'a name')),
  /** Project of the run there. 'huggingface' by default; for 'wandb' `WANDB_PROJECT` comes first. */
  project: text('huggingface', 'a name'),
};

/** The settings that every trainer has: the names of transformers' `TrainingArguments` in camelCase, its defaults unless a setting says otherwise. */
export const trainingArguments: typeof ownArguments & typeof optimizerArguments = {
  ...ownArguments,
  ...optimizerArguments,
};

/**
 * The settings that every trainer has: the names of transformers'
 * `TrainingArguments` in camelCase, its defaults unless a setting says
 * otherwise.
 */
export interface TrainingArguments extends Given<typeof ownArguments>, Given<typeof optimizerArguments> {}

/** Every setting with its value. */
export interface ResolvedArguments extends Resolved<typeof ownArguments>, Resolved<typeof optimizerArguments> {}

/** A number of steps, or (below 1) a fraction of all steps of the run. */
function interval<const Default>(fallback: Default): Setting<number, Default> {
  return checked(
    fallback,
    'a whole number from 1, or a fraction of all steps between 0 and 1',
    (v) => typeof v === 'number' && v > 0 && (v < 1 || Number.isSafeInteger(v)),
  );
}

/** Settings of transformers and TRL that Joylab does not have: their names here, or why they are missing. */
export const elsewhere: Record<string, string> = {
  ...because('the metrics are in the output of the cell and in trainer.logHistory', [
    'logLevel',
    'logLevelReplica',
    'disableTqdm',
  ]),
  ...because('set $TRACKIO_SPACE_ID and $TRACKIO_BUCKET_ID, and reportTo: "trackio"', [
    'trackioSpaceId',
    'trackioBucketId',
    'trackioStaticSpaceId',
  ]),
  ...because('the optimizer is AdamW', ['optim', 'optimArgs', 'optimTargetModules']),
  ...because('the weights are trained in float32', [
    'bf16',
    'fp16',
    'tf32',
    'bf16FullEval',
    'fp16FullEval',
    'castLmHeadToFp32',
  ]),
  ...because('training runs in this process on the CPU; it is for several GPUs', [
    'ds3GatherForGeneration',
    'deepspeed',
    'fsdp',
    'fsdpConfig',
    'ddpBackend',
    'ddpTimeout',
    'ddpFindUnusedParameters',
    'ddpBucketCapMb',
    'ddpBroadcastBuffers',
    'ddpStaticGraph',
    'localRank',
    'acceleratorConfig',
    'parallelismConfig',
    'averageTokensAcrossDevices',
    'saveOnEachNode',
    'logOnEachNode',
  ]),
  ...because('graphs are compiled once for all shapes', [
    'torchCompile',
    'torchCompileBackend',
    'torchCompileMode',
    'useLigerKernel',
    'ligerKernelConfig',
  ]),
  ...because('sequences are packed, never padded', ['padToMultipleOf']),
  ...because('batches are made in this process', [
    'dataloaderNumWorkers',
    'dataloaderPinMemory',
    'dataloaderPersistentWorkers',
    'dataloaderPrefetchFactor',
    'dataloaderDropLast',
    'dataloaderInOrder',
    'dataloaderMultiprocessingContext',
    'trainSamplingStrategy',
    'lengthColumnName',
    'labelNames',
  ]),
  ...because('training runs on the CPU', ['useCpu', 'torchEmptyCacheSteps']),
  ...because('memory is saved without it', ['autoFindBatchSize', 'skipMemoryMetrics', 'useCache']),
  ...because('gradientCheckpointing: true is all there is to say', [
    'gradientCheckpointingKwargs',
    'activationCheckpointing',
    'activationCheckpointingKwargs',
  ]),
  ...because('save with model.savePretrained(folder), then upload the folder: hf upload <name> <folder>', [
    'pushToHub',
    'hubModelId',
    'hubToken',
    'hubPrivateRepo',
    'hubStrategy',
    'hubAlwaysPush',
    'hubRevision',
  ]),
  ...because('an evaluation logs its metrics as it is', [
    'predictionLossOnly',
    'evalDoConcatBatches',
    'evalUseGatherObject',
    'evalAccumulationSteps',
    'batchEvalMetrics',
    'includeForMetrics',
  ]),
  ...because('choose a checkpoint by trainer.logHistory, and go on from it with resumeFromCheckpoint', [
    'loadBestModelAtEnd',
    'metricForBestModel',
    'greaterIsBetter',
  ]),
  ...because('call trainer.train() or trainer.evaluate()', ['doTrain', 'doEval', 'doPredict']),
  ...because('a resumed run goes on exactly as it would have', [
    'ignoreDataSkip',
    'restoreCallbackStatesFromCheckpoint',
    'enableJitCheckpoint',
    'fullDeterminism',
  ]),
  ...because("the loss is the trainer's own", ['labelSmoothingFactor', 'neftuneNoiseAlpha']),
  ...because('num_tokens is always among the metrics', ['includeNumInputTokensSeen']),
  ...because('a value that is not finite stops the run with an error', ['loggingNanInfFilter', 'debug']),
  loggingStrategy: 'logging goes by loggingSteps and loggingFirstStep',
  evalDelay: 'call trainer.evaluate() when the time has come, or set control.shouldEvaluate in a callback',
  saveOnlyModel: 'a checkpoint is whole; model.savePretrained(folder) saves the model alone',
  dataSeed: 'the order of the data follows from seed',
  removeUnusedColumns: 'columns of the data set are kept: reward functions see them',
};

/** Returns the steps between two of something, by a setting that may be a fraction of all steps. */
export function stepInterval(setting: number, totalSteps: number): number {
  return setting < 1 ? Math.ceil(totalSteps * setting) : setting;
}
