import { currentCell } from '../cell';

/**
 * Globals that the kernel adds to Node.js's. The type checker reads this
 * folder's declarations, see compile/typescript.ts.
 */
declare global {
  /** Asks the user for a line of text in the front end, and returns it; `initial` where the answer is empty. */
  function prompt(message?: string, initial?: string): string;
  /** Asks the user a question in the front end; `true` for "y" and "yes". */
  function confirm(message?: string): boolean;
}

/** Gives cells the globals that are declared here. */
export function installGlobals(): void {
  const prompt = (message = '', initial = ''): string => ask(message && `${message} `) || initial;
  const confirm = (message = ''): boolean => /^y(es)?$/i.test(ask(`${message} [y/N] `).trim());
  Object.assign(globalThis, { prompt, confirm });
}

function ask(text: string): string {
  const cell = currentCell();
  if (!cell) throw new Error('Nothing can be asked before a cell runs.');
  return cell.output.input(text, false);
}
