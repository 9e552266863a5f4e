import type { VectorEnvironment } from '../environments/environment';
import type { Episode, EpisodeRecord } from './episode';
import type { EpisodeFrames } from './frames';
import { ABORTED, type Game, type Played } from './play';

/** An environment that strategies can play: its lanes play many games at a time. */
export type RolloutEnvironment = Pick<VectorEnvironment, 'name' | 'environment' | 'options' | 'actions' | 'stateVariables' | 'readState' | 'vectorLanes'>;

/** Where an episode can be looked at again: kept as long as the episode is, and not saved with it. */
const origins = new WeakMap<Episode, { env?: RolloutEnvironment; frames?: EpisodeFrames }>();

/** Notes the environment an episode was played in, or frames of it, so that it can be displayed. */
export function remember(episode: Episode, origin: { env?: RolloutEnvironment; frames?: EpisodeFrames }): void {
  origins.set(episode, { ...origins.get(episode), ...origin });
}

/** What {@link remember} noted. */
export function originOf(episode: Episode): { env?: RolloutEnvironment; frames?: EpisodeFrames } {
  return origins.get(episode) ?? {};
}

/** The whole record of what was played in `env`. */
export function recordOf(env: RolloutEnvironment, { record }: Played): EpisodeRecord {
  return { environment: env.environment, options: { ...env.options }, actionNames: [...env.actions], ...record };
}

/** Fails where a value is not an environment that strategies can play. */
export function checkPlayable(env: RolloutEnvironment): void {
  if (typeof env?.vectorLanes === 'function' && typeof env.readState === 'function') return;
  const what = env && typeof env === 'object' && 'environment' in env ? `The environment ${String(env.environment)}` : String(env);
  throw new TypeError(`${what} cannot be played by strategies. Open one that can: await openenv('atari', { game: 'breakout' }).`);
}

/** A game that an abort came before. */
export function unplayed(env: RolloutEnvironment, { id, seed }: Game): Played {
  const states = Object.fromEntries(env.stateVariables.map(({ name }) => [name, []]));
  return { id, frames: [], record: { seed, actions: [], rewards: [], lives: [], states, end: ABORTED } };
}
