import type { TrainingData } from '../../kernel/display/mime';
import { LineChart } from '../charts/lineChart';
import { watchTheme } from '../charts/theme';
import { element } from '../widgets/element';
import { METRIC_CHARTS, chartContent, type MetricChart } from './metrics';

/** The charts of a run, and a switch for each. */
export class ChartPanel {
  readonly node: HTMLElement;
  private readonly switches = element('div', 'joylab-Switches');
  private readonly grid = element('div', 'joylab-Charts');
  private readonly slots = METRIC_CHARTS.map((chart) => new Slot(chart, () => this.arrange()));
  private readonly unwatch: () => void;
  private data: TrainingData | null = null;

  constructor() {
    this.switches.setAttribute('role', 'group');
    this.switches.setAttribute('aria-label', 'Charts to show');
    this.node = element('div', 'joylab-ChartPanel', [this.switches, this.grid]);
    this.unwatch = watchTheme(() => this.slots.forEach((slot) => slot.chart?.redraw()));
  }

  show(data: TrainingData): void {
    this.data = data;
    this.arrange();
  }

  dispose(): void {
    this.unwatch();
    for (const slot of this.slots) slot.chart?.dispose();
  }

  private arrange(): void {
    const data = this.data;
    if (!data) return;
    const offered = this.slots.filter((slot) => chartContent(slot.metric, data) !== null);
    const shown = offered.filter((slot) => slot.wanted);
    this.node.hidden = offered.length === 0;
    replaceIfChanged(
      this.switches,
      offered.map((slot) => slot.button),
    );
    for (const slot of this.slots) slot.prepare(shown.includes(slot));
    replaceIfChanged(
      this.grid,
      shown.map((slot) => slot.chart!.node),
    );
    for (const slot of shown) slot.chart!.draw(chartContent(slot.metric, data)!);
  }
}

/** One chart with its switch. */
class Slot {
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

  /** Makes the chart when it is to be shown, and lets it go when not. */
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
