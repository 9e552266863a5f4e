import type { CausalLM } from '../models/causalLM';
import { stepInterval, type ResolvedArguments } from './arguments';
import type { Metrics } from './metricsBuffer';
import type { RunLength } from './trainerParts';

/** State of a run, by transformers' names in camelCase. */
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

/** Requests of a callback to the trainer, for after the event that it is called for. */
export interface TrainerControl {
  /** The run pauses after this step; called again, `train` goes on. */
  shouldTrainingStop: boolean;
  shouldLog: boolean;
  shouldEvaluate: boolean;
  /** Needs `outputDir`. */
  shouldSave: boolean;
}

/** What only some events have. */
export interface EventFacts {
  /** The new entry of the log, for `onLog`; the evaluation's metrics, for `onEvaluate`. */
  metrics?: Metrics;
  /** The folder, for `onSave`. */
  checkpoint?: string;
}

/** Argument of a callback. */
export interface TrainerEvent<Args = ResolvedArguments> extends EventFacts {
  args: Readonly<Args>;
  state: Readonly<TrainerState>;
  control: TrainerControl;
  model: CausalLM;
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

/** Returns a control that asks for nothing. */
export function newControl(): TrainerControl {
  return { shouldTrainingStop: false, shouldLog: false, shouldEvaluate: false, shouldSave: false };
}

/** Returns what follows from a step (counted from 1) by the settings: log, evaluation, checkpoint. */
export function dueAfter(
  step: number,
  { totalSteps, stepsPerEpoch, evaluates: hasData }: RunLength,
  config: ResolvedArguments,
): TrainerControl {
  const { loggingSteps, loggingFirstStep, evalStrategy, evalSteps, saveStrategy, saveSteps, outputDir } = config;
  const last = step === totalSteps;
  const every = (setting: number) => step % stepInterval(setting, totalSteps) === 0;
  const epochEnds = last || Math.floor(step / stepsPerEpoch) > Math.floor((step - 1) / stepsPerEpoch);
  const evaluates = { no: false, steps: every(evalSteps ?? loggingSteps) || last, epoch: epochEnds };
  const saves = { no: false, steps: every(saveSteps) || last, epoch: epochEnds };
  return {
    shouldTrainingStop: false,
    shouldLog: every(loggingSteps) || last || (loggingFirstStep && step === 1),
    shouldEvaluate: hasData && evaluates[evalStrategy],
    shouldSave: outputDir !== null && saves[saveStrategy],
  };
}
