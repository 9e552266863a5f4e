import { number, whole, type Declaration, type Given } from '../common/settings';

/** Limits of a strategy's sandbox. */
export const sandboxSettings = {
  /** Seconds of processor time that one call of a strategy may take: how busy the machine is does not matter. 0.1 by default. */
  callTimeLimit: number(0.1, { above: 0, to: 3600, note: 'seconds' }),
  /** Bytes that a strategy's data may take. 16 MiB by default. */
  memoryLimit: whole(16 * 2 ** 20, { from: 2 ** 20, to: 2 ** 30, note: 'bytes: 1 MiB to 1 GiB' }),
};

/** The seed of a strategy. */
export const seedSettings = {
  /** Seed of its `Math.random`, beside a secret of this process (see `JOYLAB_SECRET`). 0 by default. */
  seed: whole(0, { from: 0 }),
};

/** Options of {@link createLockedDownFunction}. */
export interface LockedDownOptions extends Given<typeof sandboxSettings>, Given<typeof seedSettings> {}

/** The options of `createLockedDownFunction`. */
export const lockedDownDeclaration: Declaration<typeof sandboxSettings & typeof seedSettings> = {
  owner: 'createLockedDownFunction',
  noun: 'option',
  example: '{ callTimeLimit: 0.5 }',
  settings: { ...sandboxSettings, ...seedSettings },
};
