import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { EPISODE_MIME } from '../../kernel/display/mime';
import { EpisodeRenderer } from './renderer';

/** Shows episodes in the player, also in notebooks that are not trusted: the data is only numbers, text and pixels. */
export const episodePlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:episode',
  description: 'Plays the frames of episodes.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry): void {
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [EPISODE_MIME],
        createRenderer: (options) => new EpisodeRenderer(options.mimeType),
      },
      0,
    );
  },
};
