import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry, type IRenderMime } from '@jupyterlab/rendermime';
import { REWARDS_MIME } from '../../kernel/display/rewardsMime';
import { LazyRenderer } from '../widgets/lazyRenderer';

/** Shows the reward functions that count. Each notebook has a factory of its own, as a renderer does not know its kernel. */
export const rewardsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:rewards',
  description: 'Panel of reward functions: weights, on and off, what each does.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker): void {
    rendermime.addFactory(factory(null), 0);
    notebooks.widgetAdded.connect((_, panel: NotebookPanel) => {
      panel.content.rendermime.addFactory(factory(panel.context), 0);
    });
  },
};

function factory(context: DocumentRegistry.Context | null): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [REWARDS_MIME],
    createRenderer: ({ mimeType }) =>
      new LazyRenderer(async () => {
        // Loaded with the first panel.
        const { RewardsRenderer } = await import('./renderer');
        return new RewardsRenderer(mimeType, context);
      }),
  };
}
