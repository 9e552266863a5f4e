import type { MimeBundle } from '../cellContext';
import { escapeHtml, formatNumber, scrollBox, textTable, type Column } from '../table';

/** A completion with its scores: a row of TRL's completions table. */
export interface CompletionRow {
  prompt: string;
  completion: string;
  /** By the functions' names; `null` when one does not apply. */
  rewards: Record<string, number | null>;
  advantage: number;
  /** Metrics that reward functions added, by column. */
  extra: Record<string, unknown>;
}

/** Returns the completions of a step: as a table of HTML that scrolls, and as text. */
export function completionsBundle(step: number, rows: readonly CompletionRow[]): MimeBundle {
  const { rewards = {}, extra = {} } = rows[0] ?? {};
  const numbers = [...Object.keys(rewards), 'advantage'];
  const columns: Column[] = [
    { title: 'prompt', align: 'left' },
    { title: 'completion', align: 'left' },
    ...numbers.map((title) => ({ title })),
    ...Object.keys(extra).map((title): Column => ({ title, align: 'left' })),
  ];
  const scores = (row: CompletionRow) =>
    [...Object.values(row.rewards), row.advantage].map((value) => formatNumber(value));
  const extras = (row: CompletionRow) => Object.keys(extra).map((column) => words(row.extra[column]));
  const title = `Completions of step ${step}`;
  return {
    'text/html':
      `<p>${title}</p>\n` +
      html(
        title,
        columns,
        rows.map((row) => ({ texts: [row.prompt, row.completion], rest: [...scores(row), ...extras(row)] })),
      ),
    'text/plain':
      `${title}\n\n` +
      textTable(
        columns,
        rows.map((row) => [oneLine(row.prompt, 40), oneLine(row.completion, 80), ...scores(row), ...extras(row)]),
      ),
  };
}

/** Lines and characters of a text that does not need to scroll, at most. */
const SHORT = { lines: 8, characters: 400 };

/** Returns the table as HTML. Prompts and completions keep their line breaks, and long ones scroll within their row. */
function html(title: string, columns: Column[], rows: Array<{ texts: string[]; rest: string[] }>): string {
  const cell = (tag: string, content: string, c: number) =>
    `<${tag} style="text-align:${columns[c].align ?? 'right'};vertical-align:top;padding:0.2em 0.6em"${tag === 'th' ? ' scope="col"' : ''}>${content}</${tag}>`;
  const text = (value: string, c: number) => {
    const pre = `<pre style="margin:0;max-width:60ch;white-space:pre-wrap">${escapeHtml(value)}</pre>`;
    const isShort = value.length <= SHORT.characters && value.split('\n').length <= SHORT.lines;
    return isShort ? pre : scrollBox(columns[c].title, 'max-height:12em;max-width:60ch', pre);
  };
  const head = columns.map(({ title }, c) => cell('th', escapeHtml(title), c)).join('');
  const body = rows.map(
    ({ texts, rest }) =>
      `<tr>${[...texts.map(text), ...rest.map(escapeHtml)].map((content, c) => cell('td', content, c)).join('')}</tr>`,
  );
  const table = `<table style="border-collapse:collapse"><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`;
  return scrollBox(title, 'max-height:36em', table);
}

function oneLine(value: string, length: number): string {
  const line = value.replace(/\s+/g, ' ').trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

function words(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value);
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '–');
}
