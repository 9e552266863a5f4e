import { chunks, mean } from '../../common/statistics';
import { validationSeed } from '../rollouts/seeds';
import { playPrograms, scorePrograms, type ProgramContext } from './edits';
import type { ProgramSearch } from './search';

/** A program that may win. */
export interface Candidate {
  id: number;
  /** Its expected fitness after training. */
  worth: number;
}

/** The program that a validation has chosen. */
export interface Winner {
  id: number;
  /** Mean fitness of its validation episodes. */
  fitness: number;
  /** Number of its validation episodes. */
  starts: number;
}

/** Candidates of the first round, at most. */
const MOST_CANDIDATES = 16;
/** Episodes that the worth counts as: few, since candidates were chosen for a high one. */
const WORTH_COUNTS = 3;

/**
 * Chooses the best program on environment seeds of its own, by successive
 * halving: in each round all that are left play from the same starts, and the
 * better half goes on.
 *
 * @param candidates best first
 * @param episodes number of episodes to play, at most
 * @param play returns the fitness of programs (by ID) from the starts of these numbers, a list per program; `null` when an episode does not count
 * @returns the winner and the number of episodes played; no winner when the episodes do not suffice for two candidates
 */
export async function validate(
  candidates: readonly Candidate[],
  episodes: number,
  play: (ids: number[], starts: number[]) => Promise<Array<Array<number | null>>>,
): Promise<{ winner: Winner | null; episodes: number }> {
  const rounds = roundsFor(Math.min(candidates.length, MOST_CANDIDATES), episodes);
  let left = candidates.slice(0, rounds[0]?.size ?? 0).map((candidate) => ({ ...candidate, fitness: [] as number[] }));
  let from = 0;
  let played = 0;
  for (const { size, starts: count } of rounds) {
    left = left.slice(0, size);
    const starts = Array.from({ length: count }, (_, i) => from + i);
    from += count;
    played += size * count;
    const results = await play(
      left.map(({ id }) => id),
      starts,
    );
    left.forEach((candidate, i) => candidate.fitness.push(...results[i].filter((value) => value !== null)));
    const value = ({ worth, fitness }: (typeof left)[number]) =>
      (WORTH_COUNTS * worth + fitness.reduce((sum, one) => sum + one, 0)) / (WORTH_COUNTS + fitness.length);
    left = left
      .map((candidate) => ({ candidate, value: value(candidate) }))
      .sort((a, b) => b.value - a.value)
      .map(({ candidate }) => candidate);
  }
  const [best] = left;
  const winner =
    best && best.fitness.length > 0 ? { id: best.id, fitness: mean(best.fitness), starts: best.fitness.length } : null;
  return { winner, episodes: played };
}

/** Returns for each round the number of candidates, and of starts that each of them plays; the last round gets the remainder. */
export function roundsFor(candidates: number, episodes: number): Array<{ size: number; starts: number }> {
  const sizes: number[] = [];
  for (let size = candidates; size > 1; size = Math.ceil(size / 2)) sizes.push(size);
  if (sizes.length === 0) return candidates === 1 && episodes > 0 ? [{ size: 1, starts: Math.min(episodes, 10) }] : [];
  const share = Math.floor(episodes / sizes.length);
  // Too few episodes for all candidates: fewer of them.
  if (share < sizes[0])
    return candidates > 2
      ? roundsFor(candidates - 1, episodes)
      : episodes >= 2
        ? [{ size: 2, starts: Math.floor(episodes / 2) }]
        : [];
  const rounds = sizes.map((size) => ({ size, starts: Math.floor(share / size) }));
  const left = episodes - rounds.reduce((sum, { size, starts }) => sum + size * starts, 0);
  rounds.at(-1)!.starts += Math.floor(left / rounds.at(-1)!.size);
  return rounds;
}

/**
 * Chooses the best program of a search by {@link validate}.
 *
 * @returns the search with its winner
 * @throws the signal's reason when aborted
 */
export async function chooseProgram(search: ProgramSearch, context: ProgramContext): Promise<ProgramSearch> {
  const { database, settings } = search;
  const candidates = database.best().map((program) => ({ id: program.id, worth: database.worth(program) }));
  const { winner, episodes } = await validate(candidates, settings.validationEpisodes, async (ids, starts) => {
    const programs = ids.flatMap((id) =>
      starts.map((start) => ({
        program: database.get(id)!,
        environmentSeed: validationSeed(context.secret, settings.seed, start),
      })),
    );
    const scored = await scorePrograms(await playPrograms(programs, context), context);
    return chunks(
      scored.map(({ fitness }) => fitness),
      starts.length,
    );
  });
  return search.withWinner(winner, episodes);
}
