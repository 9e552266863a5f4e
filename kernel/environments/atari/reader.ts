import { atariActions } from './actions';
import { atariStateVariables } from './games';
import type { AtariVariable } from './games/variables';
import { resolveAtariOptions } from './options';

/** The console's memory, which strategies see as `state.ram`. */
export const MEMORY = { name: 'ram', length: 128, minimum: 0, maximum: 255, description: 'the memory of the console' };

/** The actions of an Atari game, and its state as strategies see it. */
export interface AtariReader {
  /** Names of the actions; an action's ID is its index. */
  actions: string[];
  stateVariables: AtariVariable[];
  /** Returns the named state, one entry per variable, from the 128 bytes of the console's memory. */
  readState(ram: Uint8Array): Record<string, number>;
}

/** Returns the reader for a game with these options. Throws `INVALID_ARGUMENT` when one is not valid. */
export function atariReader(options: object): AtariReader {
  const { game, autoFire, fullActionSpace } = resolveAtariOptions(options);
  const stateVariables = atariStateVariables(game);
  return {
    actions: atariActions(game, autoFire, fullActionSpace),
    stateVariables,
    readState(ram) {
      const state: Record<string, number> = {};
      for (const variable of stateVariables) state[variable.name] = variable.read(ram);
      return state;
    },
  };
}
