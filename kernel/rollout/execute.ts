import type { RolloutEnvironment } from '../environments/environment';
import { cellContext } from '../display/cellContext';
import { withProgress } from '../display/progress/progress';
import { Episode } from '../episodes/episode';
import { DEFAULT_LIMITS } from '../strategy/outcome';
import { isLockedDown, lockDown, StrategyError, type LockedDownFunction } from '../strategy/locked';
import { randomState } from '../strategy/secret';
import { failingPolicy, functionPolicy, lockedPolicy, type Policy } from './policies';
import { remember } from './replay';
import { checkedLimits, checkPlayable, executeDeclaration, type ExecuteOptions } from './settings';
import { playOne } from './single';

/** A strategy: its source (JavaScript or TypeScript), a locked-down function, or a function of this process. */
export type Strategy = string | LockedDownFunction | ((state: any) => unknown);

/**
 * Plays one episode with a strategy, in an environment of its own: the episode of
 * `env.reset` and `env.step` is not touched.
 *
 * A source runs in a sandbox of its own. A locked-down function starts afresh and
 * keeps its own limit per call. A plain function runs in this process, where nothing
 * can stop it in the middle of a call: it is for trying things out, not for code that
 * a model wrote.
 *
 * @returns the episode, whatever the strategy does: see `episode.end`
 * @throws TypeError when `env` or `strategy` is of another kind; OpenEnvError when the
 *   environment fails
 */
export async function executeWithTimeLimit(
  strategy: Strategy,
  env: RolloutEnvironment,
  options: ExecuteOptions = {},
): Promise<Episode> {
  checkPlayable(env);
  checkStrategy(strategy);
  const { strategyTimeLimit, callTimeLimit, maxSteps } = checkedLimits(executeDeclaration, options);
  const { seed = 0, signal = cellContext().signal } = options;
  const job = { id: 0, seed, maxSteps, seconds: strategyTimeLimit, every: 0 };
  const { record } = await withProgress(`Playing an episode of ${env.name}`, 0, () =>
    playOne(env, job, () => policyOf(strategy, seed, callTimeLimit), signal),
  );
  const episode = new Episode(record);
  remember(episode, { env });
  return episode;
}

function checkStrategy(strategy: Strategy): void {
  if (typeof strategy === 'function' || typeof strategy === 'string') return;
  throw new TypeError(
    `A strategy is a source text, a locked-down function or a function, not ${strategy === null ? 'null' : typeof strategy}.`,
  );
}

async function policyOf(strategy: Strategy, seed: number, callTimeLimit: number): Promise<Policy> {
  if (isLockedDown(strategy)) {
    strategy.restart(seed);
    return lockedPolicy(strategy);
  }
  if (typeof strategy === 'function') return functionPolicy(strategy, callTimeLimit);
  try {
    const locked = await lockDown(strategy, {
      ...DEFAULT_LIMITS,
      callTimeLimit,
      randomState: randomState(seed),
    });
    return lockedPolicy(locked, () => locked.dispose());
  } catch (error) {
    if (!(error instanceof StrategyError)) throw error;
    return failingPolicy(error.failure);
  }
}
