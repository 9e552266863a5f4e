import { RenderedHTML, RenderedImage, type IRenderMime } from '@jupyterlab/rendermime';
import { keepReachable } from '../widgets/reachable';

/** Renders an image whose `alt` is that of its metadata, or its `text/plain`. */
export class NamedImage extends RenderedImage {
  override async render(model: IRenderMime.IMimeModel): Promise<void> {
    await super.render(model);
    const { alt } = (model.metadata[this.mimeType] ?? {}) as { alt?: unknown };
    const text = model.data['text/plain'];
    const image = this.node.querySelector('img');
    if (image) image.alt = String(alt ?? (Array.isArray(text) ? text.join('') : text) ?? 'Image without a description');
  }
}

/** Renders HTML in which Joylab's scrolling tables can be focused, also where a sanitiser has removed the attributes for that. */
export class ReachableHtml extends RenderedHTML {
  override async render(model: IRenderMime.IMimeModel): Promise<void> {
    await super.render(model);
    for (const node of this.node.querySelectorAll<HTMLElement>('.joylab-Scroll')) keepReachable(node);
    // A wide table scrolls in the output itself.
    if (this.node.querySelector('.joylab-Records')) keepReachable(this.node);
  }
}
