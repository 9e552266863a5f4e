import type { ReferenceReturns } from '../environments/reference';
import { OpenEnvError } from '../openenv/errors';
import type { RolloutEnvironment } from '../environments/environment';
import type { ResolvedConfig } from './config';

/**
 * What chance gets where the strategies of a run play, for its samples; `null`
 * where it cannot be measured, undefined where it is not to be.
 *
 * @throws the signal's reason when aborted
 */
export async function runReference(
  env: RolloutEnvironment | null,
  config: ResolvedConfig,
  signal: AbortSignal,
): Promise<ReferenceReturns | null | undefined> {
  if (!env || !config.measureReference) return undefined;
  const { referenceReturns } = require('../rollout/reference') as typeof import('../rollout/reference');
  try {
    return await referenceReturns(env, { maxSteps: config.maxEpisodeSteps, signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof OpenEnvError)) throw error;
    console.warn(
      `What chance gets in ${env.name} could not be measured, so normalizedReturn has no scale there. ${error.code}: ${error.message}`,
    );
    return null;
  }
}
