import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import type { EnvironmentRow, OverviewData, OverviewRequest, RunRow } from '../../kernel/display/overview';
import type { RunSummary } from '../../kernel/display/rollouts';
import { cellKinds, type CellKind } from '../cells/kinds';
import { shown } from '../cells/outputs';
import { cellState } from '../cells/state';
import { rewardsComm, type RewardsComm } from '../rewards/connection';
import { RewardsPanel } from '../rewards/panel';
import { DEFAULT_DATABASE, type Route } from '../rollouts/route';
import { cellOfRun } from '../training/cell';
import { rerunCell } from '../training/rerun';
import { element, setChildren } from '../widgets/element';
import { earlierRuns, type KeptRun } from './earlier';
import { emptyState } from './empty';
import { environmentList } from './environments';
import { keptRuns } from './keptRuns';
import { cellOfSource, cellOfVariable, goTo } from './place';
import { RunView } from './runs';
import { Section } from './section';

/** The environments, reward functions and runs of a notebook whose kernel is Joylab. */
export class NotebookContents {
  readonly node: HTMLElement;
  private readonly environments = new Section('Environments');
  private readonly rewards = new Section('Rewards');
  private readonly runs = new Section('Runs');
  private readonly refusal = element('div', 'joylab-Panel-refusal');
  private readonly runList = element('ul', 'joylab-Panel-list');
  private readonly views = new Map<string, RunView>();
  private rewardsId: string | null | undefined;
  private connection: RewardsComm | null = null;
  private earlier: KeptRun[] = [];
  /** The runs at the last look for kept ones. */
  private lastRuns: string | null = null;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly panel: NotebookPanel,
    private readonly send: (request: OverviewRequest) => void,
  ) {
    this.refusal.setAttribute('role', 'alert');
    const title = element('div', 'joylab-Panel-title', panel.title.label);
    const { environments, rewards, runs } = this;
    this.node = element('div', '', [title, this.refusal, environments.node, rewards.node, runs.node]);
  }

  show(data: OverviewData): void {
    this.showEnvironments(data.environments);
    this.followRewards(data.rewards);
    this.showRuns(data.runs);
    const runs = data.runs.map(({ runId, status }) => `${runId} ${status}`).join();
    if (runs === this.lastRuns) return;
    this.lastRuns = runs;
    void this.lookForKept(data.runs);
  }

  /** Shows why something was not done. */
  refuse(text: string): void {
    this.refusal.textContent = text;
  }

  dispose(): void {
    this.connection?.dispose();
    this.connection = null;
  }

  private showEnvironments(rows: readonly EnvironmentRow[]): void {
    const { panel } = this;
    const place = ({ variables }: EnvironmentRow) => cellOfVariable(panel, variables);
    const open = rows.filter(({ sessions }) => sessions !== null).length;
    this.environments.count(open > 0 ? String(open) : '');
    if (rows.length === 0)
      return this.environments.show([
        this.empty(
          'No environment is open.',
          'openenv',
          'Insert an environment cell',
          'joylab:insert-environment-cell',
        ),
      ]);
    const list = environmentList(rows, {
      show: (row) => this.visit(place(row)),
      play: (row) => {
        const cell = place(row);
        return cell && cellState(cell, false).plays ? () => void this.play(cell) : null;
      },
      close: ({ variables: [variable] }) => this.ask({ type: 'close', variable }),
    });
    this.environments.show([list]);
  }

  private async play(cell: Cell): Promise<void> {
    await goTo(this.app, this.panel, cell);
    cell.node.querySelector<HTMLElement>('.joylab-Environment-play')?.click();
  }

  private followRewards(id: string | null): void {
    if (id === this.rewardsId) return;
    this.rewardsId = id;
    this.dispose();
    if (id === null)
      return this.rewards.show([
        this.empty('No reward function is registered.', 'reward', 'Insert a reward cell', 'joylab:insert-reward-cell'),
      ]);
    let shownPanel: RewardsPanel | null = null;
    this.connection = rewardsComm(this.panel.sessionContext, id, {
      message: (message) => {
        if (message.type === 'error') return shownPanel?.refuse(message.text);
        this.rewards.count(String(message.data.rows.filter(({ enabled }) => enabled).length));
        if (shownPanel) return shownPanel.show(message.data);
        const visit = (source: string) => this.visit(cellOfSource(this.panel, source));
        shownPanel = new RewardsPanel(message.data, (request) => this.connection?.send(request), visit);
        shownPanel.enable(true);
        this.rewards.show([shownPanel.node]);
      },
      connected: (connected) => shownPanel?.enable(connected),
    });
  }

  private showRuns(runs: readonly RunRow[]): void {
    for (const row of runs) {
      const { runId } = row;
      const view = this.views.get(runId) ?? this.newRun(runId);
      this.views.set(runId, view);
      view.show(row);
    }
    const going = runs.filter(({ status }) => status === 'running').length;
    this.runs.count(going > 0 ? String(going) : '');
    setChildren(
      this.runList,
      runs.map(({ runId }) => this.views.get(runId)!.node),
    );
    const earlier = this.earlier.filter(({ run }) => !runs.some(({ runId }) => runId === run));
    const nothing = this.empty('Nothing was trained yet.', 'grpo', 'Insert a GRPO cell', 'joylab:insert-grpo-cell');
    this.runs.show([
      ...(runs.length > 0 ? [this.runList] : earlier.length > 0 ? [] : [nothing]),
      ...earlierRuns(earlier, (run) => this.openRollouts(run)),
    ]);
  }

  private newRun(runId: string): RunView {
    return new RunView(runId, {
      show: () => this.visit(cellOfRun(this.panel, runId)),
      resume: () => rerunCell(this.panel, runId),
      control: (_, control) => this.ask({ type: 'control', runId, control }),
      rollouts: ({ rollouts }) => rollouts !== undefined && this.openRollouts({ database: rollouts, run: runId }),
    });
  }

  /** Reads the runs that files of rollouts have: those that the notebook's runs name, and the usual one. */
  private async lookForKept(runs: readonly RunRow[]): Promise<void> {
    const kernel = this.panel.sessionContext.session?.kernel;
    if (!kernel) return;
    const saved = this.panel.content.widgets.flatMap((cell) => shown<TrainingData>(cell, TRAINING_MIME));
    const files = new Set([...runs, ...saved].flatMap(({ rollouts }) => rollouts ?? []).concat(DEFAULT_DATABASE));
    const found = await Promise.all(
      [...files].map(async (database) =>
        (await keptRuns(kernel, database)).map((run: RunSummary): KeptRun => ({ ...run, database })),
      ),
    );
    this.earlier = found.flat().sort((a, b) => b.started - a.started);
    this.showRuns(runs);
  }

  private openRollouts({ database, run }: Pick<Route, 'database' | 'run'>): void {
    void this.app.commands.execute('joylab:open-rollouts', { database, run, notebook: this.panel.context.path });
  }

  private ask(request: OverviewRequest): void {
    this.refusal.textContent = '';
    this.send(request);
  }

  private visit(cell: Cell | undefined): void {
    if (cell) void goTo(this.app, this.panel, cell);
    else this.refuse('Its cell is not in this notebook any more.');
  }

  /** Returns what is told where there is nothing of a kind: a cell that would make it is run, or inserted where there is none. */
  private empty(text: string, kind: CellKind, insert: string, command: string): HTMLElement {
    const { content, sessionContext } = this.panel;
    const cell = content.widgets.find(
      ({ model }) => model.type === 'code' && cellKinds(model.sharedModel.getSource()).includes(kind),
    );
    const run = {
      label: 'Run its cell',
      run: () => void NotebookActions.runCells(content, [cell!], sessionContext),
    };
    const add = { label: insert, run: () => void this.app.commands.execute(command) };
    return emptyState(text, cell ? [run, add] : [add]);
  }
}
