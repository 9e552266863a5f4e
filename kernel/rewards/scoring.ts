import { number } from '../common/settings';
import { host } from '../display/host';
import { withProgress } from '../display/progress';
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
  /** `false`: it is known, and does not count. */
  readonly enabled?: boolean;
  /** Where it comes from, for people: "Cell [5]". */
  readonly source?: string;
}

/** Scores of some samples: `values[f][i]` is what function `f` gave sample `i`, `null` where it does not apply. */
export interface RewardTable {
  names: string[];
  weights: number[];
  values: Array<Array<number | null>>;
}

/** A sample that a reward function could not score. */
export interface SampleFailure {
  /** Index of the sample among those scored. */
  index: number;
  /** What was wrong: "threw on sample 3 of 32 …". */
  what: string;
  /** What the function threw, where it threw. */
  cause?: unknown;
  /** Whether it took too long: other samples may not have been scored then. */
  late?: boolean;
}

/** A reward function threw, took too long, or returned something that is not a reward. */
export class RewardError extends Error {
  override readonly name = 'RewardError';
  /** Name of the reward function. */
  readonly functionName: string;
  /** Index of the first sample that failed among those scored. */
  readonly sampleIndex: number;
  /** Every sample that failed. */
  declare readonly failures: readonly SampleFailure[];

  constructor(functionName: string, failures: readonly SampleFailure[], count: number) {
    const [first] = failures;
    super(
      `Reward function "${functionName}" ${first.what}${others(failures, count)}`,
      'cause' in first ? { cause: first.cause } : {},
    );
    this.functionName = functionName;
    this.sampleIndex = first.index;
    Object.defineProperty(this, 'failures', { value: failures, enumerable: false });
  }
}

/** Names of failing samples that are told. */
const MOST_NAMED = 20;

function others(failures: readonly SampleFailure[], count: number): string {
  if (failures.length < 2) return '';
  const named = failures
    .slice(0, MOST_NAMED)
    .map(({ index }) => index)
    .join(', ');
  return ` It failed on ${failures.length} of ${count} samples: ${named}${failures.length > MOST_NAMED ? ' …' : ''}.`;
}

/** Seconds that a reward function may take for one sample, by the clock. */
export const rewardTimeLimit = number(300, { above: 0, note: 'seconds' });

/** Options of {@link scoreSamples}. */
export interface ScoreOptions {
  /** Ends the scoring. By default it ends with the running cell. */
  signal?: AbortSignal;
  log?: RewardLog;
  /** Seconds from the call of a function to its result, by the clock; 300 by default. A function's own `timeLimit` goes before. */
  timeLimit?: number;
  /** How errors count the samples, where these are some of more. */
  counted?: { from: number; of: number };
}

/**
 * Scores `samples` with each function. Async functions run concurrently over
 * the samples, one function after the other.
 *
 * @throws RewardError naming the function, the samples and what came back
 * @throws the signal's reason once it is aborted: what computes is ended, what is awaited is left
 */
export async function scoreSamples(
  rewards: readonly WeightedReward[],
  samples: readonly Sample[],
  options: ScoreOptions = {},
): Promise<RewardTable> {
  const table: RewardTable = { names: [], weights: [], values: [] };
  for (const reward of rewards) {
    const { values, error } = await scoreWith(reward, samples, options);
    if (error) throw error;
    table.names.push(reward.name);
    table.weights.push(reward.weight);
    table.values.push(values);
  }
  const overflow = sumOverflow(table);
  if (overflow) throw overflow;
  return table;
}

/** What reward functions say of samples while they score them. */
export interface RewardLog {
  trainerState: RewardContext['trainerState'];
  /** By column, then by the sample's index. */
  extra: Map<string, unknown[]>;
  /** By name: the values of all samples. */
  metrics: Map<string, number[]>;
}

export function newRewardLog(trainerState: RewardContext['trainerState'] = null): RewardLog {
  return { trainerState, extra: new Map(), metrics: new Map() };
}

/** What one function gives each sample. */
export interface Scores {
  /** `null` where it does not apply, and where it failed. */
  values: Array<number | null>;
  error: RewardError | null;
}

/** Scores the samples with one function, all of them also where some fail; one that takes too long ends the rest. What it logs is added to `log`. */
export async function scoreWith(
  reward: Pick<WeightedReward, 'name' | 'score' | 'timeLimit' | 'source'>,
  samples: readonly Sample[],
  options: ScoreOptions = {},
): Promise<Scores> {
  const { signal = host().signal, log = newRewardLog(), counted = { from: 0, of: samples.length } } = options;
  const timeLimit = reward.timeLimit ?? options.timeLimit ?? rewardTimeLimit.fallback;
  signal.throwIfAborted();
  const played = samples.flatMap(({ environmentError, duplicateOf }, i) =>
    environmentError === undefined && duplicateOf === undefined ? [i] : [],
  ); // what was not played has no reward
  const outcomes = await withProgress(`Scoring with ${reward.name}`, played.length, (task) => {
    const score = (k: number): unknown => {
      task.update(k);
      return reward.score(withContext(samples[played[k]], played[k], log));
    };
    return callEach(played.length, score, { milliseconds: timeLimit * 1000, signal });
  });
  const values = samples.map((): number | null => null);
  const failures: SampleFailure[] = [];
  outcomes.forEach((outcome, k) => {
    const index = played[k];
    const where = `sample ${counted.from + index} of ${counted.of} (they count from 0)`;
    const failure = judge(outcome, where, reward, samples[index], samples, timeLimit);
    if (failure) failures.push({ index: counted.from + index, ...failure });
    else if (outcome.kind === 'returned') values[index] = outcome.value as number | null;
  });
  // A call that took too long is why others were not made: it is told first.
  failures.sort((a, b) => Number(b.late ?? false) - Number(a.late ?? false));
  return { values, error: failures.length > 0 ? new RewardError(reward.name, failures, counted.of) : null };
}

/** What is wrong with the outcome of a call; nothing where it is a reward. */
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

/** The sample itself, with properties that are not among its data. */
function withContext(sample: Sample, index: number, log: RewardLog): RewardInput {
  const entry = <T>(map: Map<string, T[]>, name: string) => map.get(name) ?? map.set(name, []).get(name)!;
  const context: RewardContext = {
    trainerState: log.trainerState,
    logExtra: (column, value) => void (entry(log.extra, column)[index] = value),
    logMetric: (name, value) => void entry(log.metrics, name).push(value),
  };
  for (const [name, value] of Object.entries(context))
    Object.defineProperty(sample, name, { value, configurable: true, enumerable: false });
  return sample as RewardInput;
}

/**
 * Scores the samples with every function, also after one failed, so that its
 * correction can be compared on the same rollouts.
 *
 * @returns the scores of the functions that did not fail, and the first failure
 */
export async function scoreAll(
  rewards: readonly WeightedReward[],
  samples: readonly Sample[],
  options: ScoreOptions = {},
): Promise<{ table: RewardTable; error: RewardError | null }> {
  const table: RewardTable = { names: [], weights: [], values: [] };
  let first: RewardError | null = null;
  for (const reward of rewards) {
    const { values, error } = await scoreWith(reward, samples, options);
    first ??= error;
    if (error) continue;
    const added = {
      names: [...table.names, reward.name],
      weights: [...table.weights, reward.weight],
      values: [...table.values, values],
    };
    const overflow = sumOverflow(added);
    first ??= overflow;
    if (!overflow) Object.assign(table, added);
  }
  return { table, error: first };
}

/** Says where the weighted rewards of a sample have no sum, as it is beyond what numbers hold. */
export function sumOverflow(table: RewardTable): RewardError | null {
  const sums = weightedSum(table);
  const index = sums.findIndex((sum) => sum !== null && !Number.isFinite(sum));
  if (index < 0) return null;
  return outOfRange(table, index, 'the sum of its rewards', Number.MAX_VALUE);
}

/** Says which function makes something of a sample larger than what numbers hold. */
export function outOfRange(table: RewardTable, index: number, something: string, largest: number): RewardError {
  const terms = table.values.map((column, f) => Math.abs((column[index] ?? 0) * table.weights[f]));
  const f = terms.indexOf(Math.max(...terms));
  const count = table.values[f].length;
  const what =
    `gives sample ${index} of ${count} (they count from 0) ${table.values[f][index]}, and its weight is ${table.weights[f]}: ${something} is beyond the largest number there (${largest.toPrecision(2)}). ` +
    'Scale the reward down, or give it a smaller weight.';
  return new RewardError(table.names[f], [{ index, what }], count);
}

function describe(value: unknown): string {
  if (typeof value === 'string')
    return `the string ${JSON.stringify(value.length > 60 ? value.slice(0, 60) + '…' : value)}`;
  if (typeof value === 'object') return `an object (${value?.constructor?.name ?? 'without prototype'})`;
  if (typeof value === 'bigint') return `the bigint ${value}n`;
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  return String(value);
}

/** Weighted sum of each sample's rewards, without the functions that do not apply; `null` where none does (TRL's `nansum`). */
export function weightedSum({ values, weights }: RewardTable): Array<number | null> {
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
  return sums;
}
