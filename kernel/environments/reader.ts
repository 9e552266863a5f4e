import { OpenEnvError } from '../openenv/errors';
import { atariReader } from './atari/reader';
import type { EnvironmentReader } from './environment';

/**
 * How a strategy sees an environment, from its kind and its options alone: for
 * worker threads, which an environment object cannot be sent to.
 */
export function environmentReader(environment: string, options: object): EnvironmentReader {
  if (environment === 'atari') return atariReader(options);
  throw new OpenEnvError('INVALID_ARGUMENT', `Strategies cannot play '${environment}': only 'atari' has named state.`);
}
