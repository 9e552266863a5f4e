import type { RolloutGroup } from '../mime';

/** Rollouts of the newest group that a notebook keeps, at most. */
const KEPT_ROLLOUTS = 6;

/** Returns the part of a group that a notebook keeps: rollouts at equal distances from the best to the worst. */
export function keptRollouts<Group extends Pick<RolloutGroup, 'scores'> & { episodes: unknown[] }>(
  group: Group,
): Group {
  const most = KEPT_ROLLOUTS;
  const { scores, episodes } = group;
  const playing = episodes.flatMap((episode, i) => (episode ? [i] : []));
  if (playing.length <= most && episodes.length <= most) return group;
  const count = Math.min(most, playing.length);
  const kept = Array.from(
    { length: count },
    (_, i) => playing[Math.round((i * (playing.length - 1)) / Math.max(1, count - 1))],
  );
  return { ...group, scores: scores && kept.map((i) => scores[i]), episodes: kept.map((i) => episodes[i]) };
}
