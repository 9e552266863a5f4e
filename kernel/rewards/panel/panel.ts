import type { RewardRow, RewardsData } from '../../display/rewardsMime';
import type { RecentRollouts } from '../recent';
import type { WeightedReward } from '../scoring';
import { functionNotes, sumNotes } from './notes';
import { statsOf } from './stats';

/** Returns the panel of reward functions: what counts, and what it did to the last rollouts. */
export function rewardsData(id: string, rewards: readonly WeightedReward[], recent: RecentRollouts): RewardsData {
  const batches = recent.batches();
  const scored = statsOf(batches);
  const { step = 0, maxSteps } = batches.at(-1) ?? {};
  return {
    version: 1,
    id,
    rows: rewards.map(({ name, weight, enabled = true, source = '', timeLimit }): RewardRow => {
      const stats = scored.stats.get(name);
      return {
        name,
        weight,
        enabled,
        source,
        ...(timeLimit !== undefined && { timeLimit }),
        mean: number(stats?.mean),
        std: number(stats?.std),
        share: number(stats?.share),
        decides: number(stats?.decides),
        withReturn: number(stats?.withReturn),
        ties: stats?.ties ?? null,
        notes: stats ? functionNotes(stats, scored, { step, maxSteps }).map(({ text }) => text) : [],
      };
    }),
    rollouts: scored.samples.length,
    groups: scored.groups,
    step,
    notes: sumNotes(scored).map(({ text }) => text),
  };
}

function number(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}
