import type { SessionEnvironment } from '../environments/environment';
import { svgSize } from '../environments/svg';
import { EpisodeRunner } from '../openenv/serving/episode';
import { isVector, type RolloutEnvironment } from './environments';
import type { EpisodeRecord } from './episode';
import { filmEvery, type EpisodeFrames } from './frames';
import { observationText } from './observationText';

/**
 * What an episode in an environment without frames of its own looks like: the
 * pictures that its class draws, else its observations as text: every so many
 * steps, and the end.
 */
export async function picturesOf(episode: EpisodeRecord, env: RolloutEnvironment | undefined, every = filmEvery(episode.actions.length)): Promise<EpisodeFrames> {
  const drawn = env && !isVector(env) ? await drawnAgain(episode, env, every) : undefined;
  if (drawn) return { ...emptyFilm(every), ...svgSize(drawn[0]), pictures: { type: 'image/svg+xml', frames: drawn } };
  const steps = episode.actions.length;
  const frames = episode.observations!.filter((_, step) => step % every === 0 || step === steps).map((observation) => (observation ? observationText(observation) : '(left out: the observations are large)'));
  const lines = frames.map((text) => text.split('\n'));
  const width = Math.max(1, ...lines.map((them) => Math.max(...them.map((line) => line.length))));
  return { ...emptyFilm(every), width, height: Math.max(1, ...lines.map((them) => them.length)), pictures: { type: 'text/plain', frames } };
}

function emptyFilm(every: number): EpisodeFrames {
  return { width: 0, height: 0, palette: new Uint8Array(), every, frames: [] };
}

/** The SVG pictures of a class of this process that draws some: it is played again, without a server. */
async function drawnAgain(episode: EpisodeRecord, { sessionSource: source }: SessionEnvironment, every: number): Promise<string[] | undefined> {
  if (!('module' in source)) return undefined;
  const type = (require(source.module) as Record<string, any>)[source.className];
  const runner = new EpisodeRunner(new type());
  const pictures: string[] = [];
  const draw = (): boolean => {
    const picture = runner.environment.render?.();
    if (typeof picture === 'string') pictures.push(picture);
    return typeof picture === 'string';
  };
  try {
    await runner.reset({ seed: episode.seed });
    if (!draw()) return undefined;
    for (const [step, action] of episode.actions.entries()) {
      await runner.step(episode.actionValues![action]);
      if ((step + 1) % every === 0 || step + 1 === episode.actions.length) draw();
    }
    return pictures;
  } finally {
    await runner.close();
  }
}
