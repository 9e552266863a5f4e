import type { RolloutEnvironment } from '../environments/environment';
import { didNotPlay, type Sample } from '../rewards/sample';
import { chunks } from '../rewards/statistics';
import type { ResolvedConfig } from './config';

/** Which completions of a step did not play where they should have; `null`: that does not count. */
export type Unplayed = readonly boolean[] | null;

/** Where strategies play, and `capUnplayed` is on, what {@link capRewards} looks at. */
export function unplayedOf(
  samples: readonly Sample[],
  { env, config }: { env: RolloutEnvironment | null; config: Pick<ResolvedConfig, 'capUnplayed'> },
): Unplayed {
  return env && config.capUnplayed ? samples.map(didNotPlay) : null;
}

/**
 * Rewards in which a completion that did not play has no more than the worst
 * of its group that did: else silence is learned where it costs less than
 * losing. Not in TRL, whose rewards stand as they are.
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
