import { rollout, type Episode } from '../../../kernel';
import type { EnvironmentSchema } from '../../../kernel/openenv/protocol';

/** An environment as the bench opens it. */
export type OpenedEnvironment = Parameters<typeof rollout>[0] & {
  readonly name: string;
  readonly actions: readonly string[];
  readonly stateVariables?: ReadonlyArray<{ name: string; minimum: number; maximum: number }>;
  readonly schemas?: EnvironmentSchema | null;
  /** What a human gets in it, where that is known. */
  readonly human?: { mean: number; source: string };
  close(): Promise<void>;
};

/** What strategies draw by `Math.random` follows from it: a bench gives the same numbers each time. */
export const SECRET = 'the benches of Joylab play in the open';
/** No strategy is to lose by its own time: its steps are limited. */
const SECONDS = 600;

/** Plays programs, each from its start. What an environment could not play is an error. */
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
