import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { NamedImage, ReachableHtml } from './renderers';

/** JupyterLab's own ranks of the renderers that these replace. */
const HTML_RANK = 50;
const IMAGE_RANK = 90;

/** Makes outputs accessible: images have a name for screen readers, and the keyboard can scroll Joylab's tables. */
export const accessPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:access',
  description: 'Names images, and lets the keyboard scroll tables.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry): void {
    rendermime.addFactory(
      { safe: true, mimeTypes: ['text/html'], createRenderer: (options) => new ReachableHtml(options) },
      HTML_RANK,
    );
    const images = ['image/bmp', 'image/png', 'image/jpeg', 'image/gif', 'image/webp'];
    rendermime.addFactory(
      { safe: true, mimeTypes: images, createRenderer: (options) => new NamedImage(options) },
      IMAGE_RANK,
    );
  },
};
