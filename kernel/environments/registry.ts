import type { EnvironmentSchema, EpisodeState } from '../openenv/protocol';
import { atari } from './atari';
import { game2048 } from './game2048';
import type { RemoteEnvironment } from './remote/remote';

/** An environment that comes with Joylab. */
export interface BuiltIn {
  /** Opens it; the type of its argument is that of the second argument of `openenv`. */
  open(options?: any): Promise<object>;
  /** Other servers of the same environment. */
  served?: ServedByOthers;
}

/** The rules by which a server counts as one of a built-in environment. */
export interface ServedByOthers {
  /** Returns whether a server with these schemas is one. */
  recognizes(schemas: EnvironmentSchema | null): boolean;
  /** Returns what distinguishes such servers with the same schemas, such as the game. */
  variant(state: Partial<EpisodeState>): unknown;
  /** Returns the environment of such a server; the server as it is when it cannot be used as one. */
  adopt(server: RemoteEnvironment<any, any, any>): Promise<object>;
}

/** The environments that can be opened by name. Each also has an overload of `openenv`, so that the error for a misspelt name lists them. */
export const BUILT_INS = { atari, game2048 } satisfies Record<string, BuiltIn>;

/** Returns the rules for a server with these schemas; undefined when it is not one of a built-in environment. */
export function servedByOthers(schemas: EnvironmentSchema | null): ServedByOthers | undefined {
  return Object.values<BuiltIn>(BUILT_INS).find(({ served }) => served?.recognizes(schemas))?.served;
}
