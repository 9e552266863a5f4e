import type * as ts from 'typescript';
import type { Completion } from '../../jupyter/interpreter';
import type { NotebookProgram } from '../compile/notebook';

/** Candidates that are offered at most: front ends draw them all. */
const MAXIMUM = 500;

/** What can stand at a position of a cell; `null`: nothing. */
export function complete(notebook: NotebookProgram, code: string, position: number): Completion | null {
  notebook.open(code);
  const info = notebook.service.getCompletionsAtPosition(notebook.draft, position, {
    includeCompletionsWithInsertText: true,
    includeCompletionsForImportStatements: false,
  });
  if (!info) return null;
  const span = replacedSpan(info, code, position);
  const typed = code.slice(span.start, position);
  const entries = info.entries.filter((entry) => entry.kind !== 'warning' && rank(entry, typed) < NO_MATCH).sort((a, b) => order(a, b, typed)).slice(0, MAXIMUM);
  if (entries.length === 0) return null;
  return { ...span, matches: entries.map((entry) => inserted(entry, span, code)), types: entries.map(({ kind }) => KINDS[kind] ?? kind) };
}

/** The word around the cursor, or what TypeScript says for strings and paths. */
function replacedSpan(info: ts.CompletionInfo, code: string, position: number): { start: number; end: number } {
  const own = info.optionalReplacementSpan ?? info.entries.find(({ replacementSpan }) => replacementSpan)?.replacementSpan;
  if (own && own.start <= position) return { start: own.start, end: own.start + own.length };
  const before = /[\p{ID_Continue}$]*$/u.exec(code.slice(0, position))![0].length;
  const after = /^[\p{ID_Continue}$]*/u.exec(code.slice(position))![0].length;
  return { start: position - before, end: position + after };
}

/** The text of an entry for the common span; entries that are no identifiers replace the dot before it. */
function inserted(entry: ts.CompletionEntry, span: { start: number }, code: string): string {
  const text = entry.insertText ?? entry.name;
  const own = entry.replacementSpan;
  return own && own.start < span.start && text.startsWith(code.slice(own.start, span.start)) ? text.slice(span.start - own.start) : text;
}

const NO_MATCH = 3;

/** 0: begins with what was typed; 1: does so in another case; 2: contains it. */
function rank({ name }: ts.CompletionEntry, typed: string): number {
  if (name.startsWith(typed)) return 0;
  const [lower, part] = [name.toLowerCase(), typed.toLowerCase()];
  if (lower.startsWith(part)) return 1;
  return lower.includes(part) ? 2 : NO_MATCH;
}

function order(a: ts.CompletionEntry, b: ts.CompletionEntry, typed: string): number {
  return rank(a, typed) - rank(b, typed) || compare(a.sortText, b.sortText) || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Names of TypeScript's kinds that JupyterLab has icons for. */
const KINDS: Record<string, string> = {
  var: 'variable', let: 'variable', const: 'constant', 'local var': 'variable', parameter: 'variable', alias: 'module',
  method: 'method', getter: 'property', setter: 'property', construct: 'method', call: 'method',
  'local function': 'function', 'local class': 'class', type: 'interface', 'type parameter': 'interface',
  'enum member': 'constant', 'external module name': 'module', script: 'file', directory: 'folder', string: 'text',
};
