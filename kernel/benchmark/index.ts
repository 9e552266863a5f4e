import { LeaderboardFile } from './leaderboardFile';
import { BenchmarkResult } from './result';
import { BenchmarkRun } from './run';
import type { BenchmarkOptions } from './settings';

export type { PolicyComparison } from './comparison';
export type { Attempt, BenchmarkEntry } from './entry';
export { BenchmarkResult, type CompareOptions } from './result';
export type { BenchmarkOptions, BenchmarkPolicy } from './settings';

/**
 * Compares policies from the same starts, and shows tables, charts and comparisons as
 * they come.
 *
 * ```ts
 * await benchmark({
 *   policies: { random: 'random', untrained, trained: model, byHand: (state) => (state.ball_x > state.paddle_x ? 'RIGHT' : 'LEFT') },
 *   environments: [env],
 * });
 * ```
 *
 * #### Notes
 * - A model writes `attempts` strategies for each environment. Its score is their mean
 *   over all starts; the best of them is chosen on other starts than those reported.
 * - What does not play counts as little as `episodeReturn` gives for it.
 * - Intervals are of a bootstrap over starts, and over attempts where there are several.
 * - Results are added to the leaderboard's file as they come. Interrupted, or after a
 *   failure of a model behind an address, the same call goes on where it stopped.
 *
 * @throws TypeError where an option is wrong; Error where the file is no leaderboard; the
 *   signal's reason when aborted
 */
export async function benchmark(options: BenchmarkOptions): Promise<BenchmarkResult> {
  return new BenchmarkRun(options).run();
}

/**
 * Returns all results of a leaderboard's file, which benchmarks have added to it.
 *
 * @throws Error where there is no such file, or it is no leaderboard
 */
export function leaderboard(file = 'leaderboard.json'): BenchmarkResult {
  const board = new LeaderboardFile(file);
  const entries = board.read();
  if (entries.length === 0) throw new Error(`${board.path} has no results yet: benchmark({ file, … }) adds some.`);
  return new BenchmarkResult(entries);
}
