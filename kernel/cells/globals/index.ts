import { currentCell, KeyboardInterrupt, type Cell } from '../cell';
import { replace, type Undo } from '../patches/replace';

/**
 * Globals that the kernel adds to Node.js's. The type checker reads this
 * folder's declarations, see compile/program/options.ts.
 */
declare global {
  /** Asks the user for a line of text in the front end, and returns it, or `initial` when it is empty. Throws when the front end cannot ask, and when the cell is interrupted. */
  function prompt(message?: string, initial?: string): string;
  /** Asks the user for a line of text that the front end does not show, such as a password, and returns it. Throws as `prompt` does. */
  function promptSecret(message?: string): string;
  /** Asks the user a question in the front end, and returns `true` for "y" and "yes". Throws as `prompt` does. */
  function confirm(message?: string): boolean;
  /** Shows a text in the front end's pager once the cell has ended. */
  function page(text: string): void;
}

/** Defines the globals that are declared here. */
export function installGlobals(): Undo {
  const prompt = (message = '', initial = ''): string => ask(message && `${message} `) || initial;
  const promptSecret = (message = ''): string => ask(message && `${message} `, true);
  const confirm = (message = ''): boolean => /^y(es)?$/i.test(ask(`${message} [y/N] `).trim());
  const page = (text: string): void => runningCell().output.page({ 'text/plain': text });
  return replace(globalThis, { prompt, promptSecret, confirm, page });
}

/** Asks the user for a line of text, blocks until it arrives, and returns it. Throws a KeyboardInterrupt when it was cancelled. */
export function ask(text: string, secret = false): string {
  const answer = runningCell().output.input(text, secret);
  if (answer === null) throw new KeyboardInterrupt();
  return answer;
}

function runningCell(): Cell {
  const cell = currentCell();
  if (!cell) throw new Error('This works in a cell only.');
  return cell;
}
