import { atariActions } from './actions';
import { atariStateVariables } from './games';
import type { AtariVariable } from './games/variables';
import { resolveAtariOptions } from './options';

/** The console's memory, which strategies get as `state.ram`. */
export const MEMORY = { name: 'ram', length: 128, minimum: 0, maximum: 255, description: 'the memory of the console' };

/** The view that a strategy has of an Atari game. */
export interface AtariReader {
  /** Names of the actions; an action's ID is its index. */
  actions: string[];
  stateVariables: AtariVariable[];
  /** The named state, one entry per variable, from the 128 bytes of the console's memory. */
  readState(ram: Uint8Array): Record<string, number>;
}

/** Returns the view that a strategy has of the game of these options. */
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
