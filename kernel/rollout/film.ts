import { episodeBundle, textBundle } from '../display/episode';
import type { MimeBundle } from '../display/host';
import { originOf } from './environments';
import type { Episode } from './episode';
import { framesOf } from './replay';

/** An episode with its frames: those that were kept, else made again in the environment where it was played. */
export async function displayEpisode(episode: Episode): Promise<MimeBundle> {
  const { env, frames } = originOf(episode);
  if (frames) return episodeBundle(episode, frames);
  if (!env && !episode.observations) return textBundle(episode, 'To see it play: await replay(episode, env), then display it.');
  try {
    return episodeBundle(episode, await framesOf(episode, env));
  } catch (error) {
    return textBundle(episode, `Its frames could not be made again: ${error instanceof Error ? error.message : error}`);
  }
}
