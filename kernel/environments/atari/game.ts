import type { RolloutEnvironment } from '../environment';
import type { EpisodeSpec } from '../vectorEnv';
import { humanReturn } from './human';
import { resolveAtariOptions } from './options';
import { atariReader } from './reader';
import { atariProcesses } from './servers';
import type { AtariSource } from './vectorEnv';

/** Returns the environment of a game for rollouts: an `AtariEnvironment` without a session. */
export function atariGame(options: object, messageTimeout?: number): RolloutEnvironment {
  const resolved = resolveAtariOptions(options);
  const { actions, stateVariables } = atariReader(resolved);
  const spec: EpisodeSpec = {
    environment: 'atari',
    options: { ...resolved },
    actions,
    stateVariables: stateVariables.map(({ name }) => name),
    observations: false,
  };
  return {
    name: resolved.game,
    environment: 'atari',
    builtIn: true,
    draws: true,
    actions,
    stateVariables,
    human: humanReturn(resolved),
    spec,
    async vectorSources(count) {
      const processes = await atariProcesses(count, messageTimeout);
      return processes.map(
        ({ url }): AtariSource => ({ module: require.resolve('./vectorEnv'), spec, server: url, url, messageTimeout }),
      );
    },
    withOptions: (other) => atariGame(other, messageTimeout),
  };
}
