import { play, type OpenedEnvironment } from './playing';
import { validationStarts } from './starts';

/** Fraction of the programs that each round keeps. */
const KEPT = 1 / 4;
/** Programs of the first round by default, and its starts. */
const CANDIDATES = 16;
const FIRST_STARTS = 4;

/**
 * Chooses a program on validation starts by successive halving: all of the
 * first ones play a few starts, the best quarter the rest.
 *
 * @param codes best first
 */
export async function chosen(
  env: OpenedEnvironment,
  codes: readonly string[],
  {
    seed,
    episodes,
    maxSteps,
    candidates = CANDIDATES,
  }: { seed: number; episodes: number; maxSteps: number; candidates?: number },
): Promise<{ code: string; mean: number; episodes: number }> {
  const first = codes.slice(0, Math.min(candidates, Math.floor(episodes / FIRST_STARTS / 2)));
  const finalists = Math.max(1, Math.round(first.length * KEPT));
  const further = Math.floor((episodes - first.length * FIRST_STARTS) / finalists);
  const starts = validationStarts(seed, FIRST_STARTS + further);
  const totals = await totalsOf(env, first, starts.slice(0, FIRST_STARTS), maxSteps);
  const order = first
    .map((_, i) => i)
    .sort((a, b) => totals[b] - totals[a])
    .slice(0, finalists);
  const more = await totalsOf(
    env,
    order.map((i) => first[i]),
    starts.slice(FIRST_STARTS),
    maxSteps,
  );
  const means = order.map((i, f) => (totals[i] + more[f]) / starts.length);
  const best = means.indexOf(Math.max(...means));
  return {
    code: first[order[best]],
    mean: means[best],
    episodes: first.length * FIRST_STARTS + order.length * further,
  };
}

/** Resolves to the sum of returns of each program. */
async function totalsOf(
  env: OpenedEnvironment,
  codes: readonly string[],
  starts: readonly number[],
  maxSteps: number,
): Promise<number[]> {
  const episodes = await play(
    env,
    codes.flatMap((code) => starts.map(() => code)),
    codes.flatMap(() => starts),
    maxSteps,
  );
  return codes.map((_, c) =>
    episodes.slice(c * starts.length, (c + 1) * starts.length).reduce((sum, episode) => sum + episode.return, 0),
  );
}
