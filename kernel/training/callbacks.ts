import type { CausalLM } from '../models/causalLM';
import type { ResolvedArguments } from './arguments';
import type { Metrics } from './metricsBuffer';

/** Where a run stands, by transformers' names in camelCase. */
export interface TrainerState {
  /** Steps completed. */
  globalStep: number;
  /** Steps planned. */
  maxSteps: number;
  /** Passes over the data set, with the part of the one that is under way. */
  epoch: number;
  /** Tokens of prompts and completions so far. */
  numInputTokensSeen: number;
  logHistory: readonly Metrics[];
}

/** What a callback may ask of the trainer after the event that it is called for. */
export interface TrainerControl {
  /** The run pauses after this step; called again, `train` goes on. */
  shouldTrainingStop: boolean;
  shouldLog: boolean;
  shouldEvaluate: boolean;
  /** Needs `outputDir`. */
  shouldSave: boolean;
}

/** What a callback is told. */
export interface TrainerEvent<Args = ResolvedArguments> {
  args: Readonly<Args>;
  state: Readonly<TrainerState>;
  control: TrainerControl;
  model: CausalLM;
  /** What was logged, for `onLog`; the evaluation's metrics, for `onEvaluate`. */
  metrics?: Metrics;
  /** The folder, for `onSave`. */
  checkpoint?: string;
}

type Handler = (event: TrainerEvent) => void | Promise<void>;

/** Follows a run: transformers' `TrainerCallback`, its methods in camelCase. Each is optional and may be async. */
export interface TrainerCallback {
  onTrainBegin?: Handler;
  onStepBegin?: Handler;
  onStepEnd?: Handler;
  onLog?: Handler;
  onEvaluate?: Handler;
  onSave?: Handler;
  onTrainEnd?: Handler;
}

/** Nothing asked for. */
export function newControl(): TrainerControl {
  return { shouldTrainingStop: false, shouldLog: false, shouldEvaluate: false, shouldSave: false };
}
