import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { Widget } from '@lumino/widgets';
import { hasJoylab, joylabChanged } from '../cells/kernel';
import { cellKinds } from '../cells/kinds';
import { settings, settingsChanged } from '../settings';
import type { CellActions } from './actions';

/** Adds what environment, reward and GRPO cells can do to JupyterLab's toolbar of the active cell; its place there is in schema/settings.json. */
export const toolbarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:toolbar',
  description: 'Buttons of environment, reward and GRPO cells in the toolbar of the cell.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IToolbarWidgetRegistry],
  activate({ commands }: JupyterFrontEnd, notebooks: INotebookTracker, registry: IToolbarWidgetRegistry | null): void {
    registry?.addFactory<Cell>('Cell', 'joylab-actions', (cell) => {
      const panel = notebooks.find(({ content }) => content.widgets.includes(cell)) ?? null;
      return new ActionsItem(cell, panel, (command, args) => void commands.execute(command, args as never));
    });
  },
};

/** Runs a command of the front end. */
export type Execute = (command: string, args?: object) => void;

/** The item of the toolbar: empty for cells without a directive; what it shows is loaded with the first that has one. */
class ActionsItem extends Widget {
  private actions: CellActions | null = null;
  private loading = false;

  constructor(
    private readonly cell: Cell,
    private readonly panel: NotebookPanel | null,
    private readonly execute: Execute,
  ) {
    super();
    this.addClass('joylab-Actions');
    cell.model.contentChanged.connect(this.refresh, this);
    settingsChanged.connect(this.refresh, this);
    joylabChanged.connect(this.refresh, this);
    panel?.sessionContext.statusChanged.connect(this.refresh, this);
    this.refresh();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    // The model of a cell that was deleted is gone.
    this.cell.model?.contentChanged.disconnect(this.refresh, this);
    settingsChanged.disconnect(this.refresh, this);
    joylabChanged.disconnect(this.refresh, this);
    this.panel?.sessionContext.statusChanged.disconnect(this.refresh, this);
    super.dispose();
  }

  private refresh(): void {
    const { cell, panel } = this;
    if (this.isDisposed || cell.isDisposed) return;
    const isShown =
      settings.cellToolbar &&
      hasJoylab(panel) &&
      cell.model.type === 'code' &&
      cellKinds(cell.model.sharedModel.getSource()).length > 0;
    this.setHidden(!isShown);
    if (!isShown) return;
    if (this.actions) this.actions.update();
    else if (!this.loading) void this.load(panel);
  }

  private async load(panel: NotebookPanel): Promise<void> {
    this.loading = true;
    const { CellActions } = await import('./actions');
    if (this.isDisposed) return;
    this.actions = new CellActions(this.cell, panel, this.execute);
    this.node.append(this.actions.node);
    this.refresh();
  }
}
