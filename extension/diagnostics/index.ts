import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import { CodeMirrorEditor } from '@jupyterlab/codemirror';
import { INotebookTracker, NotebookActions, type Notebook, type NotebookPanel } from '@jupyterlab/notebook';
import { settings, settingsChanged } from '../settings';
import { DiagnosticsConnection } from './connection';
import { markProblems } from './marks';

/** Milliseconds without a change after which the text is checked. */
const PAUSE = 400;

/** Underlines problems of the cell that is being edited: type errors, fields and values that an environment does not know. */
export const diagnosticsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:diagnostics',
  description: 'Marks type errors in the cell that is being edited.',
  autoStart: true,
  requires: [INotebookTracker],
  activate(_app: JupyterFrontEnd, notebooks: INotebookTracker): void {
    notebooks.widgetAdded.connect((_, panel: NotebookPanel) => new NotebookDiagnostics(panel));
  },
};

/** Checks the active cell of a notebook when it becomes active, after changes, and after an execution. */
class NotebookDiagnostics {
  private readonly connection: DiagnosticsConnection;
  private cell: Cell | null = null;
  private timer: number | undefined;

  constructor(private readonly panel: NotebookPanel) {
    const { content, sessionContext } = panel;
    this.connection = new DiagnosticsConnection(sessionContext);
    content.activeCellChanged.connect(() => this.follow(content.activeCell));
    sessionContext.kernelChanged.connect(this.later, this);
    sessionContext.statusChanged.connect((_, status) => {
      if (status === 'restarting' || status === 'autorestarting' || status === 'dead') this.connection.forget();
    });
    NotebookActions.executed.connect(this.onExecuted, this);
    settingsChanged.connect(this.onSettings, this);
    panel.disposed.connect(() => {
      window.clearTimeout(this.timer);
      NotebookActions.executed.disconnect(this.onExecuted, this);
      settingsChanged.disconnect(this.onSettings, this);
    });
    this.follow(content.activeCell);
  }

  private onExecuted(_: unknown, { notebook }: { notebook: Notebook }): void {
    if (notebook === this.panel.content) this.later();
  }

  private onSettings(): void {
    if (settings.problems) return this.later();
    for (const { editor } of this.panel.content.widgets)
      if (editor instanceof CodeMirrorEditor) markProblems(editor.editor, []);
  }

  private follow(cell: Cell | null): void {
    this.cell?.model?.sharedModel.changed.disconnect(this.later, this);
    this.cell = cell;
    cell?.model.sharedModel.changed.connect(this.later, this);
    this.later();
  }

  private later(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.look(), PAUSE);
  }

  private look(): void {
    const { cell } = this;
    if (!settings.problems || this.panel.isDisposed || !cell || cell.isDisposed || cell.model.type !== 'code') return;
    const code = cell.model.sharedModel.getSource();
    this.connection.ask(code, (problems) => {
      const { editor } = cell;
      // An answer about a text that was changed since is of no use: the next one is on its way.
      if (
        !settings.problems ||
        cell.isDisposed ||
        !(editor instanceof CodeMirrorEditor) ||
        cell.model.sharedModel.getSource() !== code
      )
        return;
      markProblems(editor.editor, problems);
    });
  }
}
