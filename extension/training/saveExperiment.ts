import type { NotebookPanel } from '@jupyterlab/notebook';
import type { CodeCell } from '@jupyterlab/cells';
import { Notification } from '@jupyterlab/apputils';
import { runCells, runOf, saveWith } from './cell';

/** Saves the experiment of the run that the active cell shows, else those of all runs, and the notebook; tells what it did. */
export async function saveExperiments(panel: NotebookPanel): Promise<void> {
  const cells = runCells(panel);
  const active = cells.filter((cell) => cell === panel.content.activeCell);
  const saved = (active.length > 0 ? active : cells).filter((cell) => runOf(cell)!.experiment);
  for (const cell of saved) saveWith(cell, runOf(cell)!.experiment!);
  if (saved.length === 0) {
    Notification.warning(
      cells.length > 0
        ? 'No experiment is saved: the run has not finished. Let it go on, or press Stop in its view.'
        : 'No experiment is saved: the notebook shows no run. Run a GRPO cell first.',
      { autoClose: 8000 },
    );
    return;
  }
  await panel.context.save();
  Notification.success(`Saved with ${saved.map(described).join(' and ')}.`, { autoClose: 8000 });
}

function described(cell: CodeCell): string {
  const { rewards, results } = runOf(cell)!.experiment!;
  const functions = `${rewards.length} reward ${rewards.length === 1 ? 'function' : 'functions'}`;
  return `cell [${cell.model.executionCount ?? ' '}]: settings, seeds, versions, ${functions}, results of ${results.step} steps`;
}
