import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';

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
