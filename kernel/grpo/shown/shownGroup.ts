import type { RolloutScore } from '../../display/mime';
import { episodeParts } from '../../display/pictures/episode';
import type { GroupEpisode, ShownGroup } from '../../display/training/training';
import type { RolloutEnvironment } from '../../environments/environment';
import { Episode } from '../../episodes/episode';
import type { Sample } from '../../rewards/sample';
import { weightedSum } from '../../rewards/scoring';
import type { Fresh } from '../rollouts/generations';

/** Rollouts of a step that are shown, at most. */
export const SHOWN_ROLLOUTS = 64;

/** Returns the rollouts of a generation as a view shows them: the best reward first, those that did not play behind. */
export function shownGroup(step: number, { samples, table, advantages, played }: Fresh): ShownGroup {
  const sums = weightedSum(table);
  const rollouts = samples.map((sample, index) => ({
    score: {
      index,
      reward: sums[index] ?? null,
      advantage: advantages[index],
      rewards: Object.fromEntries(table.names.map((name, f) => [name, table.values[f][index]])),
      ...(!played.frames.has(index) && { why: whyWithout(sample) }),
    } satisfies RolloutScore,
    episode: partsOf(sample, played.frames.get(index)),
  }));
  rollouts.sort((a, b) => (b.score.reward ?? -Infinity) - (a.score.reward ?? -Infinity));
  const shown = rollouts.slice(0, SHOWN_ROLLOUTS);
  return {
    step,
    scores: shown.map(({ score }) => score),
    episodes: shown.map(({ episode }) => episode),
    of: samples.length,
  };
}

function partsOf({ episode }: Sample, frames: Parameters<typeof episodeParts>[1] | undefined): GroupEpisode | null {
  return episode && frames ? episodeParts(episode, frames) : null;
}

/** Returns why a sample is not seen playing, in words. */
export function whyWithout({ code, problems, environmentError, episode }: Sample): string {
  if (episode) return 'played, its frames were not kept';
  if (environmentError) return String(environmentError);
  if (code === null) return 'no function in the completion';
  return problems.length > 0 ? `line ${problems[0].line}: ${problems[0].reason}` : 'did not play';
}

/**
 * Plays a rollout again, from its record, with every frame.
 *
 * @throws Error that says why that is not possible
 */
export async function openRollout(
  sample: Sample | undefined,
  env: RolloutEnvironment | null,
  signal: AbortSignal,
): Promise<GroupEpisode> {
  if (!sample) throw new Error('This rollout is not kept any more.');
  if (!sample.episode || !env) throw new Error(`There is no episode: ${whyWithout(sample)}.`);
  // Loaded when a rollout is opened.
  const { replay } = require('../../rollout/replay') as typeof import('../../rollout/replay');
  // A copy: the sample's own would keep the frames.
  const frames = await replay(new Episode(sample.episode), env, { every: 1, signal });
  return episodeParts(sample.episode, frames, true);
}
