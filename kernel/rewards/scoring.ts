import { setTimeout } from 'node:timers/promises';
import { raceAbort } from './raceAbort';
import type { RewardContext, RewardFunction, RewardInput, Sample } from './sample';

/** A reward function with its name and its weight in the sum. */
export interface WeightedReward {
  readonly name: string;
  readonly score: RewardFunction;
  readonly weight: number;
}

/** Scores of some samples: `values[f][i]` is what function `f` gave sample `i`, `null` where it does not apply. */
export interface RewardTable {
  names: string[];
  weights: number[];
  values: Array<Array<number | null>>;
}

/** A reward function threw, or returned something that is not a reward. */
export class RewardError extends Error {
  override readonly name = 'RewardError';
  /** Name of the reward function. */
  readonly functionName: string;
  /** Index of the sample among those scored. */
  readonly sampleIndex: number;

  constructor(functionName: string, sampleIndex: number, what: string, cause?: unknown) {
    super(`Reward function "${functionName}" ${what}`, { cause });
    this.functionName = functionName;
    this.sampleIndex = sampleIndex;
  }
}

/**
 * Scores `samples` with each function. Async functions run concurrently over
 * the samples, one function after the other.
 *
 * @throws RewardError naming the function, the sample and what came back
 * @throws the signal's reason once it is aborted, without waiting for a pending function
 */
export async function scoreSamples(
  rewards: readonly WeightedReward[],
  samples: readonly Sample[],
  options: { signal?: AbortSignal; log?: RewardLog } = {},
): Promise<RewardTable> {
  const table: RewardTable = { names: [], weights: [], values: [] };
  for (const reward of rewards) {
    table.names.push(reward.name);
    table.weights.push(reward.weight);
    table.values.push(await scoreWith(reward, samples, options.signal, options.log));
  }
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

/** What one function gives each sample. What it logs is added to `log`. */
export async function scoreWith(
  reward: Pick<WeightedReward, 'name' | 'score'>,
  samples: readonly Sample[],
  signal?: AbortSignal,
  log = newRewardLog(),
): Promise<Array<number | null>> {
  signal?.throwIfAborted();
  const scores = Promise.all(samples.map((sample, index) => scoreOne(reward, withContext(sample, index, log), index, samples.length)));
  return signal ? raceAbort(scores, signal) : scores;
}

/** The sample itself, with properties that are not among its data. */
function withContext(sample: Sample, index: number, log: RewardLog): RewardInput {
  const entry = <T>(map: Map<string, T[]>, name: string) => map.get(name) ?? map.set(name, []).get(name)!;
  const context: RewardContext = {
    trainerState: log.trainerState,
    logExtra: (column, value) => void (entry(log.extra, column)[index] = value),
    logMetric: (name, value) => void entry(log.metrics, name).push(value),
  };
  for (const [name, value] of Object.entries(context)) Object.defineProperty(sample, name, { value, configurable: true, enumerable: false });
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
  signal: AbortSignal,
  log?: RewardLog,
): Promise<{ table: RewardTable; error: RewardError | null }> {
  const table: RewardTable = { names: [], weights: [], values: [] };
  let error: RewardError | null = null;
  for (const reward of rewards) {
    try {
      table.values.push(await scoreWith(reward, samples, signal, log));
      table.names.push(reward.name);
      table.weights.push(reward.weight);
    } catch (failure) {
      if (!(failure instanceof RewardError)) throw failure;
      error ??= failure;
    }
  }
  return { table, error };
}

async function scoreOne(
  { name, score }: Pick<WeightedReward, 'name' | 'score'>,
  sample: RewardInput,
  index: number,
  count: number,
): Promise<number | null> {
  const where = `sample ${index} of ${count} (they count from 0)`;
  let value: unknown;
  if (sample.environmentError !== undefined) return null; // what was not played has no reward
  try {
    value = await score(sample);
  } catch (cause) {
    // The abort of the signal is on its way, and says more.
    if ((cause as Error | null)?.name === 'KeyboardInterrupt') await setTimeout(100);
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new RewardError(name, index, `threw on ${where}: ${reason}${nullHint(cause, sample)}`, cause);
  }
  if (value === null || (typeof value === 'number' && Number.isFinite(value))) return value;
  const got = `returned ${describe(value)} for ${where}`;
  throw new RewardError(name, index, `${got}. Return a finite number, or null where the function does not apply.${valueHint(value)}`);
}

/** The commonest mistake: reading `episode.return` of a completion that never played. */
function nullHint(cause: unknown, sample: Sample): string {
  if (!(cause instanceof TypeError)) return '';
  if (sample.code === null) return '. No strategy could be extracted from this completion: `code` and `episode` are null.';
  if (sample.episode === null) return '. This strategy was not played: `episode` is null.';
  return '';
}

function valueHint(value: unknown): string {
  if (value === undefined) return ' Does every branch end in a return?';
  if (typeof value === 'boolean') return ' Use Number(…) to make 0 or 1 of a boolean.';
  if (typeof value === 'number') return ' A division by zero, or a missing state variable?';
  return '';
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.length > 60 ? value.slice(0, 60) + '…' : value)}`;
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
