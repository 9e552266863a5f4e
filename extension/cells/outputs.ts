import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';

/** Returns what the outputs of a cell have of a MIME type. */
export function shown<Data>({ model }: Cell, type: string): Data[] {
  if (model.type !== 'code') return [];
  const { outputs } = model as CodeCell['model'];
  return Array.from({ length: outputs.length }, (_, i) => outputs.get(i).data[type] as Data | undefined).filter(
    (data) => data !== undefined,
  );
}

/** Returns the newest cell of a notebook that shows a run. */
export function cellOfRun({ widgets }: Notebook, runId: string): Cell | undefined {
  return widgets.findLast((cell) => shown<TrainingData>(cell, TRAINING_MIME).some((run) => run.runId === runId));
}
