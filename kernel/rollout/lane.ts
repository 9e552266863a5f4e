import type { SessionSource } from '../environments/environment';
import type { JsonSchema } from '../environments/jsonSchema';
import { environmentReader } from '../environments/reader';
import { VectorClient } from '../openenv/vector';
import { play, type Lane } from './play';

/** A lane as it travels to a worker thread. */
export type LaneAddress =
  /** A server that steps many games at a time. */
  | { kind: 'vector'; url: string; messageTimeout?: number; environment: string; options: Record<string, unknown> }
  /** OpenEnv sessions, one game each. */
  | { kind: 'sessions'; source: SessionSource; action: JsonSchema; actionNames: string[] };

/** Opens a lane with room for `slots` games at a time. */
export async function openLane(address: LaneAddress, slots: number): Promise<Lane> {
  if (address.kind === 'sessions') return openSessionLane(address);
  const { url, messageTimeout, environment, options } = address;
  const reader = environmentReader(environment, options);
  const client = await VectorClient.connect(url, { numEnvs: slots, options, messageTimeout });
  return { play: (table) => play(client, reader, table), close: () => client.close() };
}

function openSessionLane({ source, action, actionNames }: LaneAddress & { kind: 'sessions' }): Lane {
  const { SessionLane } = require('./sessionLane') as typeof import('./sessionLane');
  const { SchemaActions } = require('./schemaActions') as typeof import('./schemaActions');
  const { sessionServers } = require('./sessions') as typeof import('./sessions');
  return new SessionLane(sessionServers(source), new SchemaActions(action, actionNames), 'servers' in source ? source.reconnectTimeout : undefined);
}
