/*
 * What is learned, game by game: programs that a model edits while it is
 * trained, the same without training, random edits, the best of untrained
 * samples, and what needs no learning.
 *
 *   npm run bench -- games [--games breakout,pong] [--variants trained,random]
 *                          [--seeds 1,2] [--jobs N] [--list] [--settings JSON]
 *                          [--any-version] [--folder FOLDER]
 *
 * Sticky actions 0.25; at most 1,920 episodes of at most 1,000 steps, those for
 * choosing counted; the program is chosen on validation starts and reported on
 * others. Each run is a process on two cores, `--jobs` of them at a time. A
 * result is kept, in .bench/games or another folder, by a hash of the sources
 * it depends on: the bench goes on where it stopped. `--list` runs nothing, and
 * says what is missing. `--settings '{ "args": { "learningRate": 1e-4 },
 * "rank": null }'` compares others than the default settings of training.
 * `--any-version` takes results of other sources, where there are none of
 * these. All runs together take most of a day on two cores.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../kernel/common/packagePaths';
import { runAll } from './games/jobs';
import { plannedRuns } from './games/plan';
import { contentHash, Store, type Run } from './games/store';
import { gameTable, missingText } from './games/table';
import { TASKS, taskNamed } from './games/tasks';
import { VARIANTS, variantNamed } from './games/variants';
import { GameResults, verdicts } from './games/verdicts';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      games: { type: 'string' },
      variants: { type: 'string' },
      seeds: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      settings: { type: 'string' },
      list: { type: 'boolean', default: false },
      'any-version': { type: 'boolean', default: false },
      folder: { type: 'string', default: join(packageRoot, '.bench', 'games') },
    },
  });
  const list = (text: string | undefined): string[] | undefined => text?.split(',').filter(Boolean);
  const games = list(values.games);
  const variants = list(values.variants);
  games?.forEach(taskNamed);
  variants?.forEach(variantNamed);
  const seeds = list(values.seeds)?.map(Number);
  const jobs = Number(values.jobs);
  if (seeds?.some((seed) => !Number.isInteger(seed) || seed < 0))
    throw new RangeError(`--seeds takes whole numbers, as in 1,2,3, not ${values.seeds}.`);
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new RangeError(`--jobs takes a whole number of at least 1, not ${values.jobs}.`);

  const store = new Store(values.folder, versions(), values['any-version']);
  const runs = plannedRuns({ games, variants, seeds, settings: checked(values.settings) });
  const failed = values.list ? [] : await runAll(store.missing(runs), store, jobs, (line) => console.log(line));
  print(runs, store);
  return failed.length;
}

/** Returns settings as their shortest JSON. Throws a RangeError for an unknown one. */
function checked(settings: string | undefined): string | undefined {
  if (settings === undefined) return undefined;
  const parsed = JSON.parse(settings);
  const wrong = Object.keys(parsed).find((name) => !['args', 'rank'].includes(name));
  if (wrong !== undefined) throw new RangeError(`--settings takes { args, rank }, not ${wrong}.`);
  return JSON.stringify(parsed);
}

/** Returns a function that gives the hash of the sources of a run's variant, computed once. */
function versions(): (run: Run) => string {
  const known = new Map(
    Object.entries(VARIANTS).map(([name, { sources }]) => [name, contentHash(packageRoot, sources)]),
  );
  return ({ variant }) => known.get(variant)!;
}

function print(runs: readonly Run[], store: Store): void {
  const tasks = TASKS.filter(({ name }) => runs.some(({ game }) => game === name));
  for (const task of tasks) {
    const results = store.results(runs.filter(({ game }) => game === task.name));
    if (results.length > 0) console.log(`\n${gameTable(task, results)}`);
  }
  if (runs.some(({ variant }) => variant === 'trained'))
    printVerdicts(
      tasks.map((task) => new GameResults(task, store.results(runs.filter(({ game }) => game === task.name)))),
    );
  const old = store.results(runs).filter((result) => store.isOld(result)).length;
  if (old > 0) console.log(`\n${old} results are of other sources than those of now.`);
  const missing = store.missing(runs);
  console.log(
    missing.length > 0
      ? `\n${missing.length} of ${runs.length} runs are missing:\n${missingText(missing)}`
      : `\nAll ${runs.length} runs are there.`,
  );
}

function printVerdicts(games: readonly GameResults[]): void {
  console.log(
    `\n${verdicts(games)
      .map(({ text, met }) => `${met === undefined ? '–     ' : met ? 'met   ' : 'missed'}  ${text}`)
      .join('\n')}`,
  );
}

main().then(
  (failed) => process.exit(failed),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
