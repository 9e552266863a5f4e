import type { MimeBundle } from '../../display/cellContext';
import {
  COMPARISON_MIME,
  type ComparedFailure,
  type ComparedRollout,
  type ComparisonData,
} from '../../display/rewardsMime';
import { escapeHtml, formatNumber, htmlTable, textTable, type Column } from '../../display/table';

/** A part of the comparison: a title, a table, and what follows it. */
interface Part {
  title: string;
  columns: Column[];
  rows: string[][];
  /** Names and texts of code. */
  code?: Array<[string, string]>;
}

/**
 * Returns a comparison of rewards for the extension, and, for viewers without it, as HTML
 * and text: what changed, failures, and the largest gains and losses.
 */
export function comparisonBundle(data: ComparisonData): MimeBundle {
  const head = headline(data);
  if (data.functions.length === 0 && data.failures.length === 0)
    return { 'text/plain': head, 'text/html': `<p>${escapeHtml(head)}</p>` };
  const parts = partsOf(data);
  return {
    [COMPARISON_MIME]: data,
    'text/html': [`<p><b>${escapeHtml(head)}</b></p>`, ...parts.map(htmlOf)].join('\n'),
    'text/plain': [head, ...parts.map(textOf)].join('\n\n'),
  };
}

/** Returns what was compared, and which functions changed, in a line. */
export function headline({ count, functions, unchanged, failures }: ComparisonData): string {
  const rollouts = `the last ${count} rollouts, scored again`;
  const names = new Set(functions.map(({ name }) => name));
  const failed = [...new Set(failures.map(({ name }) => name))].filter((name) => !names.has(name));
  if (names.size === 0 && failed.length === 0) return `${unchanged.join(', ')}: ${rollouts}, as before.`;
  const changed = functions.map(({ name, isNew, weight, weightBefore }) =>
    [name, isNew ? ' (new)' : '', weightBefore === undefined ? '' : ` (weight ${weightBefore} → ${weight})`].join(''),
  );
  const said = [
    [changed, 'changed'],
    [failed, 'failed'],
    [unchanged, 'as before'],
  ].flatMap(([some, what]) => (some.length > 0 ? [`${(some as string[]).join(', ')} ${String(what)}`] : []));
  return `${said.join('; ')}: ${rollouts} without playing`;
}

function partsOf(data: ComparisonData): Part[] {
  const { failures, functions, sum, groups, groupsWithoutSpread, moved, count, rollouts, gains, losses } = data;
  const parts: Part[] = [];
  if (failures.length > 0)
    parts.push({
      title: failureTitle(data),
      columns: failureColumns,
      rows: failures.map(({ name, samples, text }) => [name, numbers(samples), text]),
      code: failures.flatMap(({ name, code }): Array<[string, string]> => (code ? [[name, code]] : [])),
    });
  if (functions.length === 0) return parts;
  const summary = functions.flatMap(({ name, before, after, histogram }) => [
    [`${name}, mean ± std`, `${spread(before)}`, `${spread(after)}`],
    [
      `${name} from ${formatNumber(histogram.low)} to ${formatNumber(histogram.high)}`,
      bars(histogram.before),
      bars(histogram.after),
    ],
  ]);
  summary.push(
    ['sum of all rewards, mean', formatNumber(sum.before), formatNumber(sum.after)],
    [
      'groups with zero spread',
      `${groupsWithoutSpread.before} of ${groups}`,
      `${groupsWithoutSpread.after} of ${groups}`,
    ],
    ['other rank in the group', '', `${moved} of ${count}`],
  );
  parts.push({ title: '', columns: summaryColumns, rows: summary });
  for (const [title, some] of [
    ['Largest gains', gains],
    ['Largest losses', losses],
  ] as const) {
    if (some.length === 0) continue;
    const shown = some.map((i) => rollouts[i]);
    parts.push({
      title,
      columns: rolloutColumns,
      rows: shown.map(rolloutRow),
      code: shown.map(({ index, code }): [string, string] => [`program of rollout ${index}`, code ?? '']),
    });
  }
  return parts;
}

/** Returns how many rollouts failed, and what follows for the run. */
export function failureTitle({ failures, count, functions }: ComparisonData): string {
  const failed = new Set(failures.flatMap(({ samples }) => samples)).size;
  const some = functions.length > 0 ? `${failed} of the last ${count} rollouts` : 'The last rollouts';
  return `⚠ ${some} could not be scored again.${functions.length > 0 ? ' What a function fails on is left out of the group, and not learned from.' : ''}`;
}

const failureColumns: Column[] = [
  { title: 'function', align: 'left' },
  { title: 'rollouts', align: 'left' },
  { title: 'failure', align: 'left' },
];

const summaryColumns: Column[] = [{ title: '', align: 'left' }, { title: 'before' }, { title: 'after' }];

const rolloutColumns: Column[] = [
  { title: '#' },
  { title: 'step' },
  { title: 'reward' },
  { title: 'rank' },
  { title: 'advantage' },
  { title: 'program', align: 'left' },
];

function rolloutRow({ index, step, sum, rank, advantage, text }: ComparedRollout): string[] {
  return [
    String(index),
    String(step),
    ...[sum, rank, advantage].map(([before, after]) => `${formatNumber(before)} → ${formatNumber(after)}`),
    text,
  ];
}

function spread({ mean, std }: { mean: number | null; std: number | null }): string {
  return `${formatNumber(mean)} ± ${formatNumber(std)}`;
}

/** Returns a histogram as a line of bars. */
function bars(counts: readonly number[]): string {
  const most = Math.max(...counts, 1);
  return counts.map((count) => (count === 0 ? '·' : '▁▂▃▄▅▆▇█'[Math.ceil((count / most) * 8) - 1])).join('') || '–';
}

/** Returns the numbers of samples, a few at most. */
export function numbers(samples: ComparedFailure['samples']): string {
  const more = samples.length > 8 ? ` and ${samples.length - 8} more` : '';
  return samples.slice(0, 8).join(', ') + more;
}

function htmlOf({ title, columns, rows, code = [] }: Part): string {
  const head = title ? `<p>${escapeHtml(title)}</p>\n` : '';
  const details = code.map(
    ([name, text]) =>
      `<details><summary>${escapeHtml(name)}</summary><pre style="white-space:pre-wrap">${escapeHtml(text)}</pre></details>`,
  );
  return `${head}${htmlTable(columns, rows)}\n${details.join('\n')}`;
}

function textOf({ title, columns, rows, code = [] }: Part): string {
  const table = textTable(columns, rows);
  const errors = columns === failureColumns ? code.map(([, text]) => `\n\n${text}`).join('') : '';
  return `${title ? `${title}\n` : ''}${table}${errors}`;
}
