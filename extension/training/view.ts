import type { ISessionContext } from '@jupyterlab/apputils';
import type { ExperimentData } from '../../kernel/display/experimentMime';
import type { TrainingData, TrainingMessage } from '../../kernel/display/mime';
import { watchVisibility } from '../frames/visibility';
import { download } from '../widgets/download';
import { element } from '../widgets/element';
import { compareExperiments } from '../../kernel/display/training/experiment';
import { ChartPanel } from './chartPanel';
import { ComparisonNote } from './comparison';
import { TrainingConnection } from './connection';
import { TrainingState } from './state';
import { RewardsPart } from './rewards';
import { StatusLine } from './status';
import { watchPages } from './pages';
import { sentences, type Connection } from './sentences';
import { selected } from './selection';
import { MetricTable } from './table';
import { Wall } from './wall/wall';

/** Milliseconds that the kernel has to update the notebook of a run that has paused or ended. */
const UPDATE_TIME = 2000;

/** Milliseconds for which it is told that the connection is back. */
const BACK_TIME = 20_000;

/** Milliseconds between two drawings of charts and table while a run goes on, at least: its steps may be fast. */
const DRAW_INTERVAL = 500;
/** Entries of the log from which on the interval grows with them. */
const LONG_LOG = 500;

/** Shows a training run: status, charts, newest group, table. It follows the run over a comm where there is a kernel. */
export class TrainingView {
  readonly node: HTMLElement;
  private readonly state: TrainingState;
  private readonly status: StatusLine;
  private readonly comparison = new ComparisonNote();
  private readonly charts = new ChartPanel();
  private readonly rewards: RewardsPart;
  private readonly table = new MetricTable((step) => this.select(step));
  private readonly wall = new Wall({
    shown: (step) => this.connection?.acknowledge(step),
    follow: (tiles) => this.connection?.follow(tiles),
    drawn: () => this.connection?.drawn(),
    ask: (step, index) => this.connection?.open(step, index) ?? false,
    chosen: (step, index) => index !== null && this.select(step, index),
  });
  private readonly unwatch: () => void;
  private connection: TrainingConnection | null = null;
  /** Whether a kernel knows the run; assumed until the session says otherwise. */
  private connected = true;
  private wasConnected = false;
  private way: Connection = null;
  private wayTimer = 0;
  /** Other pages that show the run. */
  private others = 0;
  private readonly unwatchPages: () => void;
  private visible = false;
  private request = 0;
  private timer = 0;
  private drawTimer = 0;
  private drawnAt = -Infinity;

  /**
   * @param session `null` where outputs are shown without a kernel
   * @param keep called when the notebook may lack what is shown, and would not get it
   * @param cell runs it again, `null` where there is none; and the experiment that is saved with it
   */
  constructor(
    data: TrainingData,
    private readonly session: ISessionContext | null,
    private readonly keep: () => void,
    private readonly cell: { resume: (() => void) | null; saved(): ExperimentData | null },
  ) {
    this.state = new TrainingState(data);
    this.status = new StatusLine({
      control: (control) => this.connection?.control(control),
      report: () => this.connection?.report(),
      resume: cell.resume,
    });
    this.rewards = new RewardsPart(session);
    this.charts.sync.clicked.connect((_, step) => this.select(step));
    this.node = element('div', 'joylab-Card joylab-Training', [
      this.status.node,
      this.comparison.node,
      this.charts.node,
      this.rewards.node,
      this.wall.node,
      this.table.node,
    ]);
    this.unwatch = watchVisibility(this.node, (visible) => this.onVisible(visible));
    this.unwatchPages = watchPages(data.runId, (others) => {
      this.others = others;
      this.repaint();
    });
    this.connected = session !== null;
    this.connect();
    this.showStatus();
    this.draw(true);
    this.showSavedGroup();
  }

  get runId(): string {
    return this.state.data.runId;
  }

  /** Returns the run that is shown, for the notebook; `null` where it equals `kept`, which the notebook has. */
  newerThan(kept: TrainingData): TrainingData | null {
    const data = this.shown();
    const group = this.state.savedGroup();
    const rewards = this.rewards.data ?? data.rewards;
    const same =
      data.status === kept.status &&
      data.log.length === kept.log.length &&
      data.events.length === kept.events.length &&
      data.step === kept.step &&
      Boolean(data.comparison) === Boolean(kept.comparison) &&
      JSON.stringify(rewards) === JSON.stringify(kept.rewards) &&
      group?.step === kept.group?.step;
    return same ? null : { ...data, ...(rewards && { rewards }), ...(group && { group }) };
  }

  /** Shows newer data of the notebook. */
  update(data: TrainingData): void {
    this.state.update(data);
    this.connect();
    this.repaint();
    this.showSavedGroup();
  }

  dispose(): void {
    cancelAnimationFrame(this.request);
    for (const timer of [this.timer, this.drawTimer, this.wayTimer]) clearTimeout(timer);
    this.unwatch();
    this.unwatchPages();
    this.connection?.dispose();
    this.charts.dispose();
    this.rewards.dispose();
    this.wall.dispose();
    this.node.remove();
  }

  /** Connects to the run, unless it is over: then the notebook has all of it. */
  private connect(): void {
    const { status } = this.state.data;
    if (this.connection || !this.session || (status !== 'running' && status !== 'paused')) return;
    this.connection = new TrainingConnection(this.session, this.runId, {
      message: (message, buffers) => this.onMessage(message, buffers),
      connected: (connected) => this.onConnected(connected),
      away: (since) => this.onAway(since),
    });
    this.connection.setVisible(this.visible);
    this.connection.follow(this.wall.following);
  }

  private onConnected(connected: boolean): void {
    const isLost = this.wasConnected && !connected;
    this.connected = connected;
    this.wasConnected = connected;
    if (!connected) this.way = null;
    if (isLost) this.keep();
    this.repaint();
  }

  /** Tells that the way to the kernel is lost, and for a while that it is back. */
  private onAway(since: number | null): void {
    clearTimeout(this.wayTimer);
    const before = this.way;
    if (since !== null) this.way = { since };
    else if (before && 'since' in before) {
      this.way = { back: (Date.now() - before.since) / 1000 };
      this.wayTimer = window.setTimeout(() => this.onAway(null), BACK_TIME);
    } else this.way = null;
    this.repaint();
  }

  private onMessage(message: TrainingMessage, buffers: Uint8Array[]): void {
    this.state.receive(message, buffers);
    if (message.type === 'status' || message.type === 'data') this.keepSoon();
    if (message.type === 'stage') this.showStatus();
    else if (message.type === 'report') {
      this.status.buttons.reported(message.why);
      if (buffers[0]) download('report.html', new Blob([new Uint8Array(buffers[0])], { type: 'text/html' }));
    } else if (message.type === 'notice') this.status.buttons.tell(message.text);
    else if (message.type === 'group') void this.wall.show(this.state.group!);
    else if (message.type === 'playing') this.wall.playing(message);
    else if (message.type === 'live') void this.wall.live(message, buffers[0]);
    else if (message.type === 'episode')
      void this.wall.opened(message.step, message.index, message.episode, buffers[0], message.why);
    else this.repaint();
  }

  /**
   * Writes a run that has paused or ended into the notebook after a while: the kernel
   * updates its output itself, except where it is shown in another cell.
   */
  private keepSoon(): void {
    clearTimeout(this.timer);
    if (this.state.data.status !== 'running') this.timer = window.setTimeout(this.keep, UPDATE_TIME);
  }

  /** Returns the run as it is shown: one that was running or paused is lost where no kernel knows it. */
  private shown(): TrainingData {
    const { data } = this.state;
    const isLost = (data.status === 'running' || data.status === 'paused') && !this.connected;
    return isLost ? { ...data, status: 'lost' } : data;
  }

  /** Returns the run beside the experiment that is saved with its cell: the kernel knows only what the file has. */
  private compared(): TrainingData['comparison'] {
    const { data } = this.state;
    const saved = data.comparison || !data.experiment ? null : this.cell.saved();
    if (saved && saved.runId !== data.runId) data.comparison = compareExperiments(saved, data.experiment!);
    return data.comparison;
  }

  /** Shows the newest group that the notebook has, unless it is shown already. */
  private showSavedGroup(): void {
    const saved = this.state.data.group;
    if (!saved || saved.step === this.state.group?.step) return;
    this.state.group = { ...saved, frames: [] };
    void this.wall.show(this.state.group);
  }

  private onVisible(visible: boolean): void {
    this.visible = visible;
    this.connection?.setVisible(visible);
    if (visible) this.repaint();
  }

  /** Tells others which step the user wants to see, or which rollout of it. */
  private select(step: number, rollout?: number): void {
    selected.emit({ runId: this.runId, step, rollout, view: this.node });
  }

  private showStatus(): void {
    const live = this.connected && this.connection !== null;
    const data = this.shown();
    this.status.show(data, live, this.state.share);
    this.status.tell(sentences(data, this.way, this.others));
    this.connection?.watch(live && this.state.data.status === 'running');
    this.comparison.show(this.compared());
    this.wall.progress(data);
  }

  /** Paints in the next animation frame, once for all messages until then. */
  private repaint(): void {
    if (this.request === 0) this.request = requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    this.request = 0;
    this.showStatus();
    const { status, log } = this.state.data;
    const interval = DRAW_INTERVAL * Math.min(4, Math.max(1, log.length / LONG_LOG));
    const wait = status === 'running' ? this.drawnAt + interval - performance.now() : 0;
    if (wait <= 0) this.draw();
    else if (this.drawTimer === 0) this.drawTimer = window.setTimeout(() => this.draw(), wait);
  }

  /** @param charts whether the charts are drawn: those that nobody sees are not */
  private draw(charts = this.visible): void {
    clearTimeout(this.drawTimer);
    this.drawTimer = 0;
    this.drawnAt = performance.now();
    const data = this.shown();
    if (charts) this.charts.show(data);
    this.table.show(data);
    this.rewards.show(data.rewards);
  }
}
