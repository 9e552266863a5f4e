import { availableParallelism } from 'node:os';
import type { SessionEnvironment, VectorEnvironment } from '../environments/environment';
import type { Episode, EpisodeRecord } from './episode';
import type { EpisodeFrames } from './frames';
import type { LaneAddress } from './lane';
import { ABORTED, type Game, type Played } from './play';

/** An environment whose lanes step many games at a time. */
export type VectorRollouts = Pick<VectorEnvironment, 'name' | 'environment' | 'options' | 'actions' | 'stateVariables' | 'readState' | 'human' | 'vectorLanes'>;

/** An environment that strategies can play. */
export type RolloutEnvironment = VectorRollouts | SessionEnvironment;

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

/** Whether an environment's games are stepped many at a time. */
export function isVector(env: RolloutEnvironment): env is VectorRollouts {
  return 'vectorLanes' in env;
}

/** The lanes that play an environment's games: `count` of them, by default one per core. */
export async function lanesOf(env: RolloutEnvironment, count?: number): Promise<LaneAddress[]> {
  if (isVector(env)) {
    const lanes = await env.vectorLanes(count);
    return lanes.map((lane) => ({ kind: 'vector', ...lane, environment: env.environment, options: env.options }));
  }
  const action = env.actionSchema ?? env.schemas?.action ?? { type: 'object' };
  const lane: LaneAddress = { kind: 'sessions', source: env.sessionSource, action, actionNames: env.actions };
  return Array<LaneAddress>(count ?? availableParallelism()).fill(lane);
}

/** The name of an environment in records: an address may change. */
export function recordedName(env: RolloutEnvironment): string {
  return /^https?:/.test(env.environment) ? env.name : env.environment;
}

/** The whole record of what was played in `env`. */
export function recordOf(env: RolloutEnvironment, { record }: Played): EpisodeRecord {
  const official = !isVector(env) && 'servers' in env.sessionSource ? env.sessionSource.atari : undefined;
  const options = isVector(env) ? env.options : official;
  const columns = official ? namedColumns(record.observations ?? []) : {};
  return { environment: recordedName(env), options: { ...options }, actionNames: [...env.actions], ...record, ...columns };
}

/** Named state and lives as columns, where observations are made of them. What a long record leaves out is NaN. */
function namedColumns(observations: readonly (Record<string, any> | null)[]): Pick<EpisodeRecord, 'states' | 'lives'> {
  const { ram, lives, ...first } = observations[0] ?? {};
  const column = (name: string): number[] => observations.map((observation) => observation?.[name] ?? NaN);
  return { states: Object.fromEntries(Object.keys(first).map((name) => [name, column(name)])), lives: column('lives').slice(1) };
}

/** Fails where a value is not an environment that strategies can play. */
export function checkPlayable(env: RolloutEnvironment): void {
  const has = (name: string): boolean => name in env;
  if (typeof env === 'object' && env !== null && (has('vectorLanes') ? has('readState') : has('sessionSource'))) return;
  const what = env && typeof env === 'object' && 'environment' in env ? `The environment ${String((env as RolloutEnvironment).environment)}` : String(env);
  throw new TypeError(`${what} cannot be played by strategies. Open one that can: await openenv('atari', { game: 'breakout' }).`);
}

/** A game that an abort came before. */
export function unplayed(env: RolloutEnvironment, { id, seed }: Game): Played {
  const variables = isVector(env) ? env.stateVariables : [];
  const states = Object.fromEntries(variables.map(({ name }) => [name, []]));
  const observations = isVector(env) ? {} : { observations: [], actionValues: [], actionNames: [] };
  return { id, frames: [], record: { seed, actions: [], rewards: [], lives: [], states, ...observations, end: ABORTED } };
}
