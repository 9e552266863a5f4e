import type { TrainingData } from '../../kernel/display/mime';
import { LineChart } from '../charts/lineChart';
import { ChartSync } from '../charts/sync';
import { watchTheme } from '../charts/theme';
import { settings, settingsChanged } from '../settings';
import { download } from '../widgets/download';
import { element, setChildren } from '../widgets/element';
import { METRIC_CHARTS, chartContent, logCsv, type MetricChart } from './metrics';

/** Pixels of a chart, at least, and charts beside each other, at most. */
const WIDTH = 340;
const MOST_COLUMNS = 6;

/** The charts of a run, a toggle for each, and what they share: zoom, smoothing, cursor. */
export class ChartPanel {
  readonly node: HTMLElement;
  readonly sync = new ChartSync();
  private readonly switches = element('div', 'joylab-Switches');
  private readonly grid = element('div', 'joylab-Charts');
  private readonly reset = textButton('Reset zoom', 'Show all steps again', () => {
    this.sync.range = null;
  });
  private readonly toggles = METRIC_CHARTS.map((chart) => new ChartToggle(chart, this.sync, () => this.arrange()));
  private readonly observer = new ResizeObserver(() => this.setColumns());
  private readonly unwatch: () => void;
  private data: TrainingData | null = null;
  private followDefault = (): void => {};

  constructor() {
    this.switches.setAttribute('role', 'group');
    this.switches.setAttribute('aria-label', 'Charts to show');
    this.reset.hidden = true;
    const data = textButton('Save data', 'Save all metrics as CSV', () => this.saveData());
    const tools = element('div', 'joylab-ChartPanel-tools', [this.reset, this.makeSmoothing(), data]);
    this.node = element('div', 'joylab-ChartPanel', [
      element('div', 'joylab-ChartPanel-head', [this.switches, tools]),
      this.grid,
    ]);
    this.unwatch = watchTheme(() => this.toggles.forEach((toggle) => toggle.chart?.redraw()));
    this.observer.observe(this.grid);
    this.sync.changed.connect(() => {
      this.reset.hidden = this.sync.range === null;
    });
  }

  show(data: TrainingData): void {
    this.data = data;
    this.arrange();
  }

  dispose(): void {
    settingsChanged.disconnect(this.followDefault);
    this.unwatch();
    this.observer.disconnect();
    for (const toggle of this.toggles) toggle.chart?.dispose();
  }

  private arrange(): void {
    const data = this.data;
    if (!data) return;
    const contents = new Map(this.toggles.map((toggle) => [toggle, chartContent(toggle.metric, data)]));
    const offered = this.toggles.filter((toggle) => contents.get(toggle) !== null);
    const shown = offered.filter((toggle) => toggle.wanted);
    this.node.hidden = offered.length === 0;
    setChildren(
      this.switches,
      offered.map((toggle) => toggle.button),
    );
    for (const toggle of this.toggles) toggle.prepare(shown.includes(toggle));
    setChildren(
      this.grid,
      shown.map((toggle) => toggle.chart!.node),
    );
    this.setColumns();
    for (const toggle of shown) toggle.chart!.draw(contents.get(toggle)!);
  }

  /** Divides the charts into rows that are equally full. */
  private setColumns(): void {
    const count = this.grid.children.length;
    const fit = Math.max(1, Math.min(MOST_COLUMNS, Math.floor(this.grid.clientWidth / WIDTH)));
    const rows = Math.ceil(count / fit);
    this.grid.style.setProperty('--joylab-columns', String(Math.max(1, Math.ceil(count / Math.max(1, rows)))));
  }

  private makeSmoothing(): HTMLElement {
    const input = element('input', 'joylab-Smoothing-input');
    Object.assign(input, { type: 'range', min: '0', max: '0.98', step: '0.02' });
    const take = (): void => {
      input.value = String(settings.smoothing);
      this.sync.smoothing = settings.smoothing;
    };
    this.followDefault = take;
    settingsChanged.connect(take);
    take();
    const label = element('label', 'joylab-Smoothing', ['Smoothing', input]);
    label.title = 'Running mean: the weight of the steps before';
    label.dataset.lmSuppressShortcuts = 'true';
    input.addEventListener('input', () => {
      // From here on it is the user's.
      settingsChanged.disconnect(take);
      this.sync.smoothing = Number(input.value);
    });
    return label;
  }

  private saveData(): void {
    if (this.data) download('training.csv', new Blob([logCsv(this.data)], { type: 'text/csv' }));
  }
}

/** One chart with its toggle. */
class ChartToggle {
  readonly button: HTMLButtonElement;
  wanted: boolean;
  chart: LineChart | null = null;

  constructor(
    readonly metric: MetricChart,
    private readonly sync: ChartSync,
    changed: () => void,
  ) {
    this.wanted = metric.shown;
    this.button = textButton(metric.label, `Show or hide: ${metric.title}`, () => {
      this.wanted = !this.wanted;
      this.button.setAttribute('aria-pressed', String(this.wanted));
      changed();
    });
    this.button.setAttribute('aria-pressed', String(this.wanted));
  }

  /** Creates the chart when it is to be shown, and disposes it when not. */
  prepare(shown: boolean): void {
    if (shown) this.chart ??= new LineChart(this.metric.title, this.sync);
    else {
      this.chart?.dispose();
      this.chart = null;
    }
  }
}

function textButton(text: string, title: string, onClick: () => void): HTMLButtonElement {
  const button = element('button', 'joylab-Switch', text);
  button.type = 'button';
  button.title = title;
  button.addEventListener('click', onClick);
  return button;
}
