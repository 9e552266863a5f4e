import { randomUUID } from 'node:crypto';
import { cellContext, type Comm } from '../../display/cellContext';
import { COMPARISON_COMM, type ComparisonAnswer } from '../../display/rewardsMime';
import { smallEpisodeData } from '../../display/pictures/episode';
import { framesOf } from '../../rollout/replay';
import type { Comparison } from './comparison';

/** Comparisons whose episodes can be seen, at most: each keeps its rollouts. */
const MOST_OFFERED = 4;

const offered = new Map<string, Comparison>();

/** Lets views of a comparison ask for frames, and returns the ID with which they open their comm. */
export function offerFrames(comparison: Comparison): string {
  cellContext().registerCommTarget(COMPARISON_COMM, (comm, data) => {
    const wanted = offered.get(String(data?.id));
    if (wanted) serve(wanted, comm);
    else comm.close();
  });
  const id = randomUUID();
  offered.set(id, comparison);
  if (offered.size > MOST_OFFERED) offered.delete(offered.keys().next().value!);
  return id;
}

/** Makes the frames that a view asks for, one episode after another. */
function serve({ samples }: Comparison, comm: Comm): void {
  let work = Promise.resolve();
  comm.onMessage(({ index }) => {
    work = work.then(async () => {
      const { answer, frames } = await episodeOf(samples[Number(index)]?.sample, Number(index));
      comm.send(answer, frames);
    });
  });
}

async function episodeOf(
  sample: Comparison['samples'][number]['sample'] | undefined,
  index: number,
): Promise<{ answer: ComparisonAnswer; frames?: Uint8Array[] }> {
  try {
    if (!sample?.episode) throw new Error('It has no episode: nothing was played.');
    // The stop button is not for these: it pauses the training that they are made beside.
    const { signal } = new AbortController();
    const episode = smallEpisodeData(sample.episode, await framesOf(sample.episode, { signal }));
    return { answer: { index, episode: { ...episode, frames: '' } }, frames: [Buffer.from(episode.frames, 'base64')] };
  } catch (error) {
    return { answer: { index, error: error instanceof Error ? error.message : String(error) } };
  }
}
