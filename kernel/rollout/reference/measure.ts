import { mean, std } from '../../common/statistics';
import type { ReferenceReturns } from '../../environments/reference';
import type { RolloutEnvironment } from '../../environments/environment';
import type { Episode } from '../../episodes/episode';
import { rollout } from '../rollout';
import { actionChoice } from './actions';
import { chanceCode, constantCode } from './codes';

/** Episodes of chance, and about as many of all constant actions together. Every constant action has at least two. */
const CHANCE = 16;
const CONSTANTS = 36;

/** The first of the seeds: training draws its own below 2³¹. */
const FIRST_SEED = 2 ** 31;

/** The secret of chance's random numbers, the same in every process. It need not be secret: these strategies are Joylab's own. */
const SECRET = 'what chance gets is the same in every process';

export interface MeasureOptions {
  maxSteps: number;
  signal: AbortSignal;
}

/**
 * Plays chance and every constant action and resolves to their returns; `null` where
 * no action can be drawn, or none of those drawn could be played.
 */
export async function measure(
  env: RolloutEnvironment,
  { maxSteps, signal }: MeasureOptions,
): Promise<ReferenceReturns | null> {
  const { actions, all } = actionChoice(env);
  if (actions.length === 0) return null;
  const constants = all ? actions : [];
  const starts = Math.min(CHANCE, Math.max(2, Math.floor(CONSTANTS / actions.length)));
  const codes = [
    ...repeat(chanceCode(actions), CHANCE),
    ...constants.flatMap(({ value }) => repeat(constantCode(value), starts)),
  ];
  const seeds = codes.map((_, i) => FIRST_SEED + (i < CHANCE ? i : (i - CHANCE) % starts));
  const { episodes } = await rollout(env, codes, {
    seeds,
    maxSteps,
    secret: SECRET,
    signal,
    title: 'Measuring what chance gets',
  });
  signal.throwIfAborted();
  const chance = returns(episodes.slice(0, CHANCE));
  if (chance.length === 0) return null;
  const means = constants.flatMap(({ name }, i) => {
    const own = returns(episodes.slice(CHANCE + i * starts, CHANCE + (i + 1) * starts));
    return own.length > 0 ? [{ action: name, mean: mean(own) }] : [];
  });
  return {
    maxSteps,
    // One episode says nothing of the spread.
    chance: { mean: mean(chance), std: std(chance) || 0 },
    constants: means.sort((a, b) => b.mean - a.mean),
    ...(env.human && { human: env.human }),
  };
}

/**
 * Returns the returns of the episodes that terminated or were truncated: those with an
 * action that the environment refused do not count.
 */
function returns(episodes: ReadonlyArray<Episode | null>): number[] {
  return episodes.flatMap((episode) =>
    episode && ['terminated', 'truncated'].includes(episode.end.reason) ? [episode.return] : [],
  );
}

function repeat<T>(value: T, count: number): T[] {
  return Array<T>(count).fill(value);
}
