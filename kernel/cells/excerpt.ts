/*
 * Source lines with a mark, as compilers show them.
 */

export const RED = '\x1b[31m';
export const DIM = '\x1b[2m';
/** Bold, since JupyterLab's plain cyan is too pale on the background of errors. */
export const CYAN = '\x1b[1;36m';
export const RESET = '\x1b[0m';

/** Lines that are shown before and after the one with the error. */
const CONTEXT = 2;

/** Characters of the longest line that is shown whole. */
const MAXIMUM_WIDTH = 160;

/** Returns the lines of a text around a line, with `length` carets from the column on. Line and column count from 1. */
export function excerpt(code: string, line: number, column: number, length = 1): string {
  const lines = code.split('\n');
  const first = Math.max(1, line - CONTEXT);
  const last = Math.min(lines.length, line + CONTEXT);
  const width = String(last).length;
  // A long line is cut on both sides of the place.
  const from = column > MAXIMUM_WIDTH - 40 ? column - 60 : 0;
  const shown: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = cut(lines[number - 1] ?? '', number === line ? from : 0);
    const label = String(number).padStart(width);
    if (number !== line) {
      shown.push(`${DIM}  ${label} |${RESET} ${text}`.trimEnd());
      continue;
    }
    const at = column - 1 - from + (from > 0 ? 1 : 0);
    const indent = text.slice(0, at).replace(/[^\t]/g, ' ');
    const carets = '^'.repeat(Math.max(1, Math.min(length, text.length - at)));
    shown.push(
      `${RED}>${RESET} ${label} ${DIM}|${RESET} ${text}`,
      `  ${' '.repeat(width)} ${DIM}|${RESET} ${indent}${RED}${carets}${RESET}`,
    );
  }
  return shown.join('\n');
}

function cut(text: string, from: number): string {
  const start = from > 0 ? `…${text.slice(from)}` : text;
  return start.length > MAXIMUM_WIDTH ? `${start.slice(0, MAXIMUM_WIDTH)}…` : start;
}

/** Returns line and column of an offset; both count from 1. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
