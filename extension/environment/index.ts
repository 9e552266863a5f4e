import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry, type IRenderMime } from '@jupyterlab/rendermime';
import { ENVIRONMENT_MIME } from '../../kernel/display/mime';
import { EnvironmentRenderer } from './renderer';
import { addNotebookRenderer } from '../widgets/notebookRenderer';

/** Shows environments as cards, also in notebooks that are not trusted: the data is only numbers, text and an image. */
export const environmentPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:environment',
  description: 'Shows environments: actions, state variables, first frame.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker): void {
    addNotebookRenderer(rendermime, notebooks, (panel) => factory(panel?.sessionContext ?? null));
  },
};

function factory(session: ISessionContext | null): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [ENVIRONMENT_MIME],
    createRenderer: (options) => new EnvironmentRenderer(options.mimeType, session),
  };
}
