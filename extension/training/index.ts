import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry, type IRenderMime } from '@jupyterlab/rendermime';
import { TRAINING_MIME } from '../../kernel/display/mime';
import { TrainingRenderer } from './renderer';
import { rerunCell } from './rerun';

/**
 * Shows training runs. Renderers do not know their kernel, so each notebook gets a
 * factory of its own; the common one serves views without a kernel.
 */
export const trainingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:training',
  description: 'Charts, table and live frames of training runs.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker): void {
    rendermime.addFactory(factory(null), 0);
    notebooks.widgetAdded.connect((_, panel: NotebookPanel) => {
      panel.content.rendermime.addFactory(factory(panel), 0);
    });
  },
};

function factory(panel: NotebookPanel | null): IRenderMime.IRendererFactory {
  const rerun = panel && ((runId: string) => rerunCell(panel, runId));
  return {
    safe: true,
    mimeTypes: [TRAINING_MIME],
    createRenderer: (options) => new TrainingRenderer(options.mimeType, panel?.context ?? null, rerun),
  };
}
