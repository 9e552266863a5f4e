import { rollout, type Episode } from '../../../kernel';
import type { EnvironmentSchema } from '../../../kernel/openenv/protocol';

/** An environment of the benchmark. */
export type OpenedEnvironment = Parameters<typeof rollout>[0] & {
  readonly name: string;
  readonly actions: readonly string[];
  readonly stateVariables?: ReadonlyArray<{ name: string; minimum: number; maximum: number }>;
  readonly schemas?: EnvironmentSchema | null;
  /** A human's return, where that is known. */
  readonly human?: { mean: number; source: string };
  close(): Promise<void>;
};

/** Secret of the strategies' `Math.random`: the benchmark gives the same numbers each time. */
export const SECRET = 'the benches of Joylab play in the open';
/** Seconds of a strategy for an episode, so many that only its steps are limited. */
const SECONDS = 600;

/** Plays programs, each from its start. Throws when the environment fails. */
export async function play(
  env: OpenedEnvironment,
  codes: readonly string[],
  starts: readonly number[],
  maxSteps: number,
): Promise<Episode[]> {
  const { episodes } = await rollout(env, [...codes], {
    seeds: [...starts],
    maxSteps,
    strategyTimeLimit: SECONDS,
    secret: SECRET,
  });
  return episodes.map((episode) => {
    if (!episode || episode.end.reason === 'environment_error')
      throw new Error(`${env.name} could not play an episode: ${episode?.end.message}`);
    return episode;
  });
}
