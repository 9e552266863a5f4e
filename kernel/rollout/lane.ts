import type { SessionSource } from '../environments/environment';
import type { JsonSchema } from '../schema/jsonSchema';
import { environmentReader } from '../environments/reader';
import { VectorClient, type SleepCells, type VectorLane, type VectorOptions } from '../openenv/vector';
import { play, type Engine, type Lane } from './play';

/** A lane as it travels to a worker thread. */
export type LaneAddress = VectorAddress | SessionAddress;

/** A server that steps many games at a time. */
export interface VectorAddress extends VectorLane {
  kind: 'vector';
  environment: string;
  options: Record<string, unknown>;
}

/** OpenEnv sessions, one game each. */
export interface SessionAddress {
  kind: 'sessions';
  source: SessionSource;
  action: JsonSchema;
  actionNames: string[];
}

/** What a server that steps many games is told, and tells. */
export interface EngineOptions {
  /** Where its games are played: as for `VectorClient.connect`. */
  place?: VectorOptions['place'];
  /** Of a thread that may sleep until its server answers. */
  sleep?: SleepCells;
  /** Called when it has no games left. */
  idle?(): void;
}

/** Opens a lane with room for `slots` games at a time. */
export async function openLane(address: LaneAddress, slots: number, options: EngineOptions = {}): Promise<Lane> {
  if (address.kind === 'sessions') return openSessionLane(address);
  const reader = environmentReader(address.environment, address.options);
  const engine = await openEngine(address, slots, options);
  return { play: (table) => play(engine, reader, table), close: engine.giveBack };
}

/** Opens games on a server that steps many. */
export async function openEngine({ url, messageTimeout, options }: VectorAddress, slots: number, { place, sleep, idle }: EngineOptions): Promise<Engine> {
  const games = await VectorClient.connect(url, { numEnvs: slots, options, messageTimeout, place, sleep });
  const giveBack = async (): Promise<void> => {
    await games.close();
    idle?.();
  };
  return { games, giveBack };
}

function openSessionLane({ source, action, actionNames }: SessionAddress): Lane {
  const { SessionLane } = require('./sessionLane') as typeof import('./sessionLane');
  const { SchemaActions } = require('./schemaActions') as typeof import('./schemaActions');
  const { sessionServers } = require('./sessions') as typeof import('./sessions');
  return new SessionLane(sessionServers(source), new SchemaActions(action, actionNames), 'servers' in source ? source.reconnectTimeout : undefined);
}
