import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { NamedImage, ReachableHtml } from './renderers';

/** JupyterLab's own ranks of what is rendered here. */
const HTML_RANK = 50;
const IMAGE_RANK = 90;

/**
 * Makes outputs usable without a mouse and without eyes: images have a name,
 * and the keyboard reaches what scrolls in Joylab's tables.
 */
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
