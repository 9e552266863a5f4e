import { OpenEnvError } from '../openenv/errors';
import type { StepResult } from '../openenv/protocol';
import type { VectorStep } from './vectorEnv';

/** Returns what policies see of an OpenEnv observation, and the lives left, if these are recorded. */
export type ReadObservation = (observation: Record<string, any>) => { state: Record<string, any>; lives?: number };

/** Returns the result of some sub-environments from OpenEnv's results, or errors, of each. */
export function vectorStep(
  results: readonly (StepResult | OpenEnvError)[],
  read: ReadObservation = asItIs,
): VectorStep {
  const given = results.map((result) => (result instanceof OpenEnvError ? NOTHING : result));
  const seen = given.map(
    (result): ReturnType<ReadObservation> => (result === NOTHING ? { state: {} } : read(result.observation ?? {})),
  );
  const cut = given.map(({ observation, metadata }) => (observation?.truncated ?? metadata?.truncated) === true);
  return {
    observations: seen.map(({ state }) => ({ state: whatIsSeen(state) })),
    rewards: given.map(({ reward }) => Number(reward ?? 0)),
    terminated: given.map(({ done }, i) => done && !cut[i]),
    truncated: given.map(({ done }, i) => done && cut[i]),
    ...(seen.some(({ lives }) => lives !== undefined) && { lives: seen.map(({ lives }) => lives ?? 0) }),
    errors: results.map((result) => (result instanceof OpenEnvError ? result : undefined)),
  };
}

const NOTHING: StepResult = { observation: {}, reward: 0, done: false };

const asItIs: ReadObservation = (observation) => ({ state: observation });

/** Returns what a policy sees of an observation: without `done` and `reward`, which OpenEnv's own servers add, and without empty metadata. */
function whatIsSeen({ done, reward, metadata, ...seen }: Record<string, any>): Record<string, any> {
  return metadata && Object.keys(metadata).length > 0 ? { ...seen, metadata } : seen;
}
