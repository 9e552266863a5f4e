import type { TrainingStatus } from '../display/mime';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import type { OptimizerState } from './update/adamw';
import type { TrainerCallback } from './callbacks';
import type { ExtraTensors } from './checkpoint/folders';
import type { Metrics } from './metricsBuffer';

/** Options of every trainer. */
export interface TrainerOptions<Given> {
  model: CausalLM;
  /** The model's tokenizer. */
  processingClass: Tokenizer;
  args?: Given;
  /** Called as the run goes on. */
  callbacks?: TrainerCallback[];
}

/** Options of {@link Trainer.train}. */
export interface TrainOptions {
  /** Pauses the run when aborted. By default the interruption of the running cell. */
  signal?: AbortSignal;
  /** Folder of a checkpoint to go on from, or `true` for the newest in `outputDir`. By default the setting of this name, for a new run. */
  resumeFromCheckpoint?: string | boolean;
}

/** Result of {@link Trainer.train}. */
export interface TrainOutput {
  status: TrainingStatus;
  /** Steps completed. */
  globalStep: number;
  /** Mean loss over the logged steps. */
  trainingLoss: number;
}

/** Length of a run. */
export interface RunLength {
  /** Steps of the whole run, and of one pass over the data (which need not be whole). */
  totalSteps: number;
  stepsPerEpoch: number;
  /** Returns the passes over the data after so many steps, with the part of the one that is under way. */
  epochAt(step: number): number;
  /** There are data to evaluate on. */
  evaluates: boolean;
}

/** A step to be made. */
export interface Step extends RunLength {
  /** Steps made before it. */
  step: number;
  learningRate: number;
  signal: AbortSignal;
}

/** Outcome of a step. */
export interface StepOutcome {
  /** TRL's metrics of this step alone; the trainer adds its own to them. */
  metrics: Metrics;
  /** Called as soon as the step counts, before anything can interrupt. */
  counted?(metrics: Metrics): void;
  /** Called after log, evaluation and checkpoint of the step. */
  settled?(metrics: Metrics): Promise<void>;
}

/** State of its own that a trainer keeps in checkpoints, as JSON. */
export interface OwnState<Update> {
  save(update: Update): Record<string, unknown>;
  /** @throws where a checkpoint's state, which may come from elsewhere, is not one that {@link save} made */
  check(saved: Record<string, unknown>): void;
  load(saved: Record<string, any>): void;
  /** Forgets everything: a new run starts. */
  clear(): void;
}

/** Moves the weights of a run in this process: a `ModelUpdate`, or something made of one. */
export interface TrainerUpdate {
  /** Returns the optimizer's own tensors, not copies. */
  state(): OptimizerState;
  /** Returns other tensors that a checkpoint has to keep, by file name. */
  extras?(): Map<string, ExtraTensors>;
  dispose(): Promise<void>;
}

/** State that an update goes on from. Its tensors may be taken over without a copy. */
export interface SavedUpdate {
  optimizer: OptimizerState;
  extras: ReadonlyMap<string, ExtraTensors>;
}

/** An evaluation: its metrics without prefix, and how much it looked at. */
export interface EvalLoopOutput {
  metrics: Metrics;
  samples: number;
  batches: number;
}
