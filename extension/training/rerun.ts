import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { cellOfRun } from './cell';

/** Runs the newest cell of a notebook that shows a run. */
export function rerunCell(panel: NotebookPanel, runId: string): void {
  const cell = cellOfRun(panel, runId);
  if (cell) void NotebookActions.runCells(panel.content, [cell], panel.sessionContext);
}
