import type { GroupEpisode } from '../display/training';
import type { Rollouts } from './collect';

/** Episodes of the newest group that are shown while training, at most. */
export const shownEpisodes = 6;

/** The captured episodes as a view plays them: frames deflated, beside the JSON. */
export function groupEpisodes({ samples, frames }: Rollouts): GroupEpisode[] {
  const { episodeData } = require('../display/episode') as typeof import('../display/episode');
  return [...frames].flatMap(([index, captured]) => {
    const { episode } = samples[index];
    if (!episode) return [];
    const data = episodeData(episode, captured);
    return [{ data: { ...data, frames: '' }, frames: Buffer.from(data.frames, 'base64') }];
  });
}
