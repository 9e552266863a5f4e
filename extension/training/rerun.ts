import type { CodeCell } from '@jupyterlab/cells';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { TRAINING_MIME } from '../../kernel/display/mime';

/** Runs the newest cell of a notebook that shows a run. */
export function rerunCell({ content, sessionContext }: NotebookPanel, runId: string): void {
  const cell = [...content.widgets]
    .reverse()
    .find((widget): widget is CodeCell => widget.model.type === 'code' && shows(widget as CodeCell, runId));
  if (cell) void NotebookActions.runCells(content, [cell], sessionContext);
}

function shows({ model }: CodeCell, runId: string): boolean {
  return model.outputs
    .toJSON()
    .some(({ data }) => (data as Record<string, { runId?: string }> | undefined)?.[TRAINING_MIME]?.runId === runId);
}
