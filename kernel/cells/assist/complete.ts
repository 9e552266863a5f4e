import type * as ts from 'typescript';
import type { Completion } from '../../jupyter/interpreter';
import type { NotebookProgram } from '../compile/program/notebook';

/** Matches that are returned, at most: front ends draw them all. */
const MAXIMUM = 500;

/**
 * Returns the completions at a position of a cell; `null`: there are none.
 *
 * @param preamble text that belongs before the cell: imports that it leaves out
 */
export function complete(notebook: NotebookProgram, code: string, position: number, preamble = ''): Completion | null {
  notebook.edit(preamble + code);
  const info = notebook.completions(preamble.length + position, wordBefore(code, position));
  if (!info) return null;
  const span = replacedSpan(info, code, position, preamble.length);
  const typed = code.slice(span.start, position);
  const own = notebook.names();
  // An entry that replaces another span, as `["a-b"]` does the dot, does not fit: a reply has one span for all.
  const fitting = info.entries.filter(
    (it) =>
      it.kind !== 'warning' &&
      (it.replacementSpan?.start ?? span.start) - (it.replacementSpan ? preamble.length : 0) === span.start,
  );
  const entries = matching(fitting, typed)
    .sort((a, b) => compare(sortKey(a, typed, own), sortKey(b, typed, own)))
    .slice(0, MAXIMUM);
  if (entries.length === 0) return null;
  return {
    ...span,
    matches: entries.map(({ insertText, name }) => insertText ?? name),
    types: entries.map(({ kind }) => KINDS[kind] ?? kind),
  };
}

/** Returns the span that a completion replaces: the word around the cursor, or TypeScript's span in strings and paths. */
function replacedSpan(
  info: ts.CompletionInfo,
  code: string,
  position: number,
  shift: number,
): { start: number; end: number } {
  const spans = info.entries.map(({ replacementSpan }) => replacementSpan);
  const own = info.optionalReplacementSpan ?? (spans.every((it) => it !== undefined) ? spans[0] : undefined);
  if (own && own.start - shift <= position) return { start: own.start - shift, end: own.start - shift + own.length };
  const before = wordBefore(code, position).length;
  const after = /^[\p{ID_Continue}$]*/u.exec(code.slice(position))![0].length;
  return { start: position - before, end: position + after };
}

function wordBefore(code: string, position: number): string {
  return /[\p{ID_Continue}$]*$/u.exec(code.slice(0, position))![0];
}

/** Returns the entries that begin with what was typed; if there are none, those that contain it. */
function matching(entries: ts.CompletionEntry[], typed: string): ts.CompletionEntry[] {
  const part = typed.toLowerCase();
  const beginning = entries.filter(({ name }) => name.toLowerCase().startsWith(part));
  return beginning.length > 0 ? beginning : entries.filter(({ name }) => name.toLowerCase().includes(part));
}

/** Returns a key that sorts names in the case that was typed first, then the notebook's own names, then as TypeScript does. */
function sortKey({ name, sortText }: ts.CompletionEntry, typed: string, own: ReadonlySet<string>): string {
  return `${name.startsWith(typed) ? 0 : 1}${own.has(name) ? 0 : 1}${sortText}${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** JupyterLab's names, which have icons, for TypeScript's kinds. */
const KINDS: Record<string, string> = {
  var: 'variable',
  let: 'variable',
  const: 'constant',
  'local var': 'variable',
  parameter: 'variable',
  alias: 'module',
  method: 'method',
  getter: 'property',
  setter: 'property',
  construct: 'method',
  call: 'method',
  'local function': 'function',
  'local class': 'class',
  type: 'interface',
  'type parameter': 'interface',
  'enum member': 'constant',
  'external module name': 'module',
  script: 'file',
  directory: 'folder',
  string: 'text',
};
