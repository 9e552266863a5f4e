import { RenderedHTML, RenderedImage, type IRenderMime } from '@jupyterlab/rendermime';

/** An image whose name is the `alt` of its metadata, or the text that stands for it. */
export class NamedImage extends RenderedImage {
  override async render(model: IRenderMime.IMimeModel): Promise<void> {
    await super.render(model);
    const { alt } = (model.metadata[this.mimeType] ?? {}) as { alt?: unknown };
    const text = model.data['text/plain'];
    const image = this.node.querySelector('img');
    if (image) image.alt = String(alt ?? (Array.isArray(text) ? text.join('') : text) ?? 'Image without a description');
  }
}

/** HTML in which the keyboard reaches what scrolls of Joylab's tables, also where a sanitiser took the attributes for that. */
export class ReachableHtml extends RenderedHTML {
  private readonly observer = new ResizeObserver(entries => entries.forEach(({ target }) => showReachable(target as HTMLElement)));

  override async render(model: IRenderMime.IMimeModel): Promise<void> {
    await super.render(model);
    this.observer.disconnect();
    for (const node of this.node.querySelectorAll<HTMLElement>('.joylab-Scroll')) this.observer.observe(node);
    // A wide table scrolls in the output itself.
    if (this.node.querySelector('.joylab-Records')) this.observer.observe(this.node);
  }

  override dispose(): void {
    this.observer.disconnect();
    super.dispose();
  }
}

/** Only what scrolls is a stop of the Tab key. */
function showReachable(node: HTMLElement): void {
  const scrolls = node.scrollWidth > node.clientWidth || node.scrollHeight > node.clientHeight;
  if (!scrolls) return node.removeAttribute('tabindex');
  node.tabIndex = 0;
  node.setAttribute('role', 'group');
  if (!node.hasAttribute('aria-label')) node.setAttribute('aria-label', `Table: ${headings(node)}`);
  // The notebook's shortcuts leave the keys that scroll alone.
  node.dataset.lmSuppressShortcuts = 'true';
}

function headings(node: HTMLElement): string {
  return [...node.querySelectorAll('th')].map(({ textContent }) => textContent).join(', ');
}
