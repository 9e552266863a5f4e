import { inspect } from 'node:util';
import type { Diagnostic } from 'tslab/dist/converter';
import type { CellError } from '../jupyter/interpreter';
import { isCellScript, type CellCompiler } from './compile/compiler';

const RED = '\x1b[31m';
const BOLD = '\x1b[1m';
const DIM = '\x1b[2m';
const CYAN = '\x1b[36m';
const RESET = '\x1b[0m';

/** Lines shown before and after the one at fault. */
const CONTEXT = 2;
const MAXIMUM_DIAGNOSTICS = 10;

/** A failure of a cell that says all there is to say: no stack is shown. */
export class CellFailure extends Error {
  /** @param place In the cell, counted from 1. */
  constructor(
    name: string,
    message: string,
    readonly place?: { line: number; column: number; length?: number },
  ) {
    super(message);
    this.name = name;
  }
}

/** The excerpt of a text around a line, with a caret under the column. Both count from 1. */
export function excerpt(code: string, line: number, column: number, length = 1): string {
  const lines = code.split('\n');
  const first = Math.max(1, line - CONTEXT);
  const last = Math.min(lines.length, line + CONTEXT);
  const width = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1];
    const label = String(number).padStart(width);
    if (number !== line) {
      shown.push(`${DIM}  ${label} |${RESET} ${text}`);
      continue;
    }
    const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
    const carets = '^'.repeat(Math.max(1, Math.min(length, text.length - column + 1)));
    shown.push(`${RED}>${RESET} ${label} ${DIM}|${RESET} ${text}`, `  ${' '.repeat(width)} ${DIM}|${RESET} ${indent}${RED}${carets}${RESET}`);
  }
  return shown.join('\n');
}

/** What the type checker says about a cell. */
export function typeErrors(diagnostics: Diagnostic[], label: string, code: string): CellError {
  const problems = joinChains(diagnostics);
  const traceback = problems.slice(0, MAXIMUM_DIAGNOSTICS).map((problem) => {
    const { line, character } = problem.start;
    const where = `${problem.fileName ?? label}, line ${line + 1}, column ${character + 1}`;
    const length = problem.end.line === line ? problem.end.character - character : 1;
    const source = problem.fileName ? '' : `\n\n${excerpt(code, line + 1, character + 1, length)}\n`;
    return `${CYAN}${where}${RESET}: ${RED}error${RESET} ${DIM}TS${problem.code}${RESET}: ${problem.messageText}${source}`;
  });
  const more = problems.length - traceback.length;
  if (more > 0) traceback.push(`… and ${more} more.`);
  const [first] = problems;
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return { ename: 'TypeScriptError', evalue: `line ${first.start.line + 1}: ${first.messageText}${others}`, traceback };
}

/** tslab gives each part of an explanation as a diagnostic of its own, at the same place. */
function joinChains(diagnostics: Diagnostic[]): Diagnostic[] {
  const joined: Diagnostic[] = [];
  for (const diagnostic of diagnostics) {
    const last = joined.at(-1);
    const same = last && last.start.offset === diagnostic.start.offset && last.end.offset === diagnostic.end.offset;
    if (same) last.messageText += `\n  ${diagnostic.messageText}`;
    else joined.push({ ...diagnostic });
  }
  return joined;
}

/** A frame of a stack, in a cell. */
interface Frame {
  label: string;
  code: string;
  line: number;
  column: number;
  /** The function, as V8 names it; empty at the cell's top level. */
  name: string;
}

/** An exception, with the user's own frames and the source line of the newest. */
export function describeError(error: unknown, compiler: CellCompiler, current: { label: string; code: string }): CellError {
  if (error instanceof CellFailure) return describeFailure(error, current);
  if (!isErrorLike(error)) {
    const text = inspect(error);
    return { ename: 'Thrown', evalue: text, traceback: [`${RED}${BOLD}Thrown${RESET}: ${text}`] };
  }
  const ename = error.name || 'Error';
  const traceback = [`${RED}${BOLD}${ename}${RESET}: ${error.message}`];
  const frames = cellFrames(String(error.stack ?? ''), compiler);
  const [newest] = frames;
  if (newest) traceback.push('', excerpt(newest.code, newest.line, newest.column), '');
  for (const { label, line, column, name } of frames) {
    traceback.push(`    at ${name ? `${name} ` : ''}(${CYAN}${label}, line ${line}, column ${column}${RESET})`);
  }
  const shown = ['name', 'message', 'stack', 'cause'];
  const details = Object.entries(error).filter(([key, value]) => !shown.includes(key) && value !== undefined);
  if (details.length > 0) traceback.push(inspect(Object.fromEntries(details)));
  if (error.cause !== undefined) {
    const cause = describeError(error.cause, compiler, current);
    traceback.push('', 'Caused by:', ...cause.traceback);
  }
  return { ename, evalue: error.message, traceback };
}

function describeFailure(error: CellFailure, { label, code }: { label: string; code: string }): CellError {
  const { name, message, place } = error;
  const traceback = [`${RED}${BOLD}${name}${RESET}: ${message}`];
  if (place) traceback.push('', excerpt(code, place.line, place.column, place.length), '', `    at (${CYAN}${label}, line ${place.line}, column ${place.column}${RESET})`);
  return { ename: name, evalue: message, traceback };
}

function isErrorLike(error: unknown): error is Error {
  return error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error && 'stack' in error);
}

const FRAME = /^\s+at (?:(async )?(.*?) \()?(?:async )?([\w-]+):(\d+):(\d+)\)?$/;

function cellFrames(stack: string, compiler: CellCompiler): Frame[] {
  const frames: Frame[] = [];
  for (const text of stack.split('\n')) {
    const match = FRAME.exec(text);
    if (!match || !isCellScript(match[3])) continue;
    const place = compiler.trace(match[3], Number(match[4]), Number(match[5]));
    if (!place) continue;
    // Top-level functions are called as methods of tslab's exports, which is a Proxy.
    const name = (match[2] ?? '').replace(/^(eval|Object\.<anonymous>|<anonymous>)$|^Proxy\./, '');
    frames.push({ label: place.label, code: place.code, line: place.line, column: place.column, name });
  }
  return frames;
}
