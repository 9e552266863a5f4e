import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';

/** Renders with a renderer that is loaded with the first output of its type: JupyterLab starts without it. */
export class LazyRenderer extends Widget implements IRenderMime.IRenderer {
  private inner: Promise<IRenderMime.IRenderer> | null = null;

  constructor(private readonly load: () => Promise<IRenderMime.IRenderer>) {
    super();
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const renderer = await (this.inner ??= this.load());
    if (this.isDisposed) return renderer.dispose();
    if (renderer.node.parentNode !== this.node) this.node.append(renderer.node);
    await renderer.renderModel(model);
  }

  override dispose(): void {
    if (!this.isDisposed) void this.inner?.then((renderer) => renderer.dispose());
    super.dispose();
  }
}
