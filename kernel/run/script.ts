import ts from 'typescript';
import { sourceLines, type Notebook, type NotebookCell } from '../common/notebook';

/** The line before a cell in jupytext's percent format: a title, the type in brackets, metadata. */
const MARK = /^\/\/ ?%%(?:[ \t].*|\[.*)?$/;
const TYPES: Record<string, string> = { markdown: 'markdown', md: 'markdown', raw: 'raw' };

/**
 * Returns the notebook of a TypeScript file: of the cells that `// %%` lines mark, as jupytext
 * writes them. A file without them, as `jupyter nbconvert --to script` writes it, is cut
 * where a blank line stands between statements.
 */
export function notebookOfScript(text: string): Notebook {
  const lines = text.replace(/^\uFEFF?(#!.*\n)?/, '').split(/\r?\n/);
  const marked = lines.some((line) => MARK.test(line));
  const cells = marked
    ? markedCells(withoutHeader(lines))
    : cutAtBlankLines(lines.join('\n')).map((it) => codeCell(it));
  return {
    cells: cells.map((cell, i) => ({ ...cell, id: `cell-${i}` })),
    metadata: { kernelspec: { display_name: 'Joylab (TypeScript)', language: 'typescript', name: 'joylab' } },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

/** Leaves out jupytext's header: YAML in comments, between two `// ---`. */
function withoutHeader(lines: string[]): string[] {
  const first = lines.findIndex((line) => line.trim() !== '' && !line.startsWith('// -*-'));
  if (lines[first]?.trim() !== '// ---') return lines;
  const last = lines.indexOf('// ---', first + 1);
  return last < 0 ? lines : lines.slice(last + 1);
}

function markedCells(lines: string[]): NotebookCell[] {
  const cells: NotebookCell[] = [];
  const starts = lines.flatMap((line, i) => (MARK.test(line) ? [i] : []));
  const before = trimmed(lines.slice(0, starts[0]));
  if (before !== '') cells.push(codeCell(before));
  for (const [i, start] of starts.entries()) {
    const { type, metadata } = readMark(lines[start]);
    const body = lines.slice(start + 1, starts[i + 1]);
    if (type === 'code') cells.push(codeCell(trimmed(body), metadata));
    else cells.push({ cell_type: type, metadata, source: sourceLines(trimmed(uncommented(body))) });
  }
  return cells;
}

/** Returns what a mark says: `// %% a title [markdown] tags=["parameters"]`, or its metadata as JSON. */
function readMark(line: string): { type: string; metadata: Record<string, unknown> } {
  const [, title, bracket, given] = /^\/\/ ?%%\s*(.*?)\s*(?:\[(markdown|md|raw)\])?\s*(\{.*\}|[\w-]+=.*)?$/.exec(line)!;
  const metadata = given?.startsWith('{') ? parsed(given) : pairs(given ?? '');
  return { type: TYPES[bracket] ?? 'code', metadata: title === '' ? metadata : { title, ...metadata } };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The metadata of this cell is no JSON: // %% ${text}`);
  }
}

/** Reads `name=JSON name=JSON`. */
function pairs(text: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const part of text.split(/\s+(?=[\w-]+=)/).filter(Boolean)) {
    const at = part.indexOf('=');
    Object.assign(found, parsed(`{${JSON.stringify(part.slice(0, at))}: ${part.slice(at + 1)}}`));
  }
  return found;
}

/** Takes the comments away in which text cells stand: line by line, or one around all. */
function uncommented(lines: string[]): string[] {
  const block = /^\s*\/\*\n([^]*?)\n?\s*\*\/\s*$/.exec(lines.join('\n'));
  return block ? block[1].split('\n') : lines.map((line) => line.replace(/^\/\/ ?/, ''));
}

/** Cuts code where a blank line stands between two statements, and nowhere within one. */
function cutAtBlankLines(text: string): string[] {
  const { statements } = ts.createSourceFile('script.ts', text, ts.ScriptTarget.Latest, true);
  const cuts = statements.slice(1).flatMap((statement) => {
    // Comments belong to what follows them: a directive is one.
    const blank = /\n[ \t]*\n/.exec(text.slice(statement.getFullStart(), statement.getStart()));
    return blank ? [statement.getFullStart() + blank.index] : [];
  });
  return [0, ...cuts]
    .map((from, i) => trimmed(text.slice(from, cuts[i]).split('\n')))
    .filter((source) => source !== '');
}

function codeCell(source: string, metadata: Record<string, unknown> = {}): NotebookCell {
  return { cell_type: 'code', metadata, source: sourceLines(source), execution_count: null, outputs: [] };
}

/** Returns the lines as text without blank ones at its ends. */
function trimmed(lines: string[]): string {
  return lines
    .join('\n')
    .replace(/^(?:[ \t]*\n)+/, '')
    .trimEnd();
}
