import { checked, number, unchecked, whole, type Declaration, type Given } from '../common/settings';

const checkSettings = {
  /** Seconds that it may take. What is not tried by then is said. 60 by default. */
  seconds: number(60, { from: 1, to: 86_400 }),
  /** Steps after which an episode of the statistics is truncated. 1000 by default; fewer where steps are slow. */
  maxSteps: whole(1000, { from: 1 }),
  /** Policies to try beside chance and constants, by name: strategies as functions of the state, or their source. One that solves the task shows whether the reward says so. None by default. */
  policies: checked<Record<string, string | ((state: any) => unknown)>>(
    undefined,
    'an object of strategies by name, such as { oracle: (state) => state.x > 0 ? "LEFT" : "RIGHT" }',
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((it) => typeof it === 'string' || typeof it === 'function'),
  ),
  /** The return that a perfect episode gets, if it is known. None by default. */
  target: number(undefined),
  /** Ends the check, with a report of what it has. The interruption of the running cell by default. */
  signal: unchecked<AbortSignal>('an AbortSignal'),
};

/** Options of {@link checkEnv}. */
export interface CheckOptions extends Given<typeof checkSettings> {}

/** The options of `checkEnv`. */
export const checkDeclaration: Declaration<typeof checkSettings> = {
  owner: 'checkEnv',
  noun: 'option',
  example: '{ seconds: 20 }',
  settings: checkSettings,
};
