import type { EnvironmentSchema } from '../openenv/protocol';
import type { VectorLane } from '../openenv/vector';
import type { JsonSchema } from '../schema/jsonSchema';
import type { HumanReturn } from './reference';

/** A number that a strategy sees in its `state`. */
export interface StateVariable {
  /** Name in `state`: "ball_x". */
  name: string;
  /** What it is, in a few words, with its unit: for the card and the prompt. */
  description: string;
  /** Smallest and largest value. */
  minimum: number;
  maximum: number;
  /** Its value, from the 128 bytes of the console's memory. */
  read(ram: Uint8Array): number;
}

/** How a strategy sees an environment: what a worker thread makes again from `{ environment, options }`. */
export interface EnvironmentReader {
  /** Names of the actions; an action's ID is its index. */
  actions: string[];
  stateVariables: StateVariable[];
  /** The named state, one entry per variable. */
  readState(ram: Uint8Array): Record<string, number>;
}

/** An environment that strategies can be played in many at a time. */
export interface VectorEnvironment extends EnvironmentReader {
  /** What is played: "breakout". */
  readonly name: string;
  /** The kind of environment: "atari". */
  readonly environment: string;
  /** All its options, defaults included. With a seed and actions they replay an episode. */
  readonly options: Record<string, unknown>;
  /** What a human gets in it, where that is known. */
  readonly human?: HumanReturn;
  /** The processes that play episodes. They start with the first call. */
  vectorLanes(count?: number): Promise<VectorLane[]>;
}

/** How sessions of an environment are opened: plain data, which travels to the threads that play. */
export type SessionSource =
  | {
      /** Addresses of the OpenEnv servers, which all serve the same environment. */
      servers: string[];
      /** Sessions at a time, at most; by default as many as the servers allow. */
      maxSessions?: number;
      /** Milliseconds, as for `OpenEnvClient.connect`. */
      connectTimeout?: number;
      messageTimeout?: number;
      headers?: Record<string, string>;
      /** Milliseconds that a server which played before may be out of reach; default 30,000. */
      reconnectTimeout?: number;
      /** OpenEnv's own Atari servers, of these options: their observations are the console's memory, strategies see named state. */
      atari?: object;
    }
  /** A class that extends `Environment`, by its module and its name there: played without a server. */
  | { module: string; className: string };

/** An environment in which strategies are played over sessions, one game each. */
export interface SessionEnvironment {
  /** What is played: the name that the server gives itself. */
  readonly name: string;
  /** The kind of environment ("game2048"), or the address of its server. */
  readonly environment: string;
  readonly sessionSource: SessionSource;
  /** Names of the actions, where the one field of an action is an index into them. */
  readonly actions: string[];
  /** JSON Schemas of action, observation and state; old servers give none. */
  readonly schemas: EnvironmentSchema | null;
  /** The actions that strategies may return, where these are not all that the schema tells. */
  readonly actionSchema?: JsonSchema;
  readonly description?: string;
  /** What a human gets in it, where that is known. */
  readonly human?: HumanReturn;
  /** Gives back the session of its own, which may be the only one that a server has. The next reset opens another. */
  release?(): Promise<void>;
}

/** `value`, or the bound that it lies beyond. */
export function between(minimum: number, value: number, maximum: number): number {
  return Math.min(Math.max(value, minimum), maximum);
}
