import {
  number,
  resolveSettings,
  unchecked,
  whole,
  type Declaration,
  type Given,
  type Resolved,
} from '../common/settings';
import type { LiveView } from '../episodes/live';
import type { RolloutEnvironment } from '../environments/environment';
import { sandboxSettings } from '../strategy/settings';

/** Settings of every way of playing: the length of an episode, and the signal that ends it. */
export const playSettings = {
  /** Steps after which an episode is truncated. 1000 by default. */
  maxSteps: whole(1000, { from: 1 }),
  /** Ends the episodes early, as `aborted`. The interruption of the running cell by default. */
  signal: unchecked<AbortSignal>('an AbortSignal'),
};

/** Limits of a strategy's time. */
export const strategySettings = {
  /** Seconds of processor time that a strategy has for the whole episode; the environment's time does not count, nor does what else the machine does. 2 by default. */
  strategyTimeLimit: number(2, { above: 0, to: 3600, note: 'seconds' }),
  /** Seconds of processor time that one call of a strategy may take. 0.1 by default. */
  callTimeLimit: sandboxSettings.callTimeLimit,
};

const executeSettings = {
  /** Seed of the episode: where it starts, its sticky actions and, with a secret of this process (see `JOYLAB_SECRET`), the strategy's `Math.random`. 0 by default. */
  seed: whole(0, { from: 0 }),
};

const rolloutSettings = {
  /** Seed of each episode: where it starts, its sticky actions and, with `secret`, the strategy's `Math.random`. */
  seeds: unchecked<number[]>('a list of whole numbers from 0, one per code'),
  /**
   * Text of at least 32 characters that no strategy can know: its `Math.random` follows
   * from it and the seed. The secret of this process by default (see `JOYLAB_SECRET`).
   */
  secret: unchecked<string>('a text of at least 32 characters'),
  /** Keeps frames of the episodes at these positions: the first, then one after every `every` steps (1 to 255); with `packed`, as a view of many plays them. None by default. */
  frames: unchecked<{ episodes: number[]; every: number; packed?: boolean }>(
    'an object such as { episodes: [0], every: 4 }',
  ),
  /** Shows the first episodes while they play: `count` of them, with pictures of as many as its getter `wanted` tells at that moment; its `show(index, episode, screen)` is called. */
  live: unchecked<LiveView>('an object such as { count: 1, wanted: 1, show(index, episode) {} }'),
  /** Number of server processes that play, each with a worker thread. One per core by default. */
  workers: whole(undefined, { from: 1 }),
  /** Text of the progress bar. "Playing episodes of …" by default. */
  title: unchecked<string>('a text'),
};

const replaySettings = {
  /** Steps between two frames that are kept, from the first on. By default so many that at most 500 frames are kept. */
  every: whole(undefined, { from: 1, to: 255 }),
  /** Stops the replay. The interruption of the running cell by default. */
  signal: unchecked<AbortSignal>('an AbortSignal'),
};

/** Limits that every way of playing an episode shares. */
export interface PlayLimits extends Given<typeof playSettings>, Given<typeof strategySettings> {}

/** Options of {@link executeWithTimeLimit}. */
export interface ExecuteOptions extends PlayLimits, Given<typeof executeSettings> {}

/** Options of {@link rollout}. */
export interface RolloutOptions
  extends PlayLimits,
    Omit<Given<typeof rolloutSettings>, 'seeds'>,
    Required<Pick<Given<typeof rolloutSettings>, 'seeds'>> {}

/** Options of {@link replay}. */
export interface ReplayOptions extends Given<typeof replaySettings> {}

/** Options of {@link referenceReturns}. */
export interface ReferenceOptions extends Given<typeof playSettings> {}

const elsewhere = { seconds: 'it is now strategyTimeLimit', callSeconds: 'it is now callTimeLimit' };

/** The options of `executeWithTimeLimit`. */
export const executeDeclaration: Declaration = {
  owner: 'executeWithTimeLimit',
  noun: 'option',
  example: '{ seed: 1, strategyTimeLimit: 2 }',
  settings: { ...strategySettings, ...playSettings, ...executeSettings },
  elsewhere,
};

/** The options of `rollout`. */
export const rolloutDeclaration: Declaration = {
  owner: 'rollout',
  noun: 'option',
  example: '{ seeds: [1, 2] }',
  settings: { ...strategySettings, ...playSettings, ...rolloutSettings },
  elsewhere,
};

/** The options of `replay`. */
export const replayDeclaration: Declaration<typeof replaySettings> = {
  owner: 'replay',
  noun: 'option',
  example: '{ every: 4 }',
  settings: replaySettings,
};

/** The options of `referenceReturns`. */
export const referenceDeclaration: Declaration<typeof playSettings> = {
  owner: 'referenceReturns',
  noun: 'option',
  example: '{ maxSteps: 500 }',
  settings: playSettings,
};

/** Returns the limits with their defaults. Throws when an option is wrong or unknown. */
export function checkedLimits(
  declaration: Declaration,
  options: PlayLimits,
): Resolved<typeof strategySettings> & { maxSteps: number } {
  const limits = resolveSettings(declaration, options) as Resolved<typeof strategySettings & typeof playSettings>;
  return { ...limits, callTimeLimit: Math.min(limits.callTimeLimit, limits.strategyTimeLimit) };
}

/** Throws a TypeError when a value is not an environment that policies can play. */
export function checkPlayable(env: RolloutEnvironment): void {
  if (typeof env === 'object' && env !== null && 'vectorSources' in env) return;
  const what =
    env && typeof env === 'object' && 'environment' in (env as object)
      ? `The environment ${String((env as RolloutEnvironment).environment)}`
      : String(env);
  throw new TypeError(
    `${what} cannot be played by strategies. Open one that can: await openenv('atari', { game: 'breakout' }).`,
  );
}

/** Throws a RangeError when `seed` is not a whole number ≥ 0. */
export function checkSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`A seed must be a whole number of at least 0, not ${seed}.`);
}

/** Resolves to a promise's result, or to `undefined` when the abort comes first. */
export async function unlessAborted<Value>(
  promise: Promise<Value> | undefined,
  signal: AbortSignal,
): Promise<Value | undefined> {
  let stop!: () => void;
  const aborted = new Promise<undefined>((resolve) => (stop = () => resolve(undefined)));
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  promise?.catch(() => {}); // what fails after the abort has nobody to tell
  return Promise.race([aborted, promise]).finally(() => signal.removeEventListener('abort', stop));
}
