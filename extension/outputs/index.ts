import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { DocumentOutputs } from './documentOutputs';

/**
 * Restores outputs from the kernel, which keeps them. JupyterLab shows and saves only
 * the outputs of what a page runs itself: after a reload, or when a notebook was
 * closed and opened, those of a cell that still runs, or ended meanwhile, would be
 * lost.
 */
export const outputsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:outputs',
  description: 'Brings outputs of cells back that were put out while the notebook was not open.',
  autoStart: true,
  requires: [INotebookTracker],
  activate(_app: JupyterFrontEnd, notebooks: INotebookTracker): void {
    const known = new WeakSet<object>();
    notebooks.widgetAdded.connect((_, { context }: NotebookPanel) => {
      // Several views of a notebook share its document.
      if (known.has(context)) return;
      known.add(context);
      const views = () => notebooks.filter((panel) => panel.context === context && !panel.isDisposed);
      new DocumentOutputs(context, views);
    });
  },
};
