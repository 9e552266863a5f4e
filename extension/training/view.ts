import type { ISessionContext } from '@jupyterlab/apputils';
import type { TrainingData, TrainingMessage } from '../../kernel/display/mime';
import { watchVisibility } from '../frames/visibility';
import { element } from '../widgets/element';
import { ChartPanel } from './chartPanel';
import { TrainingConnection } from './connection';
import { GroupGrid } from './groupGrid';
import { TrainingState } from './state';
import { StatusLine } from './status';
import { MetricTable } from './table';

/** A training run: status, charts, newest group, table. Follows the run over its comm where there is a kernel. */
export class TrainingView {
  readonly node: HTMLElement;
  private readonly state: TrainingState;
  private readonly status = new StatusLine();
  private readonly charts = new ChartPanel();
  private readonly table = new MetricTable();
  private readonly group = new GroupGrid(step => this.connection?.acknowledge(step));
  private readonly unwatch: () => void;
  private connection: TrainingConnection | null = null;
  /** Until the session says otherwise, a running run is taken as alive. */
  private connected = true;
  private visible = false;
  private request = 0;

  /** `session`: `null` where outputs are shown without a kernel. */
  constructor(data: TrainingData, private readonly session: ISessionContext | null) {
    this.state = new TrainingState(data);
    this.node = element('div', 'joylab-Card joylab-Training', [this.status.node, this.charts.node, this.group.node, this.table.node]);
    this.unwatch = watchVisibility(this.node, visible => this.onVisible(visible));
    this.connected = session !== null;
    this.connect();
    this.paint();
    this.showSavedGroup();
  }

  get runId(): string {
    return this.state.data.runId;
  }

  /** Shows what the notebook says now. */
  update(data: TrainingData): void {
    this.state.update(data);
    this.connect();
    this.repaint();
    this.showSavedGroup();
  }

  dispose(): void {
    cancelAnimationFrame(this.request);
    this.unwatch();
    this.connection?.dispose();
    this.charts.dispose();
    this.group.dispose();
    this.node.remove();
  }

  /** A run that is over needs no kernel: the notebook has it all. */
  private connect(): void {
    const { status } = this.state.data;
    if (this.connection || !this.session || (status !== 'running' && status !== 'paused')) return;
    this.connection = new TrainingConnection(this.session, this.runId, {
      message: (message, buffers) => this.onMessage(message, buffers),
      connected: connected => {
        this.connected = connected;
        this.repaint();
      }
    });
    this.connection.setVisible(this.visible);
  }

  private onMessage(message: TrainingMessage, buffers: Uint8Array[]): void {
    this.state.receive(message, buffers);
    if (message.type === 'group') void this.group.show(this.state.group!);
    else this.repaint();
  }

  /** The notebook of a run that rests has its newest group; a live view may have it already. */
  private showSavedGroup(): void {
    const saved = this.state.data.group;
    if (!saved || saved.step === this.state.group?.step) return;
    this.state.group = { step: saved.step, episodes: saved.episodes, frames: [] };
    void this.group.show(this.state.group);
  }

  private onVisible(visible: boolean): void {
    this.visible = visible;
    this.group.setVisible(visible);
    this.connection?.setVisible(visible);
    if (visible) this.repaint();
  }

  /** Paints with the next frame: many messages make one painting. */
  private repaint(): void {
    if (this.request === 0) this.request = requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    this.request = 0;
    const { data } = this.state;
    this.status.show(data, this.connected);
    this.charts.show(data);
    this.table.show(data);
  }
}
