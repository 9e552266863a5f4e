import { didNotPlay, type Sample } from '../rewards/sample';
import { outOfRange, weightedSum, type RewardTable } from '../rewards/scoring';
import { chunks, isConstant, mean, scaleOf, std } from '../common/statistics';
import type { ResolvedConfig } from './config';
import type { StepContext } from './context';

/** The settings that advantages depend on. */
export type AdvantageSettings = Pick<ResolvedConfig, 'numGenerations' | 'scaleRewards' | 'multiObjectiveAggregation'>;

/** For each completion whether it should have played and did not; `null`: that does not count. */
export type Unplayed = readonly boolean[] | null;

/** Keeps the advantages of a group of nearly equal rewards small. TRL's value. */
const epsilon = 1e-4;

/**
 * Returns the advantages of completions, one each, as TRL computes them: the
 * weighted sum of a completion's rewards, less the mean of its group, over the
 * standard deviation of the group or of the batch. A completion to which no
 * function applies is left out of both, and its advantage is 0.
 *
 * @param unplayed completions that did not play, when that counts (see {@link capRewards}; not in TRL)
 * @throws RewardError when a sum or an advantage overflows
 */
export function groupAdvantages(
  table: RewardTable,
  settings: AdvantageSettings,
  unplayed: Unplayed = null,
): Float32Array {
  const rewards = capRewards(aggregate(table, settings), settings.numGenerations, unplayed);
  checkRange(rewards, table, Number.MAX_VALUE, 'the sum of its rewards');
  return checkedAdvantages(advantagesOf(rewards, settings), table);
}

/**
 * Returns advantages in 32 bits.
 *
 * @param table the rewards that they come from
 * @throws RewardError when one overflows in 32 bits
 */
export function checkedAdvantages(advantages: readonly number[], table: RewardTable): Float32Array {
  checkRange(advantages, table, LARGEST_FLOAT32, 'its advantage');
  return Float32Array.from(advantages);
}

/** The largest number of 32 bits: the update computes in these. */
const LARGEST_FLOAT32 = 2 ** 128 - 2 ** 104;

function checkRange(values: ReadonlyArray<number | null>, table: RewardTable, largest: number, what: string): void {
  const index = values.findIndex((value) => value !== null && !(Math.abs(value) <= largest));
  if (index >= 0) throw outOfRange(table, index, what, largest);
}

function advantagesOf(rewards: Array<number | null>, settings: AdvantageSettings): number[] {
  if (settings.multiObjectiveAggregation === 'normalize_then_sum') return centred(rewards, rewards);
  return chunks(rewards, settings.numGenerations).flatMap((group) =>
    centred(group, { group, batch: rewards, none: null }[settings.scaleRewards]),
  );
}

/** Returns one reward per completion; `null` when no function applies. */
function aggregate(table: RewardTable, settings: AdvantageSettings): Array<number | null> {
  const sums = weightedSum(table);
  if (settings.multiObjectiveAggregation === 'sum_then_normalize') return sums;
  const normalisedSums = weightedSum(normalised(table, settings.numGenerations));
  return sums.map((sum, i) => (sum === null ? null : (normalisedSums[i] ?? 0)));
}

/** Returns (reward − mean) / (std + ε) with the standard deviation of `all`, or reward − mean when `all` is null; 0 for a reward of `null` and in place of NaN. */
export function centred(rewards: ReadonlyArray<number | null>, all: ReadonlyArray<number | null> | null): number[] {
  // Very large rewards are divided by a power of two, and with them ε.
  const scale = scaleOf(all ?? rewards);
  const scaled = (values: ReadonlyArray<number | null>) =>
    scale === 1 ? values : values.map((value) => (value === null ? null : value / scale));
  const centre = mean(scaled(rewards));
  const spread = all ? std(scaled(all)) + epsilon / scale : 1 / scale;
  return scaled(rewards).map((reward) => {
    const advantage = reward === null ? 0 : (reward - centre) / spread;
    return Number.isNaN(advantage) ? 0 : advantage;
  });
}

/** Returns each function's values normalised within each group. */
function normalised(table: RewardTable, size: number): RewardTable {
  const values = table.values.map((column) =>
    chunks(column, size).flatMap((group) => {
      const alone = group.filter((value) => value !== null).length < 2;
      return centred(group, group).map((result, i) => (alone || group[i] === null ? null : result));
    }),
  );
  return { ...table, values };
}

/** Returns the fraction of groups whose rewards are all equal, so that there is nothing to learn: TRL's `frac_reward_zero_std`. */
export function fractionZeroStd(table: RewardTable, settings: AdvantageSettings, unplayed: Unplayed = null): number {
  const rewards = capRewards(aggregate(table, settings), settings.numGenerations, unplayed);
  const together = settings.scaleRewards === 'batch' || settings.multiObjectiveAggregation === 'normalize_then_sum';
  const groups = together ? [rewards] : chunks(rewards, settings.numGenerations);
  return groups.filter(isTied).length / groups.length;
}

function isTied(rewards: Array<number | null>): boolean {
  return isConstant(rewards) && rewards.filter((reward) => reward !== null).length > 1;
}

/** Returns which samples did not play, for {@link capRewards}; `null` without an environment or `capUnplayed`. */
export function unplayedOf(
  samples: readonly Sample[],
  { env, config }: Pick<StepContext, 'env'> & { config: Pick<ResolvedConfig, 'capUnplayed'> },
): Unplayed {
  return env && config.capUnplayed ? samples.map(didNotPlay) : null;
}

/**
 * Returns rewards in which a completion that did not play has no more than the
 * worst of its group that did: else the model learns to write nothing when that
 * costs less than losing. TRL leaves rewards as they are.
 */
export function capRewards(rewards: Array<number | null>, groupSize: number, unplayed: Unplayed): Array<number | null> {
  if (!unplayed) return rewards;
  return chunks(rewards, groupSize).flatMap((group, g) => {
    const isUnplayed = (i: number) => unplayed[g * groupSize + i];
    const played = group.filter((reward, i): reward is number => reward !== null && !isUnplayed(i));
    if (played.length === 0) return group;
    const worst = played.reduce((least, reward) => Math.min(least, reward));
    return group.map((reward, i) => (isUnplayed(i) ? Math.min(reward ?? worst, worst) : reward));
  });
}
