import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry, type IRenderMime } from '@jupyterlab/rendermime';
import { REWARDS_MIME } from '../../kernel/display/rewardsMime';
import { LazyRenderer } from '../widgets/lazyRenderer';
import { addNotebookRenderer } from '../widgets/notebookRenderer';

/** Shows the reward functions that count. */
export const rewardsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:rewards',
  description: 'Panel of reward functions: weights, on and off, what each does.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker): void {
    addNotebookRenderer(rendermime, notebooks, (panel) => factory(panel?.context ?? null));
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
