import { askByFiles } from './files';
import { NotebookInput } from './notebookInput';
import { askByReadline } from './readline';
import type { Cell } from '../cell';

let current = new NotebookInput();

/** Makes the front end the standard input of cells. */
export function installInput(): void {
  Object.defineProperty(process, 'stdin', { get: () => current, enumerable: true, configurable: true });
  askByReadline();
  askByFiles(() => current);
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
