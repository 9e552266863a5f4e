import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry, type IRenderMime } from '@jupyterlab/rendermime';
import { TRAINING_MIME } from '../../kernel/display/mime';
import { TrainingRenderer } from './renderer';
import { cellOfRun, savedWith } from './cell';
import { rerunCell } from './rerun';
import { addNotebookRenderer } from '../widgets/notebookRenderer';

/** Shows training runs. */
export const trainingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:training',
  description: 'Charts, table and live frames of training runs.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker): void {
    addNotebookRenderer(rendermime, notebooks, factory);
  },
};

function factory(panel: NotebookPanel | null): IRenderMime.IRendererFactory {
  const cell = panel && {
    rerun: (runId: string) => rerunCell(panel, runId),
    saved: (runId: string) => savedWith(cellOfRun(panel, runId)),
  };
  return {
    safe: true,
    mimeTypes: [TRAINING_MIME],
    createRenderer: (options) => new TrainingRenderer(options.mimeType, panel?.context ?? null, cell),
  };
}
