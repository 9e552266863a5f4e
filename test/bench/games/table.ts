import { textTable, type Column } from '../../../kernel/display/table';
import { interval, intervalText, mean } from '../common/interval';
import type { Line, Run, RunResult } from './store';
import type { Task } from './tasks';

/** A row: all lines of one name, seed by seed. */
interface Row {
  name: string;
  lines: Line[];
  results: RunResult[];
}

/** Returns the table of one game: the returns of each variant on the held-out starts. */
export function gameTable({ name, reportedSteps, starts, targets }: Task, results: readonly RunResult[]): string {
  const rows = rowsOf(results);
  const tiles = rows.some(({ lines }) => lines.some(({ more }) => more?.['highest tile']));
  const columns: Column[] = [
    { title: name, align: 'left' },
    ...reportedSteps.flatMap((steps) => [{ title: `${steps} steps` }, { title: 'seeds' }]),
    ...(tiles ? [{ title: 'highest tile' }] : []),
    { title: 'episodes' },
    { title: 'seconds' },
  ];
  const body = rows.map(({ name: row, lines, results: from }) => [
    row,
    ...reportedSteps.flatMap((steps) =>
      scores(lines.map(({ returns }) => returns[steps] ?? []).filter(({ length }) => length > 0)),
    ),
    ...(tiles ? [highest(lines)] : []),
    numbers(from.map(({ episodes }) => episodes)),
    numbers(from.map(({ seconds, cores }) => (seconds * cores) / 2)),
  ]);
  const aims = targets
    ? [
        [
          'target',
          ...reportedSteps.flatMap((steps) => [targets[steps] === undefined ? '' : `${targets[steps]}`, '']),
          ...(tiles ? [''] : []),
          '',
          '',
        ],
      ]
    : [];
  const others = results
    .flatMap(({ published = [] }) => published)
    .map(({ who, score, settings }) => `\npublished: ${score} (${who}; ${settings})`);
  return `${textTable(columns, [...body, ...aims])}\n${starts} starts, 95 % intervals; of several seeds the mean of their means, with the interval of all their episodes; seconds of 2 cores${others.join('')}`;
}

function rowsOf(results: readonly RunResult[]): Row[] {
  const rows = new Map<string, Row>();
  for (const result of results) {
    for (const line of result.lines) {
      const row = rows.get(line.name) ?? { name: line.name, lines: [], results: [] };
      row.lines.push(line);
      row.results.push(result);
      rows.set(line.name, row);
    }
  }
  return [...rows.values()];
}

/** Returns the mean with its interval, and the means of the seeds where there are several. */
function scores(seeds: readonly number[][]): [string, string] {
  if (seeds.length === 0) return ['–', ''];
  return [
    intervalText(interval(seeds.flat())),
    seeds.length > 1 ? seeds.map((values) => intervalText({ mean: mean(values), half: NaN })).join(' ') : '',
  ];
}

function highest(lines: readonly Line[]): string {
  const tiles = lines.flatMap(({ more }) => more?.['highest tile'] ?? []);
  return tiles.length > 0 ? `${mean(tiles).toFixed(0)}, at most ${Math.max(...tiles)}` : '';
}

function numbers(values: readonly number[]): string {
  return Math.max(...values) === 0 ? '' : mean(values).toFixed(0);
}

/** Returns the missing runs, one line per game and variant. */
export function missingText(runs: readonly Run[]): string {
  const groups = new Map<string, number[]>();
  for (const { game, variant, seed } of runs) {
    const key = `${game} ${variant}`;
    groups.set(key, [...(groups.get(key) ?? []), seed]);
  }
  return [...groups].map(([key, seeds]) => `  ${key}, seed ${seeds.join(', ')}`).join('\n');
}
