import { createHash } from 'node:crypto';
import type { RewardFunction } from '../rewards/sample';
import type { WeightedReward } from '../rewards/scoring';

/** Reward functions as a trainer takes them. */
export type RewardFuncs = RewardFunction | ReadonlyArray<RewardFunction | WeightedReward>;

/**
 * Returns each function that is enabled, with its name and its weight.
 *
 * @param weights replace those of the functions; `null`: none do
 * @throws TypeError when there is no function, when two have one name, and for a wrong number of weights
 */
export function weightedRewards(funcs: RewardFuncs, weights: readonly number[] | null): WeightedReward[] {
  const all: ReadonlyArray<RewardFunction | WeightedReward> = typeof funcs === 'function' ? [funcs] : funcs;
  const list = all.filter((reward) => typeof reward === 'function' || reward?.enabled !== false);
  if (list.length === 0 && all.length > 0) {
    const names = all.map((reward) => (reward as WeightedReward).name);
    throw new TypeError(
      `No reward function counts: ${names.join(', ')} ${names.length > 1 ? 'are' : 'is'} off. Take the word off out of the cell, or call rewardRegistry.setEnabled("${names[0]}", true).`,
    );
  }
  if (list.length === 0) {
    throw new TypeError(
      'There is no reward function. Run a /** @reward */ cell first, or give rewardFuncs to GRPOTrainer.',
    );
  }
  const rewards = list.map(named);
  const names = rewards.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw new TypeError(`Two reward functions have the name ${twice}: name them apart.`);
  if (!weights) return rewards;
  if (weights.length !== rewards.length) {
    throw new TypeError(
      `GRPOConfig: rewardWeights has ${weights.length} numbers for ${rewards.length} reward functions (${names.join(', ')}).`,
    );
  }
  return rewards.map((reward, i) => ({ ...reward, weight: weights[i] }));
}

function named(reward: RewardFunction | WeightedReward, index: number): WeightedReward {
  if (typeof reward === 'function') return { name: reward.name || `reward_${index}`, score: reward, weight: 1 };
  if (typeof reward?.score === 'function' && reward.name) return { ...reward, weight: reward.weight ?? 1 };
  throw new TypeError(`rewardFuncs[${index}] is not a reward function: give a function, or { name, score, weight }.`);
}

/** Returns a line with the functions of the registry that count, and those that are off. */
export function rewardsText(rewards: readonly WeightedReward[], weights: readonly number[] | null): string {
  const counting = rewards.filter(({ enabled }) => enabled !== false);
  const off = rewards.filter(({ enabled }) => enabled === false);
  const parts = counting.map(({ name, weight, source }, i) => {
    const factor = weights?.[i] ?? weight;
    return `${name}${factor === 1 ? '' : ` × ${factor}`}${source ? ` (${source})` : ''}`;
  });
  return `Rewards: ${parts.join(', ') || 'none'}${off.length > 0 ? `; off: ${off.map(({ name }) => name).join(', ')}` : ''}.`;
}

/** Returns what changed between two steps, for the charts; empty when nothing did. */
export function rewardChanges(before: readonly WeightedReward[], after: readonly WeightedReward[]): string {
  const earlier = new Map(before.map((reward) => [reward.name, reward]));
  // A cell that is run again replaces all of its functions. Those of the same text are named only where no text differs.
  const replaced = after.filter(({ name, score }) => earlier.has(name) && earlier.get(name)!.score !== score);
  const edited = replaced.filter(({ name, score }) => String(earlier.get(name)!.score) !== String(score));
  const named = new Set(edited.length > 0 ? edited : replaced);
  const changes = after.flatMap((reward) => {
    const old = earlier.get(reward.name);
    earlier.delete(reward.name);
    const place = reward.source ? ` (${reward.source})` : '';
    if (!old) return [`${reward.name} added${place}`];
    if (named.has(reward)) return [`${reward.name} replaced${place}`];
    return old.weight === reward.weight ? [] : [`weight of ${reward.name} ${old.weight} → ${reward.weight}`];
  });
  return [...changes, ...[...earlier.keys()].map((name) => `${name} removed`)].join(', ');
}

/** Returns a text that is equal for functions of the same names, weights and sources: a checkpoint has that of the functions of its scores. */
export function rewardSignature(rewards: readonly WeightedReward[]): string {
  const parts = rewards.map(({ name, weight, score }) => [name, weight, score.toString()]);
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
