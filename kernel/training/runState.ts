import type { TrainingEvent } from '../display/mime';
import { describe, isObject, readJsonFile } from '../models/checkpoint/jsonFile';
import type { Metrics } from './metricsBuffer';

/** What a run needs to go on, as JSON. */
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

/** What `run_state.json` holds beside the run's own state. */
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

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
/** JSON has null for what is not a number. */
const isMetric = (value: unknown) => value === null || isNumber(value);
const isList = (value: unknown, accepts: (entry: unknown) => boolean): value is unknown[] =>
  Array.isArray(value) && value.every(accepts);
const isRecord = (value: unknown, accepts: (entry: unknown) => boolean) =>
  isObject(value) && Object.values(value).every(accepts);
const isEvent = (value: unknown) => isObject(value) && isNumber(value.step) && typeof value.text === 'string';

/** What each entry must be. */
const KINDS: [keyof SavedRunState, string, (value: unknown) => boolean][] = [
  ['run_id', 'a text', (value) => typeof value === 'string'],
  ['global_step', 'a whole number from 0', isWhole],
  ['num_input_tokens_seen', 'a number from 0', (value) => isNumber(value) && value >= 0],
  ['log_history', 'a list of objects of numbers', (value) => isList(value, (entry) => isRecord(entry, isMetric))],
  ['events', 'a list of { step, text }', (value) => isList(value, isEvent)],
  [
    'pending_metrics',
    'an object of lists of numbers',
    (value) => value === undefined || isRecord(value, (list) => isList(list, isMetric)),
  ],
  ['state', 'an object', isObject],
  ['saved_at', 'a number', (value) => value === undefined || isNumber(value)],
  ['threads', 'a whole number', (value) => value === undefined || isWhole(value)],
  [
    'extras',
    'an object of numbers by the names of files',
    (value) => isRecord(value, isNumber) && Object.keys(value as object).every((name) => /^\w{1,100}$/.test(name)),
  ],
];

/** @throws where the file does not hold what a run was saved with */
export function readRunState(path: string): SavedRunState {
  const state = readJsonFile(path, MAXIMUM_BYTES);
  for (const [name, wanted, accepts] of KINDS) {
    if (!accepts(state[name])) throw new Error(`${path}: ${name} must be ${wanted}, not ${describe(state[name])}`);
  }
  return state as unknown as SavedRunState;
}
