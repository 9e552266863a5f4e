import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { REWARDS_MIME } from '../../kernel/display/rewardsMime';
import { addLazyRenderer } from '../widgets/notebookRenderer';

/** Shows the reward functions that count. */
export const rewardsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:rewards',
  description: 'Panel of reward functions: weights, on and off, what each does.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker): void {
    addLazyRenderer(rendermime, notebooks, REWARDS_MIME, async (context) => {
      const { RewardsRenderer } = await import('./renderer');
      return new RewardsRenderer(REWARDS_MIME, context);
    });
  },
};
