import type { Cell } from '../cell';
import { NotebookInput } from './notebookInput';

let current = new NotebookInput();

/** Standard input as it is now. */
export function currentInput(): NotebookInput {
  return current;
}

/** A cell begins: where the one before read to the end of its input, there is a new one. */
export function beginInput(): void {
  if (current.destroyed || current.readableEnded) current = new NotebookInput();
}

/** Resolves when a cell waits for no line any more. */
export function inputFinished(cell: Cell): Promise<void> {
  return current.finished(cell);
}

/** A cell has ended: an answer that is still to come is nobody's. */
export function endInput(cell: Cell): void {
  current.release(cell);
}
