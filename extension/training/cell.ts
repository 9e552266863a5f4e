import type { CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { CELL_METADATA, isExperiment, type ExperimentData } from '../../kernel/display/experimentMime';
import { shown } from '../cells/outputs';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';

/** Returns the newest run that a cell shows. */
export function runOf(cell: CodeCell): TrainingData | undefined {
  return shown<TrainingData>(cell, TRAINING_MIME).at(-1);
}

/** Returns the code cells of a notebook that show a run. */
export function runCells({ content }: NotebookPanel): CodeCell[] {
  return content.widgets.filter(
    (cell): cell is CodeCell => cell.model.type === 'code' && runOf(cell as CodeCell) !== undefined,
  );
}

/** Returns the newest cell of a notebook that shows a run. */
export function cellOfRun(panel: NotebookPanel, runId: string): CodeCell | undefined {
  return runCells(panel).findLast((cell) => runOf(cell)!.runId === runId);
}

/** Returns the experiment that is saved with a cell. */
export function savedWith(cell: CodeCell | undefined): ExperimentData | null {
  const experiment = metadataOf(cell)?.experiment;
  return isExperiment(experiment) ? experiment : null;
}

/** Saves an experiment with a cell: in its metadata, which stays when outputs are cleared, and goes where the cell goes. */
export function saveWith(cell: CodeCell, experiment: ExperimentData): void {
  cell.model.setMetadata(CELL_METADATA, { ...metadataOf(cell), experiment });
}

function metadataOf(cell: CodeCell | undefined): { experiment?: unknown } | undefined {
  return cell?.model.getMetadata(CELL_METADATA) as { experiment?: unknown } | undefined;
}
