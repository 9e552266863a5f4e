import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { LazyRenderer } from './lazyRenderer';

/**
 * Registers a renderer that speaks with its notebook's kernel. Renderers do not know
 * it, so each notebook has a factory of its own; that for outputs elsewhere is made
 * with `null`.
 */
export function addNotebookRenderer(
  rendermime: IRenderMimeRegistry,
  notebooks: INotebookTracker,
  factory: (panel: NotebookPanel | null) => IRenderMime.IRendererFactory,
): void {
  rendermime.addFactory(factory(null), 0);
  notebooks.widgetAdded.connect((_, panel) => panel.content.rendermime.addFactory(factory(panel), 0));
}

/**
 * Registers a renderer of a notebook that is loaded with the first output of its type,
 * also for notebooks that are not trusted: it shows data, and runs none.
 *
 * @param load makes the renderer; the notebook is `null` for outputs elsewhere
 */
export function addLazyRenderer(
  rendermime: IRenderMimeRegistry,
  notebooks: INotebookTracker,
  mimeType: string,
  load: (context: DocumentRegistry.Context | null) => Promise<IRenderMime.IRenderer>,
): void {
  addNotebookRenderer(rendermime, notebooks, (panel) => ({
    safe: true,
    mimeTypes: [mimeType],
    createRenderer: () => new LazyRenderer(() => load(panel?.context ?? null)),
  }));
}
