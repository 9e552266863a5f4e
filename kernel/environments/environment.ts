import type { VectorLane } from '../openenv/vector';

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
  /** The processes that play episodes. They start with the first call. */
  vectorLanes(count?: number): Promise<VectorLane[]>;
}

/** `value`, or the bound that it lies beyond. */
export function between(minimum: number, value: number, maximum: number): number {
  return Math.min(Math.max(value, minimum), maximum);
}
