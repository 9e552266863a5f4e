import { consoleTable } from '../../display/consoleTable';
import { host } from '../../display/host';
import { currentCell, KeyboardInterrupt, type Cell } from '../cell';

/**
 * Globals that the kernel adds to Node.js's. The type checker reads this
 * folder's declarations, see compile/typescript.ts.
 */
declare global {
  /** Asks the user for a line of text in the front end, and returns it; `initial` where the answer is empty. */
  function prompt(message?: string, initial?: string): string;
  /** Asks the user for a line of text that the front end does not show: a password, a key. */
  function promptSecret(message?: string): string;
  /** Asks the user a question in the front end; `true` for "y" and "yes". */
  function confirm(message?: string): boolean;
  /** Shows a text in the front end's pager when the cell has ended. */
  function page(text: string): void;
}

/** Gives cells the globals that are declared here; `console.clear()` removes the cell's outputs, `console.table` shows a table. */
export function installGlobals(): void {
  const prompt = (message = '', initial = ''): string => ask(message && `${message} `) || initial;
  const promptSecret = (message = ''): string => ask(message && `${message} `, true);
  const confirm = (message = ''): boolean => /^y(es)?$/i.test(ask(`${message} [y/N] `).trim());
  const page = (text: string): void => runningCell().output.page({ 'text/plain': text });
  Object.assign(globalThis, { prompt, promptSecret, confirm, page });
  console.clear = () => currentCell()?.output.clear(false);
  const printTable = console.table.bind(console);
  console.table = (value: unknown, columns?: readonly string[]) => {
    const table = currentCell() ? consoleTable(value, columns) : null;
    if (table) host().display(table);
    else printTable(value, columns);
  };
}

/** Asks the user for a line of text; the thread sleeps until it is there. */
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
