import type { RolloutEnvironment } from '../environments/environment';

/** Limits that every way of playing an episode shares. */
export interface PlayLimits {
  /** Seconds of processor time that a strategy has for the whole episode; the environment's time does not count, nor does what else the machine does. Default 2. */
  seconds?: number;
  /** Seconds of processor time that one call of a strategy may take. Default 0.1. */
  callSeconds?: number;
  /** The episode is truncated after so many steps. Default 1000. */
  maxSteps?: number;
  /** Ends the episodes early, as `aborted`. By default the interruption of the running cell. */
  signal?: AbortSignal;
}

export const DEFAULT_PLAY = { seconds: 2, callSeconds: 0.1, maxSteps: 1000 };

/** The limits with defaults filled in. Throws where one makes no sense, or has a name that is none of `names`. */
export function checkedLimits(options: PlayLimits, names: readonly string[]): Required<Omit<PlayLimits, 'signal'>> {
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw new TypeError(`Unknown option "${name}". Options: ${names.join(', ')}.`);
  }
  const set = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const limits = { ...DEFAULT_PLAY, ...set } as Required<Omit<PlayLimits, 'signal'>>;
  for (const name of ['seconds', 'callSeconds'] as const) {
    if (!(limits[name] > 0 && limits[name] <= 3600))
      throw new RangeError(`${name} must be a number of seconds, above 0 and at most 3600, not ${limits[name]}.`);
  }
  if (!Number.isInteger(limits.maxSteps) || limits.maxSteps < 1)
    throw new RangeError(`maxSteps must be a whole number of at least 1, not ${limits.maxSteps}.`);
  limits.callSeconds = Math.min(limits.callSeconds, limits.seconds);
  return limits;
}

/** Fails where a value is not an environment that policies can play. */
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

/** Fails where `seed` is not a whole number ≥ 0. */
export function checkSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`A seed must be a whole number of at least 0, not ${seed}.`);
}

/** What a promise gives, or nothing when the abort comes first. */
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
