import type { RolloutEnvironment } from '../../environments/environment';
import type { CompactEpisode } from './packing';

/** Environments of this process in which kept episodes can be played again, by their kind. They are not kept alive. */
const offered = new Map<string, WeakRef<RolloutEnvironment>>();
/** Built-in environments that were opened for replays. */
const opened = new Map<string, Promise<RolloutEnvironment>>();

/** Lets kept episodes be played again in an environment of a run. */
export function offerReplays(env: RolloutEnvironment): void {
  offered.set(env.spec.environment, new WeakRef(env));
}

/**
 * Returns an environment in which an episode can be played again: that of a run
 * of this process, or a built-in one, which is opened.
 *
 * @throws Error that says what to do where there is none
 */
export async function replayEnvironment({
  environment,
  options,
}: Pick<CompactEpisode, 'environment' | 'options'>): Promise<RolloutEnvironment> {
  const known = offered.get(environment)?.deref();
  if (known) return known;
  const { BUILT_INS } = require('../../environments/registry') as typeof import('../../environments/registry');
  if (!Object.hasOwn(BUILT_INS, environment))
    throw new Error(
      `Its frames are made again in ${environment}, which is not open: run the notebook's environment cell and open the rollout again`,
    );
  const key = JSON.stringify([environment, options]);
  let opening = opened.get(key);
  if (!opening) {
    opening = BUILT_INS[environment as 'atari'].open(options as never) as unknown as Promise<RolloutEnvironment>;
    opened.set(key, opening);
    opening.catch(() => opened.delete(key));
  }
  return opening;
}
