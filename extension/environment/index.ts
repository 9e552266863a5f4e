import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ENVIRONMENT_MIME } from '../../kernel/display/mime';
import { EnvironmentRenderer } from './renderer';

/** Shows environments as cards, also in notebooks that are not trusted: the data is only numbers, text and an image. */
export const environmentPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:environment',
  description: 'Shows environments: actions, state variables, first frame.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry): void {
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [ENVIRONMENT_MIME],
        createRenderer: (options) => new EnvironmentRenderer(options.mimeType),
      },
      0,
    );
  },
};
