import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { CellBadge } from './badge';
import { settings, settingsChanged } from '../settings';
import { followKernel, hasJoylab, joylabChanged } from './kernel';

/** Says of environment, reward and GRPO cells what they are, in notebooks whose kernel is Joylab. */
export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:cells',
  description: 'Badges of environment, reward and GRPO cells.',
  autoStart: true,
  requires: [INotebookTracker],
  activate(_app: JupyterFrontEnd, notebooks: INotebookTracker): void {
    notebooks.widgetAdded.connect((_, panel: NotebookPanel) => new NotebookBadges(panel));
  },
};

/** The badges of a notebook. */
class NotebookBadges {
  private readonly badges = new WeakMap<Cell, CellBadge>();

  constructor(private readonly panel: NotebookPanel) {
    panel.content.modelChanged.connect(this.followCells, this);
    this.followCells();
    joylabChanged.connect(this.onJoylab, this);
    settingsChanged.connect(this.update, this);
    panel.disposed.connect(() => {
      joylabChanged.disconnect(this.onJoylab, this);
      settingsChanged.disconnect(this.update, this);
    });
    followKernel(panel);
  }

  private onJoylab(_: unknown, panel: NotebookPanel): void {
    if (panel === this.panel) this.update();
  }

  private update(): void {
    this.each((badge) => badge.update());
  }

  private followCells(): void {
    this.panel.content.model?.cells.changed.connect(() => this.each(() => {}));
    this.each(() => {});
  }

  /** Calls `use` with the badge of each code cell, which is made where there is none. */
  private each(use: (badge: CellBadge) => void): void {
    const { content, sessionContext } = this.panel;
    for (const cell of content.widgets) {
      if (cell.model.type !== 'code') continue;
      const known = this.badges.get(cell);
      const isShown = () => settings.badges && hasJoylab(this.panel);
      const run = () => void NotebookActions.runCells(content, [cell], sessionContext);
      if (known) use(known);
      else this.badges.set(cell, new CellBadge(cell, isShown, run));
    }
  }
}
