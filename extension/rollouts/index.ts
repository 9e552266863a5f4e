import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import { shown } from '../cells/outputs';
import { settings } from '../settings';
import { selected } from '../training/selection';
import { DEFAULT_DATABASE, linkedRoute, readRoute, type Route } from './route';
import type { RolloutsPanel } from './panel';

/** The command that shows rollouts; its arguments are a {@link Route}. Without them: those of the notebook in front. */
const OPEN = 'joylab:open-rollouts';

/** Milliseconds that a linked view waits for the notebook that it is put beside. */
const NOTEBOOK_WAIT = 5000;

/** Shows the rollouts that runs have kept, beside the notebook. */
export const rolloutsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:rollouts',
  description: 'Shows the rollouts of runs: steps, groups, episodes beside their programs.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IEditorLanguageRegistry, ILayoutRestorer, ICommandPalette],
  activate(
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    languages: IEditorLanguageRegistry | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
  ): void {
    const views = new RolloutsViews(app, notebooks, languages);
    app.commands.addCommand(OPEN, {
      label: 'Show Rollouts',
      caption: 'Show the rollouts that the runs of this notebook have kept',
      execute: (args) => {
        const route = readRoute(args) ?? routeOf(notebooks.currentWidget);
        if (route) return views.open(route);
        Notification.info('Open a notebook first: its runs keep their rollouts beside it.', { autoClose: 5000 });
      },
    });
    palette?.addItem({ command: OPEN, category: 'Joylab' });
    if (restorer)
      void restorer.restore(views.tracker, {
        command: OPEN,
        args: ({ content }) => ({ ...content.route }) as never,
        name: ({ content }) => content.route.database,
      });
    selected.connect((_, { runId, step, rollout, view }) => {
      const panel = notebooks.find(({ node }) => node.contains(view)) ?? null;
      const database = panel && databaseOf(panel, runId);
      if (panel && database)
        void views.open({ notebook: panel.context.path, database, run: runId, step, position: rollout });
    });
    const linked = linkedRoute();
    if (!linked) return;
    // To JupyterLab it would be a heading of the notebook.
    window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
    void app.restored.then(() => firstNotebook(notebooks)).then(() => views.open(linked));
  },
};

/** The open views: one for each file. */
class RolloutsViews {
  readonly tracker = new WidgetTracker<MainAreaWidget<RolloutsPanel>>({ namespace: 'joylab-rollouts' });

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly notebooks: INotebookTracker,
    private readonly languages: IEditorLanguageRegistry | null,
  ) {}

  async open(route: Route): Promise<void> {
    const { app } = this;
    const known = this.tracker.find(({ content: { route: shown } }) => shown.database === route.database);
    if (known) {
      void known.content.visit(route);
      return app.shell.activateById(known.id);
    }
    // What only this view needs is loaded with the first one.
    const [{ RolloutsPanel }, { RolloutsConnection }] = await Promise.all([import('./panel'), import('./connection')]);
    const connection = new RolloutsConnection(app.serviceManager, route, () => this.kernelOf(route.notebook));
    const content = new RolloutsPanel(connection, this.languages, route, () => void this.tracker.save(widget));
    const widget = new MainAreaWidget({ content });
    widget.id = `joylab-rollouts-${Date.now()}`;
    widget.title.label = 'Rollouts';
    widget.title.caption = `Rollouts of ${route.notebook}`;
    widget.title.closable = true;
    await this.tracker.add(widget);
    this.place(widget, route.notebook);
    void content.visit(route);
  }

  /** Puts a view beside its notebook, or below it; where the front end has one document only, over it. */
  private place(widget: MainAreaWidget<RolloutsPanel>, notebook: string): void {
    const { shell } = this.app;
    const beside = this.notebooks.find(({ context }) => context.path === notebook) ?? this.notebooks.currentWidget;
    if ('mode' in shell) {
      const mode = settings.rolloutsPlace === 'below' ? 'split-bottom' : 'split-right';
      shell.add(widget, 'main', beside ? { ref: beside.id, mode } : {});
      shell.activateById(widget.id);
    } else {
      // Notebook 7 has one document in its main area: the view lies over it, with a way back.
      void import('./overlay').then(({ showOver }) => showOver(widget));
    }
  }

  private kernelOf(notebook: string) {
    const panel = this.notebooks.find(({ context }) => context.path === notebook);
    return panel?.sessionContext.session?.kernel ?? null;
  }
}

/** Returns where the runs of a notebook keep their rollouts; `null` without a notebook. */
function routeOf(panel: NotebookPanel | null): Route | null {
  if (!panel) return null;
  const run = runsOf(panel)
    .filter(({ rollouts }) => rollouts !== undefined)
    .at(-1);
  const notebook = panel.context.path;
  return run ? { notebook, database: run.rollouts!, run: run.runId } : { notebook, database: DEFAULT_DATABASE };
}

/** Resolves when a notebook is in front, which the page's address may name, or after a while. */
async function firstNotebook(notebooks: INotebookTracker): Promise<void> {
  const opened = new Promise<void>((resolve) => {
    if (notebooks.currentWidget) return resolve();
    notebooks.currentChanged.connect(() => resolve());
  });
  await Promise.race([opened, new Promise((resolve) => window.setTimeout(resolve, NOTEBOOK_WAIT))]);
}

function databaseOf(panel: NotebookPanel, runId: string): string | undefined {
  return runsOf(panel).find((run) => run.runId === runId)?.rollouts;
}

/** Returns the training runs that a notebook shows. */
function runsOf({ content }: NotebookPanel): TrainingData[] {
  return content.widgets.flatMap((cell) => shown<TrainingData>(cell, TRAINING_MIME));
}
