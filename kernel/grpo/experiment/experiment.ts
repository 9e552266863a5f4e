import { cellContext, type MimeBundle } from '../../display/cellContext';
import type { ExperimentComparison, ExperimentData } from '../../display/experimentMime';
import { compareExperiments, comparisonBundle, experimentBundle } from '../../display/training/experiment';
import type { GRPOCellRun } from '../cell';
import { notebook } from '../session';
import { experimentOfNotebook, savedExperiment } from './saved';

/** A run with an experiment, as {@link saveExperiment} takes it. */
export interface ExperimentRun {
  /** What made the numbers of the run, and these; `null` until it has finished. */
  readonly experiment: ExperimentData | null;
}

/**
 * An experiment: what made the numbers of a run, and these. Displayed, it is an
 * output of the cell, which the notebook keeps; beside it stands what the notebook
 * had kept before.
 */
export class Experiment {
  constructor(
    readonly data: ExperimentData,
    /** The comparison with the experiment that the notebook had; `null` where it had none. */
    readonly comparison: ExperimentComparison | null,
  ) {}

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return experimentBundle(this.data, this.comparison);
  }
}

/** Returns the run of the newest `@grpo` cell. @throws Error where there is none */
export function newestRun(): GRPOCellRun['trainer'] {
  const run = notebook.newestRun;
  if (run) return run.trainer;
  throw new Error('There is no run yet: run a /** @grpo */ cell first, or give the trainer.');
}

/**
 * Returns the experiment of a run for the notebook: settings, seeds, versions, sources of
 * the reward functions, and results. As the result of a cell it is saved with the notebook;
 * run again, elsewhere, the cell shows the saved numbers beside the new ones.
 *
 * @param run a trainer; by default that of the newest `@grpo` cell
 * @throws Error for a run that has not finished
 */
export function saveExperiment(run: ExperimentRun = newestRun()): Experiment {
  const data = finished(run);
  const saved = experimentOfNotebook(cellContext().cell?.id);
  return new Experiment(data, saved && compareExperiments(saved, data));
}

/**
 * Compares a run with the experiment that a notebook has saved. As the result of a cell it
 * shows the numbers side by side and what else differs.
 *
 * @param path of an `.ipynb`
 * @param run a trainer; by default that of the newest `@grpo` cell
 * @throws Error for a run that has not finished, and for a notebook without an experiment
 */
export function compareExperiment(path: string, run: ExperimentRun = newestRun()): ExperimentComparison {
  const data = finished(run);
  const saved = savedExperiment(path);
  if (!saved) throw new Error(`${path} has no saved experiment, or several of which none is this cell's.`);
  const comparison = compareExperiments(saved, data);
  return Object.defineProperty(comparison, Symbol.for('Jupyter.display'), {
    value: () => comparisonBundle(comparison),
  });
}

function finished({ experiment }: ExperimentRun): ExperimentData {
  if (experiment) return experiment;
  throw new Error('The run has not finished: call train() to go on, or press Stop in its view to end it.');
}
