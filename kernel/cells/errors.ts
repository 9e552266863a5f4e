import { isAbsolute, relative } from 'node:path';
import { inspect } from 'node:util';
import type { CellError } from '../jupyter/interpreter';
import type { Problem } from './compile/compiler';
import { NO_JSX } from './compile/problems/jsx';
import { hintFor } from './hints';
import { SystemExit } from './systemExit';
import { CYAN, DIM, excerpt, placeOf, RED, RESET } from './excerpt';
import { userFrames, type Frame } from './patches/language/stackTraces';

/** Problems that are shown of one cell, at most. */
const MAXIMUM_PROBLEMS = 50;

/** Frames that are shown of a long stack: the newest and the oldest. */
const NEWEST_FRAMES = 10;
const OLDEST_FRAMES = 4;

/** Levels of errors that are shown below an error, at most: its causes, the errors of an AggregateError. */
const MAXIMUM_DEPTH = 5;

/** The cell that an error is about. */
export interface ErrorCell {
  /** Its name in errors: "Cell [3]". */
  label: string;
  code: string;
}

/** An error of a cell whose message is enough: it is shown without a stack. */
export class CellFailure extends Error {
  /** @param place its position in the cell, counted from 1; `length` in characters */
  constructor(
    name: string,
    message: string,
    readonly place?: { line: number; column: number; length?: number },
  ) {
    super(message);
    this.name = name;
  }
}

/** Ends a cell that paused at the user's wish: cells that wait behind it do not run, and nothing is shown as an error. */
export class CellPaused extends Error {
  override name = 'CellPaused';
}

/** Returns whether the parser has found a problem, by its code. */
const isSyntax = ({ code }: Problem): boolean => (code >= 1000 && code < 2000) || code === NO_JSX;

/** Returns the compiler's problems of a cell as Jupyter shows an error. */
export function compileErrors(problems: Problem[], label: string, folder: string): CellError {
  const placed = problems.map((problem) => {
    const { line, column } = placeOf(problem.text, problem.start);
    return { ...problem, line, column, label: problem.path === null ? label : pathLabel(problem.path, folder) };
  });
  const traceback = placed
    .slice(0, MAXIMUM_PROBLEMS)
    .map(({ label, line, column, text, start, length, code, message }) => {
      // A problem that spans lines is marked to the end of the first.
      const marked = text.slice(start, start + length).split('\n')[0].length;
      return `${CYAN}${label}, line ${line}, column ${column}${RESET}: ${RED}error${RESET} ${DIM}TS${code}${RESET}: ${message}\n\n${excerpt(text, line, column, marked)}\n`;
    });
  const more = placed.length - traceback.length;
  if (more > 0) traceback.push(`… and ${more} more.`);
  const hints = new Set(placed.map(hintFor).filter((it) => it !== null));
  for (const hint of hints) traceback.push(`${CYAN}Hint${RESET}: ${hint}\n`);
  const [first] = placed;
  const others = placed.length > 1 ? ` (and ${placed.length - 1} more)` : '';
  const where = first.path === null ? '' : `${first.label}, `;
  return {
    ename: isSyntax(first) ? 'SyntaxError' : 'TypeScriptError',
    evalue: `${where}line ${first.line}: ${first.message}${others}`,
    traceback,
  };
}

function pathLabel(path: string, folder: string): string {
  const from = relative(folder, path);
  return isAbsolute(from) ? path : from;
}

/** Returns an exception as Jupyter shows it, with the user's own frames and the source line of the newest. */
export function describeError(error: unknown, cell: ErrorCell, depth = 0): CellError {
  if (error instanceof CellFailure) return describeFailure(error, cell);
  if (error instanceof CellPaused) return { ename: error.name, evalue: error.message, traceback: [] };
  if (error instanceof SystemExit)
    return {
      ename: error.name,
      evalue: error.code,
      traceback: [`${RED}${error.name}${RESET}: ${error.message}`, ...describeStack(error)],
    };
  if (!isErrorLike(error)) {
    const text = inspect(error);
    return { ename: 'Thrown', evalue: text, traceback: [`${RED}Thrown${RESET}: ${text}`] };
  }
  const ename = errorName(error);
  // Node.js adds the modules that required it: the kernel's own.
  const message = String(error.message).replace(/\nRequire stack:[^]*/, '');
  const traceback = [`${RED}${ename}${RESET}: ${message}`, ...describeStack(error)];
  const details = errorDetails(error);
  if (details) traceback.push(details);
  if (depth < MAXIMUM_DEPTH)
    traceback.push(
      ...errorsBehind(error).flatMap(([title, inner]) => [
        '',
        `${title}:`,
        ...describeError(inner, cell, depth + 1).traceback,
      ]),
    );
  return { ename, evalue: message, traceback };
}

/** Returns the name of an error; that of its class when it has none of its own. */
function errorName(error: Error): string {
  const own = error.constructor?.name;
  return (error.name === 'Error' && own && own !== 'Object' ? own : String(error.name || '')) || 'Error';
}

function describeStack(error: Error): string[] {
  const frames = userFrames(error);
  const [newest] = frames;
  if (!newest) return [];
  const lines = joinRepeated(frames.map(frameLine));
  const middle = lines.length - NEWEST_FRAMES - OLDEST_FRAMES;
  if (middle > 1) lines.splice(NEWEST_FRAMES, middle, `${DIM}    … ${middle} more${RESET}`);
  return ['', excerpt(newest.text, newest.line, newest.column), '', ...lines];
}

/** Joins equal lines in a row, as a function that calls itself has, to one line with their number. */
function joinRepeated(lines: string[]): string[] {
  const joined: Array<{ line: string; count: number }> = [];
  for (const line of lines) {
    const last = joined.at(-1);
    if (last?.line === line) last.count++;
    else joined.push({ line, count: 1 });
  }
  return joined.map(({ line, count }) => (count > 1 ? `${line} ${DIM}… ${count} times${RESET}` : line));
}

function frameLine({ name, label, line, column }: Frame): string {
  return `    at ${name ? `${name} ` : ''}(${CYAN}${label}, line ${line}, column ${column}${RESET})`;
}

/** Returns the properties of an error beyond the usual ones, such as `code`, as text. */
function errorDetails(error: Error): string {
  // The message of a child process that failed ends with what it wrote.
  const usual = [
    'name',
    'message',
    'stack',
    'cause',
    'errors',
    'error',
    'suppressed',
    'requireStack',
    'output',
    'stdout',
    'stderr',
    'pid',
  ];
  const details = Object.entries(error).filter(
    ([key, value]) => !usual.includes(key) && value !== undefined && value !== null,
  );
  return details.length > 0 ? inspect(Object.fromEntries(details)) : '';
}

/** Returns the errors that led to an error, each with a title. */
function errorsBehind(error: Error): Array<[title: string, error: unknown]> {
  const { cause, errors, suppressed } = error as { cause?: unknown; errors?: unknown; suppressed?: unknown };
  const behind: Array<[string, unknown]> = [];
  if (Array.isArray(errors))
    behind.push(
      ...errors.slice(0, MAXIMUM_DEPTH).map((it, i): [string, unknown] => [`Error ${i + 1} of ${errors.length}`, it]),
    );
  if (cause !== undefined) behind.push(['Caused by', cause]);
  if (suppressed !== undefined) behind.push(['Suppressed', suppressed]);
  return behind;
}

function describeFailure(error: CellFailure, { label, code }: ErrorCell): CellError {
  const { name, message, place } = error;
  const traceback = [`${RED}${name}${RESET}: ${message}`];
  if (place)
    traceback.push(
      '',
      excerpt(code, place.line, place.column, place.length),
      '',
      `    at (${CYAN}${label}, line ${place.line}, column ${place.column}${RESET})`,
    );
  return { ename: name, evalue: message, traceback };
}

function isErrorLike(error: unknown): error is Error {
  return (
    error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error && 'stack' in error)
  );
}
