import type { EnvironmentReader } from '../environment';
import { atariActions } from './actions';
import { atariStateVariables } from './games';
import { resolveAtariOptions } from './options';

/** How a strategy sees an Atari game. */
export function atariReader(options: object): EnvironmentReader {
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
