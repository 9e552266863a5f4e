import type { EpisodeData } from '../../kernel/display/mime';
import { decodeFrames } from '../frames/decode';
import { problem } from '../widgets/problem';
import { EpisodePlayer } from './player';

/** Returns the player of an episode, or the problem of its data. */
export async function playerOf(data: EpisodeData): Promise<{ player: EpisodePlayer } | { problem: HTMLElement }> {
  try {
    return { player: new EpisodePlayer(data, await decodeFrames(data)) };
  } catch (error) {
    const detail = `In the saved data, ${(error as Error).message}. Run the cell again to make it anew.`;
    return { problem: problem('This episode cannot be played.', detail) };
  }
}
