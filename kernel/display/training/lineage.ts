import { diffHtml, diffText, type DiffLine } from './diff';
import type { MimeBundle } from '../cellContext';
import { escapeHtml, formatNumber, htmlTable, scrollBox, textTable, type Column } from '../table';

/** A program of a lineage, as it is shown. */
export interface ShownAncestor {
  id: number;
  /** The step that made it, from 1; `null`: it was given. */
  step: number | null;
  /** Expected fitness; `null` when the program is no longer in the database. */
  worth: number | null;
  /** Fitness above the parent's, in its first episode; `null` for the first. */
  gain: number | null;
  edit: readonly DiffLine[];
}

/** Returns a program's lineage, the oldest ancestor first, each with the diff to its parent, as HTML and as text. */
export function lineageBundle(title: string, ancestors: readonly ShownAncestor[]): MimeBundle {
  const html = ancestors.map((one) => `<div>${escapeHtml(heading(one))}</div>${diffHtml(one.edit)}`).join('\n');
  return {
    'text/html': `<p><strong>${escapeHtml(title)}</strong></p>\n${scrollBox(title, 'max-height:36em', html)}`,
    'text/plain': [title, ...ancestors.map((one) => `${heading(one)}\n${diffText(one.edit)}`)].join('\n\n'),
  };
}

/** Returns a program of a lineage in a line. */
export function heading({ id, step, worth, gain }: ShownAncestor): string {
  const facts = [
    step === null ? 'given' : `step ${step}`,
    ...(gain === null ? [] : [`gain ${gain > 0 ? '+' : ''}${formatNumber(gain)} in its first episode`]),
    ...(worth === null ? [] : [`worth ${formatNumber(worth)}`]),
  ];
  return `Program ${id}: ${facts.join(', ')}`;
}

/** A program in a ranking. */
export interface ShownProgram {
  id: number;
  parent: number | null;
  step: number | null;
  worth: number;
  episodes: number;
  code: string;
}

/** Returns the best programs as a table, in HTML and as text. */
export function programsBundle(title: string, programs: readonly ShownProgram[]): MimeBundle {
  const columns: Column[] = [
    { title: 'program' },
    { title: 'parent' },
    { title: 'step' },
    { title: 'worth' },
    { title: 'episodes' },
    { title: 'code', align: 'left' },
  ];
  const rows = programs.map(({ id, parent, step, worth, episodes, code }) => [
    String(id),
    formatNumber(parent),
    step === null ? 'given' : String(step),
    formatNumber(worth),
    String(episodes),
    shortened(code),
  ]);
  return {
    'text/html': `<p>${escapeHtml(title)}</p>\n${scrollBox(title, 'max-height:24em', htmlTable(columns, rows))}`,
    'text/plain': `${title}\n\n${textTable(columns, rows)}`,
  };
}

function shortened(code: string): string {
  const line = code.replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
