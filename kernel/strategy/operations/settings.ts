import { flag, number, whole, type Declaration, type Given } from '../../common/settings';
import { sandboxSettings, seedSettings, type LockedDownOptions } from '../settings';

const counting = {
  /** Seconds of processor time that one call may take; counting slows it down. 2 by default. */
  callTimeLimit: number(2, { above: 0, to: 3600, note: 'seconds' }),
  /** Whether each call begins with a new start of the program. `true` by default. */
  fresh: flag(true),
  /** Operations after which a call is ended. 100,000,000 by default. */
  maxOperations: whole(100_000_000, { from: 1 }),
};
const settings = { ...sandboxSettings, ...seedSettings, ...counting };

/** Options of {@link countOperations}. */
export interface CountOptions extends Omit<LockedDownOptions, 'callTimeLimit'>, Given<typeof counting> {}

/** The options of `countOperations`. */
export const countingDeclaration: Declaration<typeof settings> = {
  owner: 'countOperations',
  noun: 'option',
  example: '{ maxOperations: 1_000_000 }',
  settings,
};
