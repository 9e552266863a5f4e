import { isDeepStrictEqual } from 'node:util';
import type { EpisodeRecord } from '../../episodes/episode';
import { svgFrames, type EpisodeFrames } from '../../episodes/frames';
import type { EnvironmentClass, EnvironmentServer } from '../../openenv';
import type { EpisodeState } from '../../openenv/protocol';
import { EpisodeRunner } from '../../openenv/serving/episode';
import { renderedPicture, type PictureFile } from '../card/picture';
import { firstFrame } from '../local';
import { endPlay, type Playable } from '../play';
import { playableClass } from './classPlay';

/** The pictures of an environment whose class is in this process: OpenEnv's protocol has none. */
export interface Drawing {
  /** Resolves to the first picture of an episode. */
  first(): Promise<PictureFile | undefined>;
  /** Returns the picture of a session at this moment, by the state of its episode. */
  now(state: EpisodeState): PictureFile | undefined;
  /** Returns the SVG of the episode that a session plays now. */
  svg(episodeId: string): string | undefined;
  /** Resolves to what people play by keyboard, for an environment of few actions. */
  play(client: Parameters<typeof playableClass>[1]): Promise<Playable | undefined>;
  /** Ends the games of people. */
  endPlay(): void;
  /** Resolves to the frames of an episode that was played before. */
  frames(episode: EpisodeRecord, every: number): Promise<EpisodeFrames | undefined>;
}

/** Returns the pictures of a class that a server serves. */
export function classDrawing(type: EnvironmentClass<any>, server: EnvironmentServer): Drawing {
  let playable: Playable | undefined;
  return {
    play: async (client) => (playable ??= playableClass(type, client, await firstFrame(type))),
    endPlay: () => playable && endPlay(playable),
    first: () => firstFrame(type),
    now: ({ episode_id }) => renderedPicture(episode_id ? server.render(episode_id) : undefined),
    svg: (episodeId) => svgOf(server, episodeId),
    frames: (episode, every) => playedFrames(type, episode, every),
  };
}

function svgOf(server: EnvironmentServer, episodeId: string): string | undefined {
  try {
    const picture = server.render(episodeId);
    return typeof picture === 'string' && picture.includes('<svg') ? picture : undefined;
  } catch {
    return undefined; // the episode counts without its pictures, too
  }
}

/** Plays an episode again with an object of the class. Resolves to nothing where that draws no SVG, or goes another way. */
async function playedFrames(
  type: EnvironmentClass<any>,
  { seed, actions, actionValues = [], observations }: EpisodeRecord,
  every: number,
): Promise<EpisodeFrames | undefined> {
  const runner = new EpisodeRunner(new type());
  if (!runner.environment.render) return undefined;
  const frames: string[] = [];
  try {
    for (let step = 0; step <= actions.length; step++) {
      const { observation } =
        step === 0 ? await runner.reset({ seed }) : await runner.step(structuredClone(actionValues[actions[step - 1]]));
      const recorded = observations?.[step];
      if (recorded && !isDeepStrictEqual(observation, recorded)) return undefined;
      if (step % every !== 0 && step !== actions.length) continue;
      const picture: unknown = runner.environment.render();
      if (typeof picture !== 'string' || !picture.includes('<svg')) return undefined;
      frames.push(picture);
    }
  } catch {
    return undefined; // the episode counts without its pictures, too
  } finally {
    await runner.close();
  }
  return svgFrames(frames, every);
}
