import type { TrainingEvent } from '../../display/mime';
import { describe, isObject, readJsonFile } from '../../models/checkpoint/jsonFile';
import { stepInterval, type ResolvedArguments } from '../arguments';
import type { TrainerState } from '../callbacks';
import type { Metrics } from '../metricsBuffer';
import { isNumber, isText, isWhole, listOf, objectOf, optional, orNull, recordOf, type Accepts } from './shapes';

/** State that a run goes on from, as JSON. */
export interface RunState {
  run_id: string;
  global_step: number;
  num_input_tokens_seen: number;
  log_history: Metrics[];
  events: TrainingEvent[];
  /** Metrics of the steps since the last log entry. */
  pending_metrics: Record<string, number[]>;
  args: object;
  /** The trainer's own. */
  state: Record<string, unknown>;
}

/** Content of `run_state.json`. */
export interface SavedRunState extends RunState {
  /** Milliseconds since 1970. */
  saved_at?: number;
  /** Threads of an operator, on which the last bits depend; absent in older checkpoints. */
  threads?: number;
  /** Versions of the extra tensors, by file name. */
  extras: Record<string, number>;
}

/** The state grows with the run: it has the rollouts of a generation, and a log entry per step. */
const MAXIMUM_BYTES = 500e6;

/** JSON has null for what is not a number. */
const isMetric = orNull(isNumber);

/** Valid values of each entry, in words for errors. */
const KINDS: [keyof SavedRunState, string, Accepts][] = [
  ['run_id', 'a text', isText],
  ['global_step', 'a whole number from 0', isWhole],
  ['num_input_tokens_seen', 'a number from 0', (value) => isNumber(value) && (value as number) >= 0],
  ['log_history', 'a list of objects of numbers', listOf(recordOf(isMetric))],
  ['events', 'a list of { step, text }', listOf(objectOf({ step: isNumber, text: isText }))],
  ['pending_metrics', 'an object of lists of numbers', optional(recordOf(listOf(isMetric)))],
  ['state', 'an object', isObject],
  ['saved_at', 'a number', optional(isNumber)],
  ['threads', 'a whole number', optional(isWhole)],
  [
    'extras',
    'an object of numbers by the names of files',
    (value) => recordOf(isNumber)(value) && Object.keys(value as object).every((name) => /^\w{1,100}$/.test(name)),
  ],
];

/** Reads what a run was saved with. @throws where the file does not hold that */
export function readRunState(path: string): SavedRunState {
  const state = readJsonFile(path, MAXIMUM_BYTES);
  for (const [name, wanted, accepts] of KINDS) {
    if (!accepts(state[name])) throw new Error(`${path}: ${name} must be ${wanted}, not ${describe(state[name])}`);
  }
  return state as unknown as SavedRunState;
}

/** Returns a run's state as transformers' `TrainerState.load_from_json` reads it. */
export function transformersState(state: TrainerState, config: ResolvedArguments): object {
  const { globalStep, maxSteps, epoch, numInputTokensSeen, logHistory } = state;
  return {
    best_global_step: null,
    best_metric: null,
    best_model_checkpoint: null,
    epoch,
    eval_steps: stepInterval(config.evalSteps ?? config.loggingSteps, maxSteps),
    global_step: globalStep,
    is_hyper_param_search: false,
    is_local_process_zero: true,
    is_world_process_zero: true,
    log_history: logHistory,
    logging_steps: stepInterval(config.loggingSteps, maxSteps),
    max_steps: maxSteps,
    num_input_tokens_seen: numInputTokensSeen,
    num_train_epochs: Math.ceil(config.numTrainEpochs),
    save_steps: stepInterval(config.saveSteps, maxSteps),
    stateful_callbacks: {},
    total_flos: 0,
    train_batch_size: config.perDeviceTrainBatchSize,
    trial_name: null,
    trial_params: null,
  };
}
