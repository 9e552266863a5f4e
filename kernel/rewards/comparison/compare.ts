import { chunks, isConstant, mean, std } from '../../common/statistics';
import type { RecentRollouts, RolloutBatch } from '../recent';
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
} from '../scoring';
import { Comparison, Rescore, type ComparedSample, type RescoredSample, type RescoreSummary } from './comparison';

/**
 * Scores rollouts with functions that replace others, or are new, and returns what
 * changes. The kept rewards are replaced once {@link Comparison.keep} is called. Other
 * functions are not called.
 */
export async function compareRewards(
  rewards: readonly WeightedReward[],
  recentRollouts: RecentRollouts,
  signal?: AbortSignal,
): Promise<Comparison> {
  const batches = [...recentRollouts.batches()].reverse();
  const count = recentRollouts.sampleCount;
  const before = batches.map(({ table }) => table);
  const scored: Scored[] = [];
  for (const reward of rewards) scored.push(await scoredWith(reward, batches, count, signal));
  const { after, advantages } = tablesAfter(scored, batches, before);
  const samples = compareSamples(batches, before, after, advantages);
  const functions = scored.map((one) => rescoreOf(one, batches, { before, after }, samples));
  return new Comparison(functions, samples, {
    groups: batches.reduce((sum, { samples, groupSize }) => sum + samples.length / groupSize, 0),
    keep: () => batches.forEach((batch, b) => void (batch.table = after[b])),
  });
}

/** A function with what it gives to the samples of each batch. */
interface Scored {
  reward: WeightedReward;
  scores: FunctionScores[];
  error: RewardError | null;
}

/** Scores batch after batch, up to the first for which the function takes too long. */
async function scoredWith(
  reward: WeightedReward,
  batches: readonly RolloutBatch[],
  count: number,
  signal?: AbortSignal,
): Promise<Scored> {
  const scores: FunctionScores[] = [];
  let from = 0;
  for (const { samples, timeLimit } of batches) {
    const inputs = rewardInputs(samples, { extra: new Map(), metrics: new Map() });
    const result = await scoreWith(reward, inputs, { signal, timeLimit, counted: { from, of: count } });
    scores.push(result);
    from += samples.length;
    if (result.error?.failures.some(({ late }) => late)) break;
  }
  return { reward, scores, error: together(reward.name, scores, count) };
}

/** Returns the errors of batches as one, calls that took too long first. */
function together(name: string, scores: readonly FunctionScores[], count: number): RewardError | null {
  const failures = scores.flatMap(({ error }) => error?.failures ?? []);
  return failures.length === 0
    ? null
    : new RewardError(name, [...failures.filter(({ late }) => late), ...failures.filter(({ late }) => !late)], count);
}

/** Returns the rewards and advantages with the functions that are not broken. One by which an advantage overflows becomes broken. */
function tablesAfter(
  scored: readonly Scored[],
  batches: readonly RolloutBatch[],
  before: readonly RewardTable[],
): { after: RewardTable[]; advantages: Array<ArrayLike<number> | null> } {
  for (;;) {
    const usable = scored.filter(({ error }) => !error?.isBroken);
    const after = before.map((table, b) => {
      let from = 0;
      for (let earlier = 0; earlier < b; earlier++) from += batches[earlier].samples.length;
      return usable.reduce(
        (columns, { reward, scores }) =>
          withColumn(columns, reward, scores[b].values, scores[b].error && relative(scores[b].error!.failures, from)),
        table,
      );
    });
    const advantages = batches.map((batch, b) => advantagesOf(batch, after[b]));
    const overflow = advantages.find((result) => result instanceof RewardError);
    if (!overflow || usable.length === 0)
      return { after, advantages: advantages.map((result) => (result instanceof RewardError ? null : result)) };
    const guilty = usable.find(({ reward }) => reward.name === overflow.functionName) ?? usable.at(-1)!;
    guilty.error = overflow;
  }
}

/** Returns failures with the indices of samples in their batch. */
function relative(failures: readonly SampleFailure[], from: number): { failures: SampleFailure[] } {
  return { failures: failures.map((failure) => ({ ...failure, index: failure.index - from })) };
}

/** Returns the advantages, or the error why there are none; `null` where no function counts. */
function advantagesOf(batch: RolloutBatch, table: RewardTable): ArrayLike<number> | RewardError | null {
  if (table.names.length === 0) return null;
  try {
    return batch.advantages(table);
  } catch (error) {
    if (error instanceof RewardError) return error;
    throw error;
  }
}

function compareSamples(
  batches: readonly RolloutBatch[],
  before: readonly RewardTable[],
  after: readonly RewardTable[],
  advantages: ReadonlyArray<ArrayLike<number> | null>,
): ComparedSample[] {
  return batches.flatMap((batch, b) => {
    const sums = [before[b], after[b]].map((table) =>
      table.names.length > 0 ? weightedSum(table) : batch.samples.map(() => null),
    );
    const ranks = sums.map((values) => chunks(values, batch.groupSize).flatMap(ranksOf));
    const old = advantagesOf(batch, before[b]);
    return batch.samples.map((sample, i) => ({
      sample,
      groupSize: batch.groupSize,
      sum: [sums[0][i], sums[1][i]],
      rank: [ranks[0][i], ranks[1][i]],
      advantage: [old instanceof RewardError ? null : (old?.[i] ?? null), advantages[b]?.[i] ?? null],
    }));
  });
}

/** Returns the rank of each sum in its group, the highest first; equal ones share theirs. */
function ranksOf(sums: ReadonlyArray<number | null>): Array<number | null> {
  return sums.map((sum) => (sum === null ? null : 1 + sums.filter((other) => other !== null && other > sum).length));
}

function rescoreOf(
  { reward, scores, error }: Scored,
  batches: readonly RolloutBatch[],
  tables: { before: readonly RewardTable[]; after: readonly RewardTable[] },
  compared: readonly ComparedSample[],
): Rescore {
  const { name } = reward;
  const groups = batches.reduce((sum, { samples, groupSize }) => sum + samples.length / groupSize, 0);
  const before = summarise(batches, tables.before, name);
  const none = scores.every(({ values }) => values.every((value) => value === null));
  if (error && (none || error.failures.some(({ overflow }) => overflow)))
    return new Rescore(reward, [], groups, before, before, error);
  const old = tables.before.flatMap(columnOf(batches, name));
  const now = batches.flatMap(({ samples }, b) => scores[b]?.values ?? samples.map(() => null));
  const samples = compared.map(
    ({ sample, advantage }, i): RescoredSample => ({
      sample,
      before: old[i],
      after: now[i],
      advantageBefore: advantage[0] ?? undefined,
      advantageAfter: advantage[1] ?? NaN,
    }),
  );
  for (const failure of error?.failures ?? []) samples[failure.index].failure = failure;
  const weightBefore = tables.before.flatMap(({ names, weights }) => weights[names.indexOf(name)] ?? [])[0];
  const after = { ...summarise(batches, tables.after, name), mean: mean(now), std: std(now) };
  return new Rescore(reward, samples, groups, before, after, error, weightBefore);
}

/** Returns a function of a batch's table that gives the values of a reward function; `undefined` where it has none. */
function columnOf(batches: readonly RolloutBatch[], name: string) {
  return ({ names, values }: RewardTable, b: number): Array<number | null | undefined> =>
    values[names.indexOf(name)] ?? batches[b].samples.map(() => undefined);
}

function summarise(batches: readonly RolloutBatch[], tables: readonly RewardTable[], name: string): RescoreSummary {
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
