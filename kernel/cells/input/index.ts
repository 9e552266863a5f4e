import type { Cell } from '../cell';
import { NotebookInput } from './notebookInput';

let current = new NotebookInput();

/** Returns the current standard input. */
export function currentInput(): NotebookInput {
  return current;
}

/** Begins the input of a cell: a new one, if the cell before has read to the end of its input. */
export function beginInput(): void {
  if (current.destroyed || current.readableEnded) current = new NotebookInput();
}

/** Resolves when a cell no longer waits for a line. */
export function inputFinished(cell: Cell): Promise<void> {
  return current.finished(cell);
}

/** Withdraws the question of a cell that has ended. */
export function endInput(cell: Cell): void {
  current.release(cell);
}
