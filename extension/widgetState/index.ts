import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { hasJoylab } from '../cells/kernel';
import type { WidgetStates } from './states';

/**
 * Saves the state of Jupyter widgets with the notebook, where the kernel is Joylab:
 * without a kernel, and in an HTML export, they are then shown as they were. Jupyter's
 * widget manager does so, too, once its setting says so, with all widgets that were made.
 */
export const widgetStatePlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:widget-state',
  description: 'Saves the state of Jupyter widgets with a notebook.',
  autoStart: true,
  requires: [INotebookTracker],
  activate(_app: JupyterFrontEnd, notebooks: INotebookTracker): void {
    const known = new WeakSet<object>();
    notebooks.widgetAdded.connect((_, panel: NotebookPanel) => {
      const { context } = panel;
      // Several views of a notebook share its document.
      if (known.has(context)) return;
      known.add(context);
      let states: WidgetStates | null = null;
      context.sessionContext.iopubMessage.connect(async (_, message) => {
        if (!message.header.msg_type.startsWith('comm_')) return;
        const module = await import('./states');
        states ??= new module.WidgetStates(context.model);
        states.receive(message);
      });
      context.sessionContext.statusChanged.connect((_, status) => {
        if (status === 'restarting' || status === 'autorestarting') states?.forget();
      });
      context.saveState.connect((_, state) => {
        if (state === 'started' && hasJoylab(panel)) states?.save();
      });
    });
  },
};
