import { mean, std } from '../../common/statistics';
import type { ReferenceReturns } from '../../environments/reference';
import type { RolloutEnvironment } from '../../environments/environment';
import type { Episode } from '../../episodes/episode';
import { rollout } from '../rollout';
import { actionChoice, type NamedAction } from './actions';

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

/** Returns the code of a strategy that chooses at random, among OpenEnv's `legal_actions` where the state has them. */
export function chanceCode(actions: readonly NamedAction[]): string {
  return `const actions = ${literal(actions.map(({ value }) => value))};
function strategy(state) {
  const given = Array.isArray(state.legal_actions) ? actions.filter((action) => state.legal_actions.includes(action)) : [];
  const legal = given.length > 0 ? given : actions;
  return legal[Math.floor(Math.random() * legal.length)];
}`;
}

/** Returns the code of a strategy that always takes the same action. */
export function constantCode(value: unknown): string {
  return `const action = ${literal(value)};
function strategy() {
  return action;
}`;
}

/** Returns a value as source code: as JSON that is parsed, so that a field may have any name. */
function literal(value: unknown): string {
  return `JSON.parse(${JSON.stringify(JSON.stringify(value))})`;
}

function repeat<T>(value: T, count: number): T[] {
  return Array<T>(count).fill(value);
}
