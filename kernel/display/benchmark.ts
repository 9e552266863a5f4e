import type { MimeBundle } from './cellContext';
import {
  BENCHMARK_MIME,
  type BenchmarkData,
  type BenchmarkGroup,
  type BenchmarkRow,
  type IntervalData,
} from './benchmarkMime';
import { intervalsImage } from './intervals';
import { escapeHtml, formatPercent, htmlTable, textTable, type Column } from './table';

/** Returns a benchmark for the extension, and, for viewers without it, as HTML and text. */
export function benchmarkBundle(data: BenchmarkData): MimeBundle {
  return { [BENCHMARK_MIME]: data, 'text/html': htmlOf(data), 'text/plain': textOf(data) };
}

/** Returns the tables as Markdown. */
export function benchmarkMarkdown({ groups, summary }: BenchmarkData): string {
  const parts = groups.map((group) => {
    const { columns, rows } = groupTable(group);
    return `**${group.environment}**: ${group.caption}\n\n${markdownTable(columns, rows)}`;
  });
  const over = summary && summaryTable(summary);
  return [...parts, ...(over ? [markdownTable(over.columns, over.rows)] : [])].join('\n\n');
}

/** Returns a score with as many digits as tell something: 12.3, −20.4, 1669. */
export function formatScore(value: number): string {
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 || value === 0 ? 1 : 2;
  const text = value.toFixed(digits).replace('-', '−');
  return /^−0\.?0*$/.test(text) ? text.slice(1) : text;
}

interface Table {
  columns: Column[];
  rows: string[][];
}

/** Returns the table of a group; columns that would be empty are left out. */
export function groupTable({ rows, human }: BenchmarkGroup): Table {
  const n = Math.max(0, ...rows.map(({ attempts = 0 }) => attempts));
  const all: Array<[Column, (row: BenchmarkRow) => string]> = [
    [{ title: 'policy', align: 'left' }, ({ policy }) => policy],
    [{ title: 'mean return' }, ({ score }) => formatScore(score.mean)],
    [{ title: '95 % interval' }, ({ score }) => intervalText(score)],
    [{ title: `best of ${n}` }, ({ best }) => (best ? formatScore(best.mean) : '')],
    [{ title: 'its 95 % interval' }, ({ best }) => (best ? intervalText(best) : '')],
    [{ title: 'human-normalised' }, ({ normalized }) => (normalized === undefined ? '' : percent(normalized))],
    [{ title: 'that play' }, ({ attempts, playing }) => (attempts === undefined ? '' : `${playing} of ${attempts}`)],
    [{ title: 'tokens' }, ({ tokens }) => (tokens === undefined ? '' : tokens.toLocaleString('en-US'))],
    [{ title: 'seconds' }, ({ seconds }) => (seconds === undefined ? '' : seconds.toFixed(seconds < 10 ? 1 : 0))],
  ];
  const used = all.filter(([, cell]) => rows.some((row) => cell(row) !== ''));
  const body = rows.map((row) => used.map(([, cell]) => cell(row)));
  if (human)
    body.push(
      used.map(([{ title }]) =>
        title === 'policy'
          ? 'human'
          : title === 'mean return'
            ? formatScore(human.mean)
            : title === 'human-normalised'
              ? percent(1)
              : '',
      ),
    );
  return { columns: used.map(([column]) => column), rows: body };
}

export function summaryTable(summary: NonNullable<BenchmarkData['summary']>): Table {
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

function intervalText({ low, high }: IntervalData): string {
  return low === null || high === null ? '–' : `${formatScore(low)} … ${formatScore(high)}`;
}

function htmlOf({ groups, summary, notes }: BenchmarkData): string {
  const paragraph = (text: string) => `<p style="margin:0.2em 0">${escapeHtml(text)}</p>`;
  const parts = groups.map((group) => {
    const { columns, rows } = groupTable(group);
    const { otherStatements: others } = group;
    const more =
      others.length > 0
        ? `<details><summary>${others.length} more comparisons</summary>${others.map(paragraph).join('')}</details>`
        : '';
    return [
      `<p><b>${escapeHtml(group.environment)}</b>: ${escapeHtml(group.caption)}</p>`,
      htmlTable(columns, rows),
      intervalsImage(group),
      ...group.statements.map(paragraph),
      more,
      ...footnotes(group).map(paragraph),
    ].join('\n');
  });
  const over = summary ? [htmlTable(summaryTable(summary).columns, summaryTable(summary).rows)] : [];
  return [...parts, ...over, ...notes.map(paragraph)].join('\n');
}

function textOf({ groups, summary, notes }: BenchmarkData): string {
  const parts = groups.map((group) => {
    const { columns, rows } = groupTable(group);
    const lines = [...group.statements, ...group.otherStatements, ...footnotes(group)];
    return [`${group.environment}: ${group.caption}`, textTable(columns, rows), ...lines].join('\n');
  });
  const over = summary ? [textTable(summaryTable(summary).columns, summaryTable(summary).rows)] : [];
  return [...parts, ...over, ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n');
}

function markdownTable(columns: Column[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = columns.map(({ align }) => (align === 'left' ? '---' : '---:'));
  return [line(columns.map(({ title }) => title)), line(rule), ...rows.map(line)].join('\n');
}
