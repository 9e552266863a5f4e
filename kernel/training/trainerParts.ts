import type { TrainingStatus } from '../display/mime';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import type { OptimizerState } from './adamw';
import type { TrainerCallback } from './callbacks';
import type { ExtraTensors } from './checkpoint';
import type { Metrics } from './metricsBuffer';

/** What every trainer is made of. */
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

/** What {@link Trainer.train} returns. */
export interface TrainOutput {
  status: TrainingStatus;
  /** Steps completed. */
  globalStep: number;
  /** Mean loss over the logged steps. */
  trainingLoss: number;
}

/** How long a run is. */
export interface RunLength {
  /** Steps of the whole run, and of one pass over the data (which need not be whole). */
  totalSteps: number;
  stepsPerEpoch: number;
}

/** A step to be made. */
export interface Step extends RunLength {
  /** Steps made before it. */
  step: number;
  learningRate: number;
  signal: AbortSignal;
}

/** What moves the weights, as the run needs it: a `ModelUpdate`, or something made of one. */
export interface TrainerUpdate {
  /** The optimizer's own tensors, not copies. */
  state(): OptimizerState;
  /** Other tensors that a checkpoint has to keep, by file name. */
  extras?(): Map<string, ExtraTensors>;
  dispose(): Promise<void>;
}

/** What an update goes on from. Its tensors may be taken over without a copy. */
export interface SavedUpdate {
  optimizer: OptimizerState;
  extras: ReadonlyMap<string, ExtraTensors>;
}

/** An evaluation: its metrics without prefix, and how much it looked at. */
export interface Evaluation {
  metrics: Metrics;
  samples: number;
  batches: number;
}
