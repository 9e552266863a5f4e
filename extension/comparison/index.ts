import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { COMPARISON_MIME } from '../../kernel/display/rewardsMime';
import { addLazyRenderer } from '../widgets/notebookRenderer';

/** Shows what changed when rollouts were scored again. */
export const comparisonPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:comparison',
  description: 'Compares rewards before and after a change.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker): void {
    addLazyRenderer(rendermime, notebooks, COMPARISON_MIME, async (context) => {
      const { ComparisonRenderer } = await import('./renderer');
      return new ComparisonRenderer(COMPARISON_MIME, context?.sessionContext ?? null);
    });
  },
};
