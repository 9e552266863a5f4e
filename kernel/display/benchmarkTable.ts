import type { BenchmarkData, BenchmarkGroup, BenchmarkRow, IntervalData } from './benchmarkMime';
import { formatPercent, type Column } from './table';

/** A table as text. */
export interface BenchmarkTable {
  columns: Column[];
  rows: string[][];
}

/** Returns the table of a group; columns that would be empty are left out. */
export function groupTable({ rows, human }: BenchmarkGroup): BenchmarkTable {
  const n = Math.max(0, ...rows.map(({ attempts = 0 }) => attempts));
  const all: Array<[Column, (row: BenchmarkRow) => string]> = [
    [{ title: 'policy', align: 'left' }, ({ policy }) => policy],
    [{ title: 'mean return (95 %)' }, ({ score }) => withInterval(score)],
    [{ title: `best of ${n} (95 %)` }, ({ best }) => (best ? withInterval(best) : '')],
    [{ title: 'human-normalised' }, ({ normalized }) => (normalized === undefined ? '' : percent(normalized))],
    [{ title: 'that play' }, ({ attempts, playing }) => (attempts === undefined ? '' : `${playing} of ${attempts}`)],
    [{ title: 'tokens' }, ({ tokens }) => (tokens === undefined ? '' : tokens.toLocaleString('en-US'))],
    [{ title: 'seconds' }, ({ seconds }) => (seconds === undefined ? '' : seconds.toFixed(seconds < 10 ? 1 : 0))],
  ];
  const used = all.filter(([, cell]) => rows.some((row) => cell(row) !== ''));
  const body = rows.map((row) => used.map(([, cell]) => cell(row)));
  if (human) {
    const cells: Record<string, string> = {
      policy: 'human',
      'mean return (95 %)': formatScore(human.mean),
      'human-normalised': percent(1),
    };
    body.push(used.map(([{ title }]) => cells[title] ?? ''));
  }
  return { columns: used.map(([column]) => column), rows: body };
}

/** Returns the table of means over environments. */
export function summaryTable(summary: NonNullable<BenchmarkData['summary']>): BenchmarkTable {
  return {
    columns: [
      { title: 'over all environments', align: 'left' },
      { title: 'human-normalised' },
      { title: 'environments' },
    ],
    rows: summary.map(({ policy, normalized, environments }) => [policy, percent(normalized), String(environments)]),
  };
}

/** Returns the notes on rows and what the scale is, as sentences. */
export function footnotes({ rows, human }: BenchmarkGroup): string[] {
  return [
    ...rows.flatMap(({ policy, note }) => (note ? [`${policy}: ${note}`] : [])),
    ...(human ? [`human: ${human.source}, in whole games.`] : []),
  ];
}

function percent(share: number): string {
  return formatPercent(share).replace('-', '−');
}

/** Returns a mean with its 95 % interval: "12.3 (10.1 … 14.5)". */
function withInterval({ mean, low, high }: IntervalData): string {
  if (low === null || high === null) return formatScore(mean);
  const size = Math.max(Math.abs(low), Math.abs(high));
  return `${formatScore(mean, size)} (${formatScore(low, size)} … ${formatScore(high, size)})`;
}

/**
 * Returns a score with as many digits as tell something: 12.3, −20.4, 1669.
 *
 * @param size of the largest number beside it, which has as many
 */
export function formatScore(value: number, size = Math.abs(value)): string {
  const digits = size >= 100 ? 0 : size >= 1 || size === 0 ? 1 : 2;
  const text = value.toFixed(digits).replace('-', '−');
  return /^−0\.?0*$/.test(text) ? text.slice(1) : text;
}

/** Returns the words for comparisons that are folded away. */
export function moreComparisons(count: number): string {
  return `${count} more comparison${count === 1 ? '' : 's'}`;
}
