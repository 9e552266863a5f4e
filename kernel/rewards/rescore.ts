import type { MimeBundle } from '../display/cellContext';
import type { RecentRollouts, RolloutBatch } from './recent';
import { rescoreBundle } from './rescoreBundle';
import type { Sample } from './sample';
import {
  RewardError,
  rewardInputs,
  scoreWith,
  weightedSum,
  withColumn,
  type FunctionScores,
  type RewardTable,
  type SampleFailure,
  type WeightedReward,
} from './scoring';
import { chunks, isConstant, mean, std } from '../common/statistics';

/** One sample before and after a reward function was replaced. */
export interface RescoredSample {
  sample: Sample;
  /** Its reward before; `null` where the function does not apply, `undefined` where there was no such function. */
  before: number | null | undefined;
  /** Its reward now; `null` also where the function failed. */
  after: number | null;
  /** The sample's advantage from all functions before; `undefined` where it had none. */
  advantageBefore: number | undefined;
  advantageAfter: number;
  /** Why the function could not score the sample. */
  failure?: SampleFailure;
}

/** Summary of the rewards of all samples. */
export interface RescoreSummary {
  /** Mean and standard deviation of the function's rewards. */
  mean: number;
  std: number;
  /** Mean of the weighted sum of all functions. */
  reward: number;
  /** Number of groups whose samples all have the same sum: they give no training signal. */
  groupsWithoutSpread: number;
}

/** The last rollouts scored again with a replaced function: old and new rewards. */
export class Rescore {
  constructor(
    /** The function that was replaced. */
    readonly rewardName: string,
    /** Samples, newest step first, including those that could not be scored; empty where none could. */
    readonly samples: RescoredSample[],
    readonly groups: number,
    readonly before: RescoreSummary,
    readonly after: RescoreSummary,
    /** Why the new function could not score some or all of them. */
    readonly error: RewardError | null = null,
    /** Whether the function's weight has changed. */
    readonly reweighed = false,
  ) {}

  /** Whether anything differs from before. */
  get changed(): boolean {
    return this.error !== null || this.reweighed || this.samples.some(({ before, after }) => before !== after);
  }

  /** Returns the comparison as a MIME bundle: `text/html` and `text/plain`. */
  bundle(): MimeBundle {
    return rescoreBundle(this);
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return this.bundle();
  }
}

/**
 * Scores rollouts with `reward` alone, and returns what changed. Where it scores all
 * of them, its rewards replace the old ones. Other functions are not called.
 */
export async function rescore(
  reward: WeightedReward,
  recentRollouts: RecentRollouts,
  signal?: AbortSignal,
): Promise<Rescore> {
  const batches = [...recentRollouts.batches()].reverse();
  const before = summarise(
    batches,
    batches.map(({ table }) => table),
    reward.name,
  );
  const scores = await scoreBatches(reward, batches, recentRollouts.sampleCount, signal);
  const tables = batches.map(({ table }, b) =>
    withColumn(table, reward, scores[b]?.values ?? batches[b].samples.map(() => null)),
  );
  const advantages = batches.map((batch, b) => advantagesOf(batch, tables[b]));
  const outOfRange = advantages.find((result) => result instanceof RewardError) ?? null;
  const error = together(reward.name, scores, recentRollouts.sampleCount) ?? (outOfRange as RewardError | null);
  const groups = batches.reduce((sum, { samples, groupSize }) => sum + samples.length / groupSize, 0);
  const none = scores.every(({ values }) => values.every((value) => value === null));
  if (error && (none || outOfRange)) return new Rescore(reward.name, [], groups, before, before, error);
  const samples = batches.flatMap((batch, b) => compare(batch, tables[b], reward.name));
  for (const failure of error?.failures ?? []) samples[failure.index].failure = failure;
  const after = summarise(batches, tables, reward.name);
  const reweighed = batches.some(
    ({ table }) =>
      table.names.includes(reward.name) && table.weights[table.names.indexOf(reward.name)] !== reward.weight,
  );
  if (!error) batches.forEach((batch, b) => void (batch.table = tables[b]));
  return new Rescore(reward.name, samples, groups, before, after, error, reweighed);
}

/** Scores batch after batch, up to the first for which the function takes too long. */
async function scoreBatches(
  reward: WeightedReward,
  batches: readonly RolloutBatch[],
  count: number,
  signal?: AbortSignal,
): Promise<FunctionScores[]> {
  const scores: FunctionScores[] = [];
  let from = 0;
  for (const { samples, timeLimit } of batches) {
    const inputs = rewardInputs(samples, { extra: new Map(), metrics: new Map() });
    const result = await scoreWith(reward, inputs, { signal, timeLimit, counted: { from, of: count } });
    scores.push(result);
    from += samples.length;
    if (result.error?.failures.some(({ late }) => late)) break;
  }
  return scores;
}

/** Returns the errors of batches as one, calls that took too long first. */
function together(name: string, scores: readonly FunctionScores[], count: number): RewardError | null {
  const failures = scores.flatMap(({ error }) => error?.failures ?? []);
  return failures.length === 0
    ? null
    : new RewardError(name, [...failures.filter(({ late }) => late), ...failures.filter(({ late }) => !late)], count);
}

function compare(batch: RolloutBatch, table: RewardTable, name: string): RescoredSample[] {
  const old = batch.table.values[batch.table.names.indexOf(name)];
  const advantagesBefore = batch.table.names.length > 0 ? advantagesOf(batch, batch.table) : undefined;
  const advantagesAfter = advantagesOf(batch, table);
  const now = table.values[table.names.indexOf(name)];
  return batch.samples.map((sample, i) => ({
    sample,
    before: old?.[i],
    after: now[i],
    advantageBefore: advantagesBefore instanceof RewardError ? undefined : advantagesBefore?.[i],
    advantageAfter: advantagesAfter instanceof RewardError ? NaN : advantagesAfter[i],
  }));
}

/** Returns the advantages, or the error why there are none. */
function advantagesOf(batch: RolloutBatch, table: RewardTable): ArrayLike<number> | RewardError {
  try {
    return batch.advantages(table);
  } catch (error) {
    if (error instanceof RewardError) return error;
    throw error;
  }
}

function summarise(batches: RolloutBatch[], tables: RewardTable[], name: string): RescoreSummary {
  const own = tables.flatMap(({ names, values }) => values[names.indexOf(name)] ?? []);
  const sums = tables.map(weightedSum);
  const groups = batches.flatMap(({ groupSize }, b) => chunks(sums[b], groupSize));
  return {
    mean: mean(own),
    std: std(own),
    reward: mean(sums.flat()),
    groupsWithoutSpread: groups.filter(isConstant).length,
  };
}
