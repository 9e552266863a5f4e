import { existsSync, readFileSync } from 'node:fs';
import { CELL_METADATA, EXPERIMENT_MIME, isExperiment, type ExperimentData } from '../../display/experimentMime';

/** A notebook's file, as far as it is read here. */
interface NotebookFile {
  cells?: Array<{
    id?: string;
    metadata?: Record<string, { experiment?: unknown } | undefined>;
    outputs?: Array<{ data?: Record<string, unknown> }>;
  }>;
}

/**
 * Returns the experiment that a notebook's file has: that of a cell, else the only one that it has.
 *
 * @param cell ID of the cell
 * @throws Error where there is no notebook at the path
 */
export function savedExperiment(path: string, cell?: string): ExperimentData | null {
  if (!existsSync(path)) throw new Error(`There is no notebook at ${path}.`);
  const { cells = [] } = notebookAt(path);
  const found = cells.flatMap(({ id, metadata, outputs = [] }) =>
    [metadata?.[CELL_METADATA]?.experiment, ...outputs.map(({ data }) => data?.[EXPERIMENT_MIME])]
      .filter(isExperiment)
      .map((experiment) => ({ id, experiment })),
  );
  const own = found.find(({ id }) => cell !== undefined && id === cell);
  const runs = new Set(found.map(({ experiment }) => experiment.runId));
  return (own ?? (runs.size === 1 ? found[0] : undefined))?.experiment ?? null;
}

/** Returns the experiment of the notebook that this kernel runs, where Jupyter Server says which that is. */
export function experimentOfNotebook(cell?: string): ExperimentData | null {
  const path = process.env.JPY_SESSION_NAME;
  try {
    return path && existsSync(path) ? savedExperiment(path, cell) : null;
  } catch {
    // Nothing that can be read there.
    return null;
  }
}

function notebookAt(path: string): NotebookFile {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as NotebookFile;
  } catch (error) {
    throw new Error(`${path} is not a notebook: ${(error as Error).message}`);
  }
}
