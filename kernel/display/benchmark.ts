import type { MimeBundle } from './cellContext';
import { BENCHMARK_MIME, type BenchmarkData } from './benchmarkMime';
import { footnotes, groupTable, moreComparisons, summaryTable } from './benchmarkTable';
import { intervalsImage } from './intervals';
import { escapeHtml, htmlTable, textTable, type Column } from './table';

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

function htmlOf({ groups, summary, notes }: BenchmarkData): string {
  const paragraph = (text: string) => `<p style="margin:0.2em 0">${escapeHtml(text)}</p>`;
  const parts = groups.map((group) => {
    const { columns, rows } = groupTable(group);
    const { otherStatements: others } = group;
    const more =
      others.length > 0
        ? `<details><summary>${moreComparisons(others.length)}</summary>${others.map(paragraph).join('')}</details>`
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
