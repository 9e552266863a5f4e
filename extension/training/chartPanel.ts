import type { TrainingData } from '../../kernel/display/mime';
import { LineChart } from '../charts/lineChart';
import { watchTheme } from '../charts/theme';
import { element } from '../widgets/element';
import { METRIC_CHARTS, chartContent, type MetricChart } from './metrics';

/** The charts of a run, and a toggle for each. */
export class ChartPanel {
  readonly node: HTMLElement;
  private readonly switches = element('div', 'joylab-Switches');
  private readonly grid = element('div', 'joylab-Charts');
  private readonly toggles = METRIC_CHARTS.map((chart) => new ChartToggle(chart, () => this.arrange()));
  private readonly unwatch: () => void;
  private data: TrainingData | null = null;

  constructor() {
    this.switches.setAttribute('role', 'group');
    this.switches.setAttribute('aria-label', 'Charts to show');
    this.node = element('div', 'joylab-ChartPanel', [this.switches, this.grid]);
    this.unwatch = watchTheme(() => this.toggles.forEach((toggle) => toggle.chart?.redraw()));
  }

  show(data: TrainingData): void {
    this.data = data;
    this.arrange();
  }

  dispose(): void {
    this.unwatch();
    for (const toggle of this.toggles) toggle.chart?.dispose();
  }

  private arrange(): void {
    const data = this.data;
    if (!data) return;
    const offered = this.toggles.filter((toggle) => chartContent(toggle.metric, data) !== null);
    const shown = offered.filter((toggle) => toggle.wanted);
    this.node.hidden = offered.length === 0;
    replaceIfChanged(
      this.switches,
      offered.map((toggle) => toggle.button),
    );
    for (const toggle of this.toggles) toggle.prepare(shown.includes(toggle));
    replaceIfChanged(
      this.grid,
      shown.map((toggle) => toggle.chart!.node),
    );
    for (const toggle of shown) toggle.chart!.draw(chartContent(toggle.metric, data)!);
  }
}

/** One chart with its toggle. */
class ChartToggle {
  readonly button: HTMLButtonElement;
  wanted: boolean;
  chart: LineChart | null = null;

  constructor(
    readonly metric: MetricChart,
    changed: () => void,
  ) {
    this.wanted = metric.shown;
    this.button = element('button', 'joylab-Switch', metric.label);
    this.button.type = 'button';
    this.button.setAttribute('aria-pressed', String(this.wanted));
    this.button.addEventListener('click', () => {
      this.wanted = !this.wanted;
      this.button.setAttribute('aria-pressed', String(this.wanted));
      changed();
    });
  }

  /** Creates the chart when it is to be shown, and disposes it when not. */
  prepare(shown: boolean): void {
    if (shown) this.chart ??= new LineChart(this.metric.title);
    else {
      this.chart?.dispose();
      this.chart = null;
    }
  }
}

function replaceIfChanged(parent: HTMLElement, children: HTMLElement[]): void {
  const same = parent.children.length === children.length && children.every((child, i) => parent.children[i] === child);
  if (!same) parent.replaceChildren(...children);
}
