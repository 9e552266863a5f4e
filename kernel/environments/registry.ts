import type { EnvironmentSchema, EpisodeState } from '../openenv/protocol';
import { atari } from './atari';
import { game2048 } from './game2048';
import type { RemoteEnvironment } from './remote/remote';

/** An environment that comes with Joylab. */
export interface BuiltIn {
  /** Opens it; the type of its argument is that of the second argument of `openenv`. */
  open(options?: any): Promise<object>;
  /** Servers of others that play the same. */
  served?: ServedByOthers;
}

/** The rules by which a server counts as one of a built-in environment. */
export interface ServedByOthers {
  recognizes(schemas: EnvironmentSchema | null): boolean;
  /** Returns what differs between such servers of the same schemas. */
  variant(state: Partial<EpisodeState>): unknown;
  /** The environment of such a server; the server as it is, where it cannot be used as such. */
  adopt(server: RemoteEnvironment<any, any, any>): Promise<object>;
}

/** The environments that can be opened by their name. Each has a line among the types of `openenv`, too: so a name that is nearly right is told as such. */
export const BUILT_INS = { atari, game2048 } satisfies Record<string, BuiltIn>;

/** Returns what serves an environment of these schemas for others, where it is a built-in one. */
export function servedByOthers(schemas: EnvironmentSchema | null): ServedByOthers | undefined {
  return Object.values<BuiltIn>(BUILT_INS).find(({ served }) => served?.recognizes(schemas))?.served;
}
