import type { RewardFunction } from '../rewards/sample';
import type { WeightedReward } from '../rewards/scoring';

/** Reward functions as a trainer is given them. */
export type RewardFuncs = RewardFunction | ReadonlyArray<RewardFunction | WeightedReward>;

/** Each function with its name and its weight: that of `weights`, where they are given. */
export function weightedRewards(funcs: RewardFuncs, weights: readonly number[] | null): WeightedReward[] {
  const list = typeof funcs === 'function' ? [funcs] : funcs;
  if (list.length === 0) {
    throw new TypeError('There is no reward function. Run a /** @reward */ cell first, or give rewardFuncs to GRPOTrainer.');
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

/** What changed between two steps, for the charts; empty where nothing did. */
export function rewardChanges(before: readonly WeightedReward[], after: readonly WeightedReward[]): string {
  const earlier = new Map(before.map((reward) => [reward.name, reward]));
  const changes = after.flatMap((reward) => {
    const old = earlier.get(reward.name);
    earlier.delete(reward.name);
    if (!old) return [`${reward.name} added`];
    if (old.score !== reward.score) return [`${reward.name} replaced`];
    return old.weight === reward.weight ? [] : [`weight of ${reward.name} ${old.weight} → ${reward.weight}`];
  });
  return [...changes, ...[...earlier.keys()].map((name) => `${name} removed`)].join(', ');
}
