import type { ScheduleType } from './scheduler';
import { scheduleTypes } from './scheduler';
import { flag, interval, isWhole, nullable, number, oneOf, record, text, whole, type Setting } from './settings';

/**
 * The settings that every trainer has: the names of transformers'
 * `TrainingArguments` in camelCase, its defaults unless a setting says
 * otherwise.
 */
export interface TrainingArguments {
  /** Training steps; −1 (the default) means `numTrainEpochs` passes over the data set. */
  maxSteps?: number;
  /** Passes over the data set where `maxSteps` is −1. 3 by default. */
  numTrainEpochs?: number;
  /** Samples of a micro-batch. */
  perDeviceTrainBatchSize?: number;
  /** Micro-batches of one training step. 1 by default. */
  gradientAccumulationSteps?: number;

  /** Peak learning rate. */
  learningRate?: number;
  /** How the learning rate goes on after the warm-up. 'linear' by default. */
  lrSchedulerType?: ScheduleType;
  /** Settings of the schedule, by transformers' names: `{ numCycles: 2 }`, `{ minLrRate: 0.1 }`, `{ power: 2, lrEnd: 1e-7 }`. `null` by default. */
  lrSchedulerKwargs?: Record<string, number | string> | null;
  /** Steps of warm-up; below 1: a fraction of all steps. 0 by default. */
  warmupSteps?: number;
  /** Fraction of all steps that warm up, where `warmupSteps` is 0. 0 by default. */
  warmupRatio?: number;
  /** AdamW's weight decay; norms and biases are not decayed. 0 by default. */
  weightDecay?: number;
  adamBeta1?: number;
  adamBeta2?: number;
  adamEpsilon?: number;
  /** Gradients are scaled down to this norm. 1 by default; 0 turns it off. */
  maxGradNorm?: number;

  /**
   * Holds only what enters each block of the model, and computes the rest again on the way back: a fraction of the memory
   * of long sequences for 10 to 30 % more time. The gradients are the same. false by default (TRL: true).
   */
  gradientCheckpointing?: boolean;

  /** Everything random follows from it. 42 by default. */
  seed?: number;

  /** Log every so many steps; below 1: a fraction of all steps. 1 by default (TRL: 10). */
  loggingSteps?: number;
  /** Log the first step, too. false by default. */
  loggingFirstStep?: boolean;
  /** When to evaluate on `evalDataset`: every `evalSteps` steps and at the end, after each pass over the data, or never. 'no' by default. */
  evalStrategy?: 'no' | 'steps' | 'epoch';
  /** Steps between evaluations; below 1: a fraction of all steps. As `loggingSteps` by default. */
  evalSteps?: number | null;
  /** Evaluate before the first step, too. false by default. */
  evalOnStart?: boolean;
  /** Samples of an evaluation's batch. */
  perDeviceEvalBatchSize?: number;

  /** Folder of the checkpoints. None is written by default; with `saveSteps` alone: 'trainer_output'. */
  outputDir?: string | null;
  /** When to write a checkpoint: every `saveSteps` steps and at the end, after each pass over the data, or never. 'steps' by default. */
  saveStrategy?: 'no' | 'steps' | 'epoch';
  /** Write a checkpoint every so many steps; below 1: a fraction of all steps. 500 by default. */
  saveSteps?: number;
  /** Keep only this many checkpoints, the newest. `null` by default (all). */
  saveTotalLimit?: number | null;
  /** Where a new run starts from: the folder of a checkpoint, or `true` for the newest in `outputDir`. `null` by default: from the start. */
  resumeFromCheckpoint?: string | boolean | null;
}

/** Every setting with its value. */
export type ResolvedArguments = Required<TrainingArguments>;

/** Defaults and valid values of {@link TrainingArguments}. */
export const trainingArguments = {
  maxSteps: { fallback: -1, valid: 'a whole number above 0, or -1', accepts: (v) => isWhole(v) && (v > 0 || v === -1) },
  numTrainEpochs: number(3, { above: 0 }),
  perDeviceTrainBatchSize: whole(8, 1),
  gradientAccumulationSteps: whole(1, 1),
  learningRate: number(5e-5, { from: 0 }),
  lrSchedulerType: oneOf('linear', scheduleTypes),
  lrSchedulerKwargs: record('an object such as { numCycles: 2 }'),
  warmupSteps: number(0, { from: 0 }),
  warmupRatio: number(0, { from: 0, to: 1 }),
  weightDecay: number(0, { from: 0 }),
  adamBeta1: number(0.9, { from: 0, below: 1 }),
  adamBeta2: number(0.999, { from: 0, below: 1 }),
  adamEpsilon: number(1e-8, { above: 0 }),
  maxGradNorm: number(1, { from: 0 }),
  gradientCheckpointing: flag(false),
  seed: { fallback: 42, valid: 'a whole number from 0 to 2^53', accepts: (v) => isWhole(v) && v >= 0 },
  loggingSteps: interval(1),
  loggingFirstStep: flag(false),
  evalStrategy: oneOf('no', ['no', 'steps', 'epoch']),
  evalSteps: nullable(interval(null)),
  evalOnStart: flag(false),
  perDeviceEvalBatchSize: whole(8, 1),
  outputDir: nullable(text(null, 'a folder name')),
  saveStrategy: oneOf('steps', ['no', 'steps', 'epoch']),
  saveSteps: interval(500),
  saveTotalLimit: nullable(whole(null, 1)),
  resumeFromCheckpoint: {
    fallback: null,
    valid: 'the folder of a checkpoint, true, false, or null',
    accepts: (v) => v === null || typeof v === 'boolean' || (typeof v === 'string' && v !== ''),
  },
} satisfies Record<keyof TrainingArguments, Setting>;

/** What transformers' and TRL's settings that Joylab does not have are called here, or why they are missing. */
export const elsewhere: Record<string, string> = {
  ...sayFor('the metrics are in the output of the cell and in trainer.logHistory', [
    'reportTo',
    'runName',
    'project',
    'logLevel',
    'logLevelReplica',
    'disableTqdm',
    'trackioSpaceId',
    'trackioBucketId',
    'trackioStaticSpaceId',
  ]),
  ...sayFor('the optimizer is AdamW', ['optim', 'optimArgs', 'optimTargetModules']),
  ...sayFor('the weights are trained in float32', [
    'bf16',
    'fp16',
    'tf32',
    'bf16FullEval',
    'fp16FullEval',
    'castLmHeadToFp32',
  ]),
  ...sayFor('training runs in this process on the CPU; it is for several GPUs', [
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
  ...sayFor('graphs are compiled once for all shapes', [
    'torchCompile',
    'torchCompileBackend',
    'torchCompileMode',
    'useLigerKernel',
    'ligerKernelConfig',
  ]),
  ...sayFor('sequences are packed, never padded', ['padToMultipleOf']),
  ...sayFor('batches are made in this process', [
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
  ...sayFor('training runs on the CPU', ['useCpu', 'torchEmptyCacheSteps']),
  ...sayFor('memory is saved without it', ['autoFindBatchSize', 'skipMemoryMetrics', 'useCache']),
  ...sayFor('gradientCheckpointing: true is all there is to say', [
    'gradientCheckpointingKwargs',
    'activationCheckpointing',
    'activationCheckpointingKwargs',
  ]),
  ...sayFor('save with model.savePretrained(folder), then upload the folder: hf upload <name> <folder>', [
    'pushToHub',
    'hubModelId',
    'hubToken',
    'hubPrivateRepo',
    'hubStrategy',
    'hubAlwaysPush',
    'hubRevision',
  ]),
  ...sayFor('an evaluation logs its metrics as it is', [
    'predictionLossOnly',
    'evalDoConcatBatches',
    'evalUseGatherObject',
    'evalAccumulationSteps',
    'batchEvalMetrics',
    'includeForMetrics',
  ]),
  ...sayFor('choose a checkpoint by trainer.logHistory, and go on from it with resumeFromCheckpoint', [
    'loadBestModelAtEnd',
    'metricForBestModel',
    'greaterIsBetter',
  ]),
  ...sayFor('call trainer.train() or trainer.evaluate()', ['doTrain', 'doEval', 'doPredict']),
  ...sayFor('a resumed run goes on exactly as it would have', [
    'ignoreDataSkip',
    'restoreCallbackStatesFromCheckpoint',
    'enableJitCheckpoint',
    'fullDeterminism',
  ]),
  ...sayFor("the loss is the trainer's own", ['labelSmoothingFactor', 'neftuneNoiseAlpha']),
  ...sayFor('num_tokens is always among the metrics', ['includeNumInputTokensSeen']),
  ...sayFor('a value that is not finite stops the run with an error', ['loggingNanInfFilter', 'debug']),
  loggingStrategy: 'logging goes by loggingSteps and loggingFirstStep',
  evalDelay: 'call trainer.evaluate() when the time has come, or set control.shouldEvaluate in a callback',
  saveOnlyModel: 'a checkpoint is whole; model.savePretrained(folder) saves the model alone',
  dataSeed: 'the order of the data follows from seed',
  removeUnusedColumns: 'columns of the data set are kept: reward functions see them',
};

/** The same reason for several names. */
export function sayFor(reason: string, names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

/** Steps between two of something, by a setting that may be a fraction of all steps. */
export function stepInterval(setting: number, totalSteps: number): number {
  return setting < 1 ? Math.ceil(totalSteps * setting) : setting;
}
