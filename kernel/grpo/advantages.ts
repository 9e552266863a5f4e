import { weightedSum, type RewardTable } from '../rewards/scoring';
import { chunks, isConstant, mean, std } from '../rewards/statistics';
import type { ResolvedConfig } from './config';

/** The settings that advantages depend on. */
export type AdvantageSettings = Pick<ResolvedConfig, 'numGenerations' | 'scaleRewards' | 'multiObjectiveAggregation'>;

/** Keeps a group of nearly equal rewards from being blown up. TRL's value. */
const epsilon = 1e-4;

/**
 * Advantages of the completions of a step, as TRL computes them: the weighted
 * sum of a completion's rewards, less the mean of its group, over the spread
 * of the group or of the batch. A completion to which no function applies is
 * left out of mean and spread, and its advantage is 0.
 */
export function groupAdvantages(table: RewardTable, settings: AdvantageSettings): Float32Array {
  const rewards = aggregate(table, settings);
  if (settings.multiObjectiveAggregation === 'normalize_then_sum') return centred(rewards, mean(rewards), std(rewards));
  const batchStd = std(rewards);
  const groups = chunks(rewards, settings.numGenerations).map((group) => {
    const scale = { group: std(group), batch: batchStd, none: null }[settings.scaleRewards];
    return centred(group, mean(group), scale);
  });
  return Float32Array.from(groups.flatMap((group) => [...group]));
}

/** One reward per completion; `null` where no function applies. */
function aggregate(table: RewardTable, settings: AdvantageSettings): Array<number | null> {
  const sums = weightedSum(table);
  if (settings.multiObjectiveAggregation === 'sum_then_normalize') return sums;
  const normalisedSums = weightedSum(normalised(table, settings.numGenerations));
  return sums.map((sum, i) => (sum === null ? null : (normalisedSums[i] ?? 0)));
}

/** (reward − mean) / (std + ε), without the division where `scale` is null; 0 where that is no number. */
function centred(rewards: Array<number | null>, centre: number, scale: number | null): Float32Array {
  return Float32Array.from(rewards, (reward) => {
    if (reward === null) return 0;
    const advantage = (reward - centre) / (scale === null ? 1 : scale + epsilon);
    return Number.isNaN(advantage) ? 0 : advantage;
  });
}

/** Each function's values normalised within each group. */
function normalised(table: RewardTable, size: number): RewardTable {
  const values = table.values.map((column) =>
    chunks(column, size).flatMap((group) => {
      const [centre, scale] = [mean(group), std(group)];
      return group.map((value) => {
        const result = value === null ? NaN : (value - centre) / (scale + epsilon);
        return Number.isNaN(result) ? null : result;
      });
    }),
  );
  return { ...table, values };
}

/** Fraction of completions whose advantage has no spread to come from: TRL's `frac_reward_zero_std`. */
export function fractionZeroStd(table: RewardTable, settings: AdvantageSettings): number {
  const rewards = aggregate(table, settings);
  const together = settings.scaleRewards === 'batch' || settings.multiObjectiveAggregation === 'normalize_then_sum';
  const groups = together ? [rewards] : chunks(rewards, settings.numGenerations);
  return groups.filter(isTied).length / groups.length;
}

function isTied(rewards: Array<number | null>): boolean {
  return isConstant(rewards) && rewards.filter((reward) => reward !== null).length > 1;
}
