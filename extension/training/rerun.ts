import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { cellOfRun } from '../cells/outputs';

/** Runs the newest cell of a notebook that shows a run. */
export function rerunCell({ content, sessionContext }: NotebookPanel, runId: string): void {
  const cell = cellOfRun(content, runId);
  if (cell) void NotebookActions.runCells(content, [cell], sessionContext);
}
