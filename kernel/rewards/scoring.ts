import { number } from '../common/settings';
import { cellContext } from '../display/cellContext';
import { withProgress } from '../display/progress/progress';
import { callEach, type Outcome } from './calls';
import { hintOnError, hintOnValue, placeOf } from './hints';
import type { RewardContext, RewardFunction, RewardInput, Sample } from './sample';

/** A reward function with its name and its weight in the sum. */
export interface WeightedReward {
  readonly name: string;
  readonly score: RewardFunction;
  readonly weight: number;
  /** Seconds that a call may take, instead of those of the run. */
  readonly timeLimit?: number;
  /** Whether it counts; `true` by default. */
  readonly enabled?: boolean;
  /** Where it was registered: "Cell [5]". */
  readonly source?: string;
}

/** Rewards of samples: `values[f][i]` is that of function `f` for sample `i`, `null` where it does not apply. */
export interface RewardTable {
  names: string[];
  weights: number[];
  values: Array<Array<number | null>>;
  /** By function, the indices of samples that it failed on: their sum is unknown. */
  failed?: Record<string, number[]>;
}

/** A sample that a reward function could not score. */
export interface SampleFailure {
  /** Index of the sample among those scored. */
  index: number;
  /** The failure in words: "threw on sample 3 of 32 …". */
  what: string;
  /** The exception, where the function threw one. */
  cause?: unknown;
  /** Whether it took too long: other samples may not have been scored then. */
  late?: boolean;
  /** Whether a sum that the sample's reward is part of overflows. */
  overflow?: boolean;
}

/** Thrown when a reward function throws, takes too long, or returns something that is not a reward. */
export class RewardError extends Error {
  override readonly name = 'RewardError';
  /** Name of the reward function. */
  readonly functionName: string;
  /** Index of the first sample that failed among those scored. */
  readonly sampleIndex: number;
  /** Every sample that failed. */
  declare readonly failures: readonly SampleFailure[];
  /** Whether the function is at fault rather than the samples: it failed on more than half of them, took too long, or overflows. */
  declare readonly isBroken: boolean;

  constructor(functionName: string, failures: readonly SampleFailure[], count: number) {
    const [first] = failures;
    super(
      `Reward function "${functionName}" ${first.what}${others(failures, count)}`,
      'cause' in first ? { cause: first.cause } : {},
    );
    this.functionName = functionName;
    this.sampleIndex = first.index;
    const isBroken = failures.length * 2 > count || failures.some(({ late, overflow }) => late || overflow);
    Object.defineProperties(this, { failures: { value: failures }, isBroken: { value: isBroken } });
  }
}

/** Samples that an error names, at most. */
const MOST_NAMED = 20;

function others(failures: readonly SampleFailure[], count: number): string {
  if (failures.length < 2) return '';
  const named = failures
    .slice(0, MOST_NAMED)
    .map(({ index }) => index)
    .join(', ');
  return ` It failed on ${failures.length} of ${count} samples: ${named}${failures.length > MOST_NAMED ? ' …' : ''}.`;
}

/** Seconds of wall-clock time that a reward function may take for one sample. */
export const rewardTimeLimit = number(300, { above: 0, note: 'seconds' });

/** Options of {@link scoreSamples} and {@link score}. */
export interface ScoreOptions {
  /** Ends the scoring when aborted. By default the interruption of the running cell. */
  signal?: AbortSignal;
  /** State of the run, for the functions; `null` by default: there is none. */
  trainerState?: RewardContext['trainerState'];
  /**
   * Seconds of wall-clock time in which a function must give its result; 300 by default.
   * A function's own `timeLimit` overrides it.
   */
  timeLimit?: number;
  /** Position of the samples among a larger set, for errors that name them by number. */
  counted?: { from: number; of: number };
}

/** Rewards of samples, and what the functions logged. */
export interface Scores {
  /** A function that is broken has no column. */
  table: RewardTable;
  /** The first function that is broken ({@link RewardError.isBroken}). */
  error: RewardError | null;
  /** Functions that failed on some samples. */
  failures: RewardError[];
  /** Values for the table of completions: by column, then by the sample's index. */
  extra: Map<string, unknown[]>;
  /** Values for the metrics of all samples, by name. */
  metrics: Map<string, number[]>;
}

/**
 * Scores samples with each function. Async functions run concurrently over the
 * samples, one function after the other. The samples are not changed.
 *
 * #### Notes
 * A function that fails does not keep the others from scoring, so that its correction
 * can be compared on the same rollouts. Samples on which one fails have no sum: nobody
 * knows what they are worth. See {@link Scores} for functions that fail on most.
 *
 * @throws the signal's reason when it is aborted: running calls are ended, awaited
 *   ones abandoned
 */
export function score(
  rewards: readonly WeightedReward[],
  samples: readonly Sample[],
  options: ScoreOptions = {},
): Promise<Scores> {
  return scoreEach(rewards, samples, options, () => {});
}

/**
 * Scores samples with each function, up to the first that fails.
 *
 * @throws RewardError with the function, the samples and what it returned or threw
 * @throws the signal's reason when it is aborted
 */
export async function scoreSamples(
  rewards: readonly WeightedReward[],
  samples: readonly Sample[],
  options: ScoreOptions = {},
): Promise<RewardTable> {
  const { table } = await scoreEach(rewards, samples, options, (error) => {
    throw error;
  });
  return table;
}

async function scoreEach(
  rewards: readonly WeightedReward[],
  samples: readonly Sample[],
  options: ScoreOptions,
  failed: (error: RewardError) => void,
): Promise<Scores> {
  const scores: Scores = {
    table: { names: [], weights: [], values: [] },
    error: null,
    failures: [],
    extra: new Map(),
    metrics: new Map(),
  };
  const inputs = rewardInputs(samples, scores, options.trainerState);
  for (const reward of rewards) {
    const { values, error } = await scoreWith(reward, inputs, options);
    const table = withColumn(scores.table, reward, values, error);
    const failure = error ?? sumOverflow(table);
    if (failure) failed(failure);
    if (failure?.isBroken) scores.error ??= failure;
    else scores.table = table;
    if (error && !error.isBroken) scores.failures.push(error);
  }
  return scores;
}

/**
 * Returns a copy of `table` in which the function has these values; a new function comes
 * last.
 *
 * @param error the samples that it failed on
 */
export function withColumn(
  table: RewardTable,
  { name, weight }: Pick<WeightedReward, 'name' | 'weight'>,
  values: Array<number | null>,
  error: Pick<RewardError, 'failures'> | null = null,
): RewardTable {
  const { [name]: _, ...failed } = table.failed ?? {};
  const copy: RewardTable = { names: [...table.names], weights: [...table.weights], values: [...table.values] };
  if (error) failed[name] = error.failures.map(({ index }) => index);
  if (Object.keys(failed).length > 0) copy.failed = failed;
  const at = copy.names.indexOf(name);
  const index = at < 0 ? copy.names.length : at;
  copy.names[index] = name;
  copy.weights[index] = weight;
  copy.values[index] = values;
  return copy;
}

/** Rewards of one function. */
export interface FunctionScores {
  /** `null` where it does not apply, and where it failed. */
  values: Array<number | null>;
  error: RewardError | null;
}

/**
 * Scores samples with one function. A failure does not end the others; a call that
 * takes too long does. Samples that were not played have no reward.
 */
export async function scoreWith(
  reward: Pick<WeightedReward, 'name' | 'score' | 'timeLimit' | 'source'>,
  inputs: readonly RewardInput[],
  options: Omit<ScoreOptions, 'trainerState'> = {},
): Promise<FunctionScores> {
  const { signal = cellContext().signal, counted = { from: 0, of: inputs.length } } = options;
  const timeLimit = reward.timeLimit ?? options.timeLimit ?? rewardTimeLimit.fallback;
  signal.throwIfAborted();
  const played = inputs.flatMap(({ environmentError, duplicateOf }, i) =>
    environmentError === undefined && duplicateOf === undefined ? [i] : [],
  ); // what was not played has no reward
  const outcomes = await withProgress(`Scoring with ${reward.name}`, played.length, (task) => {
    const call = (k: number): unknown => {
      task.update(k);
      return reward.score(inputs[played[k]]);
    };
    return callEach(played.length, call, { milliseconds: timeLimit * 1000, signal });
  });
  const values = inputs.map((): number | null => null);
  const failures: SampleFailure[] = [];
  outcomes.forEach((outcome, k) => {
    const index = played[k];
    const where = `sample ${counted.from + index} of ${counted.of} (they count from 0)`;
    const failure = judge(outcome, where, reward, inputs[index], inputs, timeLimit);
    if (failure) failures.push({ index: counted.from + index, ...failure });
    else if (outcome.kind === 'returned') values[index] = outcome.value as number | null;
  });
  // A call that took too long is why others were not made: it comes first.
  failures.sort((a, b) => Number(b.late ?? false) - Number(a.late ?? false));
  return { values, error: failures.length > 0 ? new RewardError(reward.name, failures, counted.of) : null };
}

/** Returns copies of samples with the members of {@link RewardContext} as properties that are not enumerable. */
export function rewardInputs(
  samples: readonly Sample[],
  { extra, metrics }: Pick<Scores, 'extra' | 'metrics'>,
  trainerState: RewardContext['trainerState'] = null,
): RewardInput[] {
  const entry = <T>(map: Map<string, T[]>, name: string) => map.get(name) ?? map.set(name, []).get(name)!;
  return samples.map((sample, index) => {
    const context: RewardContext = {
      trainerState,
      logExtra: (column, value) => void (entry(extra, column)[index] = value),
      logMetric: (name, value) => void entry(metrics, name).push(value),
    };
    const properties = Object.entries(context).map(([name, value]) => [name, { value, configurable: true }]);
    return Object.defineProperties({ ...sample }, Object.fromEntries(properties)) as RewardInput;
  });
}

/** Returns what is wrong with the outcome of a call; `null` where it is a reward. */
function judge(
  outcome: Outcome,
  where: string,
  { score, timeLimit: own, source }: Pick<WeightedReward, 'score' | 'timeLimit' | 'source'>,
  sample: Sample,
  samples: readonly Sample[],
  timeLimit: number,
): Omit<SampleFailure, 'index'> | null {
  if (outcome.kind === 'skipped') return null;
  if (outcome.kind === 'late') {
    const declared = source ? `; it is in ${source}` : '';
    const raise =
      own === undefined
        ? 'raise rewardTimeLimit in GRPOConfig (timeLimit in scoreSamples), or give it its own: /** @reward timeLimit=600 */'
        : 'raise its own: /** @reward timeLimit=600 */';
    return {
      what: `took more than ${timeLimit} s on ${where}, so it was ended${declared}. Is there a loop without an end? If it needs longer, ${raise}.`,
      late: true,
    };
  }
  if (outcome.kind === 'threw') {
    const { error } = outcome;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const hint = hintOnError(error, score, sample, samples);
    return { what: `threw on ${where}: ${reason.replace(/\.$/, '')}${placeOf(error)}.${hint}`, cause: error };
  }
  const { value } = outcome;
  if (value === null || (typeof value === 'number' && Number.isFinite(value))) return null;
  return {
    what: `returned ${describe(value)} for ${where}. Return a finite number, or null where the function does not apply.${hintOnValue(value, score, sample)}`,
  };
}

/** Returns an error where the weighted sum of a sample's rewards overflows; `null` where none does. */
function sumOverflow(table: RewardTable): RewardError | null {
  const sums = weightedSum(table);
  const index = sums.findIndex((sum) => sum !== null && !Number.isFinite(sum));
  if (index < 0) return null;
  return outOfRange(table, index, 'the sum of its rewards', Number.MAX_VALUE);
}

/** Returns the error for a value of a sample that overflows; it names the function with the largest part in it. */
export function outOfRange(table: RewardTable, index: number, something: string, largest: number): RewardError {
  const terms = table.values.map((column, f) => Math.abs((column[index] ?? 0) * table.weights[f]));
  const f = terms.indexOf(Math.max(...terms));
  const count = table.values[f].length;
  const what =
    `gives sample ${index} of ${count} (they count from 0) ${table.values[f][index]}, and its weight is ${table.weights[f]}: ${something} is beyond the largest number there (${largest.toPrecision(2)}). ` +
    'Scale the reward down, or give it a smaller weight.';
  return new RewardError(table.names[f], [{ index, what, overflow: true }], count);
}

function describe(value: unknown): string {
  if (typeof value === 'string')
    return `the string ${JSON.stringify(value.length > 60 ? value.slice(0, 60) + '…' : value)}`;
  if (typeof value === 'object') return `an object (${value?.constructor?.name ?? 'without prototype'})`;
  if (typeof value === 'bigint') return `the bigint ${value}n`;
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  return String(value);
}

/**
 * Returns the weighted sum of each sample's rewards, without the functions that do not
 * apply; `null` where none does (TRL's `nansum`), and where one failed.
 */
export function weightedSum({ values, weights, failed = {} }: RewardTable): Array<number | null> {
  const count = values[0]?.length ?? 0;
  const sums: Array<number | null> = [];
  for (let i = 0; i < count; i++) {
    let sum: number | null = null;
    values.forEach((column, f) => {
      const value = column[i];
      if (value !== null) sum = (sum ?? 0) + weights[f] * value;
    });
    sums.push(sum);
  }
  for (const index of Object.values(failed).flat()) sums[index] = null;
  return sums;
}
