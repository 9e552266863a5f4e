import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry, type IRenderMime } from '@jupyterlab/rendermime';
import { COMPARISON_MIME } from '../../kernel/display/rewardsMime';
import { LazyRenderer } from '../widgets/lazyRenderer';
import { addNotebookRenderer } from '../widgets/notebookRenderer';

/** Shows what changed when rollouts were scored again. */
export const comparisonPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:comparison',
  description: 'Compares rewards before and after a change.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker): void {
    addNotebookRenderer(rendermime, notebooks, (panel) => factory(panel?.context ?? null));
  },
};

function factory(context: DocumentRegistry.Context | null): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [COMPARISON_MIME],
    createRenderer: ({ mimeType }) =>
      new LazyRenderer(async () => {
        // Loaded with the first comparison.
        const { ComparisonRenderer } = await import('./renderer');
        return new ComparisonRenderer(mimeType, context?.sessionContext ?? null);
      }),
  };
}
