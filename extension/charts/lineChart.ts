import type { Layout, Plotly, Trace } from 'plotly.js-basic-dist-min';
import { element } from '../widgets/element';
import { chartTheme, type ChartTheme } from './theme';

/** A line; with `low` and `high` also the band between them. */
export interface Line {
  name: string;
  x: number[];
  y: Array<number | null>;
  low?: Array<number | null>;
  high?: Array<number | null>;
}

/** The content of a chart. */
export interface ChartContent {
  lines: Line[];
  /** Range of the x axis; grows with the data when left out. */
  maxX?: number;
  /** Vertical lines. */
  marks: Array<{ x: number; text: string }>;
}

const HEIGHT = 220;

let loading: Promise<Plotly> | null = null;

/** Returns Plotly, which is large and loaded with the first chart. */
function loadPlotly(): Promise<Plotly> {
  loading ??= import('plotly.js-basic-dist-min').then((module) => module.default);
  loading.catch(() => {
    loading = null;
  });
  return loading;
}

/** A line chart over steps. It can be drawn again at any time: fast successive drawings are merged. */
export class LineChart {
  readonly node: HTMLElement;
  private readonly plot = element('div', 'joylab-Chart-plot');
  private readonly legend = element('div', 'joylab-Legend');
  /** Names of the lines that the user switched off. */
  private readonly hidden = new Set<string>();
  private readonly observer: ResizeObserver;
  private content: ChartContent | null = null;
  private drawing = false;
  private dirty = false;
  private drawn = false;
  private disposed = false;
  private width = 0;

  constructor(readonly title: string) {
    this.plot.style.height = `${HEIGHT}px`;
    this.node = element('figure', 'joylab-Chart', [
      element('figcaption', 'joylab-Chart-caption', [element('span', 'joylab-Chart-title', title), this.legend]),
      this.plot,
    ]);
    this.observer = new ResizeObserver(() => this.onResize());
    this.observer.observe(this.plot);
  }

  draw(content: ChartContent): void {
    this.content = content;
    this.redraw();
  }

  /** Draws again, for example in another theme. */
  redraw(): void {
    this.dirty = true;
    if (!this.drawing) void this.work();
  }

  dispose(): void {
    this.disposed = true;
    this.observer.disconnect();
    if (this.drawn) void loadPlotly().then((plotly) => plotly.purge(this.plot));
  }

  private async work(): Promise<void> {
    this.drawing = true;
    try {
      const plotly = await loadPlotly();
      while (this.dirty && !this.disposed && this.content && this.measure() > 0) {
        this.dirty = false;
        await this.paint(plotly, this.content);
      }
    } catch (error) {
      this.plot.textContent = `The chart could not be drawn: ${(error as Error).message}`;
    } finally {
      this.drawing = false;
    }
  }

  private async paint(plotly: Plotly, content: ChartContent): Promise<void> {
    const theme = chartTheme(this.plot);
    const colour = (i: number) => theme.series[i % theme.series.length];
    this.showLegend(content.lines, colour);
    const traces = content.lines.flatMap((line, i) => lineTraces(line, colour(i), !this.hidden.has(line.name)));
    this.drawn = true;
    await plotly.react(this.plot, traces, layout(content, theme, this.width), {
      displayModeBar: false,
      responsive: false,
      doubleClick: 'reset',
    });
    // Keyboard users find the numbers in the table: the picture is one image to screen readers.
    this.plot.setAttribute('role', 'img');
    this.plot.setAttribute('aria-label', describeChart(this.title, content));
  }

  /** Shows a toggle for each line; a single line needs none. */
  private showLegend(lines: Line[], colour: (i: number) => string): void {
    const shown = lines.length > 1 ? lines : [];
    const key = shown.map(({ name }, i) => `${name}\n${colour(i)}`).join('\n');
    if (this.legend.dataset.key === key) return;
    this.legend.dataset.key = key;
    this.legend.replaceChildren(...shown.map(({ name }, i) => this.legendItem(name, colour(i))));
  }

  private legendItem(name: string, colour: string): HTMLElement {
    const button = element('button', 'joylab-Legend-item', name);
    button.type = 'button';
    button.style.setProperty('--joylab-series', colour);
    button.setAttribute('aria-pressed', String(!this.hidden.has(name)));
    button.addEventListener('click', () => {
      if (!this.hidden.delete(name)) this.hidden.add(name);
      button.setAttribute('aria-pressed', String(!this.hidden.has(name)));
      this.redraw();
    });
    return button;
  }

  /** Returns the width in pixels; the last one where the chart is hidden. */
  private measure(): number {
    this.width = this.plot.clientWidth || this.width;
    return this.width;
  }

  private onResize(): void {
    if (this.plot.clientWidth > 0 && this.plot.clientWidth !== this.width) this.redraw();
  }
}

/** Returns what a chart shows, in words: the first and the last value of each line. */
function describeChart(title: string, { lines }: ChartContent): string {
  const ends = lines.flatMap(({ name, x, y }) => {
    const known = y.flatMap((value, i) => (value === null ? [] : [{ step: x[i], value: value.toPrecision(3) }]));
    const [first, last] = [known[0], known.at(-1)];
    return first && last ? [`${name} ${first.value} at step ${first.step}, ${last.value} at step ${last.step}`] : [];
  });
  return `Chart: ${title}. ${ends.join('; ')}`;
}

function lineTraces(line: Line, colour: string, visible: boolean): Trace[] {
  const few = line.x.length < 2;
  const mean: Trace = {
    x: line.x,
    y: line.y,
    name: escapeMarkup(line.name),
    visible,
    type: 'scatter',
    mode: few ? 'markers' : 'lines',
    line: { color: colour, width: 2 },
    marker: { color: colour, size: 6 },
    hovertemplate: '%{y:.4~g}',
  };
  if (!line.low || !line.high) return [mean];
  const edge = {
    x: line.x,
    type: 'scatter',
    mode: 'lines',
    line: { width: 0, color: colour },
    hoverinfo: 'skip',
    showlegend: false,
  };
  return [
    { ...edge, y: line.low, name: `${line.name} low` },
    { ...edge, y: line.high, name: `${line.name} high`, fill: 'tonexty', fillcolor: colour + '2e' },
    mean,
  ];
}

function layout(content: ChartContent, theme: ChartTheme, width: number): Layout {
  const axis = {
    gridcolor: theme.grid,
    linecolor: theme.axis,
    zerolinecolor: theme.axis,
    zerolinewidth: 1,
    tickfont: { color: theme.faint },
  };
  return {
    width,
    height: HEIGHT,
    margin: { l: 48, r: 12, t: 10, b: 28 },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: theme.font, size: 11, color: theme.text },
    showlegend: false,
    hovermode: 'x unified',
    hoverlabel: { bgcolor: theme.background, bordercolor: theme.axis, font: { color: theme.text } },
    // Keeps the zoom when new points come.
    uirevision: 'joylab',
    xaxis: {
      ...axis,
      showgrid: false,
      range: content.maxX ? [0, content.maxX] : undefined,
      rangemode: 'tozero',
      tickformat: 'd',
      hoverformat: 'd',
      ...wholeTicks(content),
      unifiedhovertitle: { text: 'step %{x}' },
    },
    yaxis: { ...axis, automargin: false, nticks: 5, tickformat: '~g', fixedrange: true },
    shapes: content.marks.map(({ x }) => ({
      type: 'line',
      x0: x,
      x1: x,
      yref: 'paper',
      y0: 0,
      y1: 1,
      line: { color: theme.mark, width: 1, dash: 'dot' },
    })),
    annotations: content.marks.map(({ x, text }) => ({
      x,
      y: 1,
      yref: 'paper',
      yanchor: 'middle',
      text: '◆',
      showarrow: false,
      font: { color: theme.mark, size: 10 },
      hovertext: `step ${x}: ${escapeMarkup(text)}`,
      hoverlabel: { bgcolor: theme.background, bordercolor: theme.axis, font: { color: theme.text } },
    })),
  };
}

/** Returns the ticks of the axis of steps: one at each step of a short axis, about eight on a longer one. */
function wholeTicks({ maxX, lines }: ChartContent): Layout {
  const end = maxX ?? Math.max(...lines.flatMap((line) => line.x));
  return end <= 10 ? { dtick: 1 } : { nticks: 8 };
}

/** Returns a text with HTML escaped: Plotly interprets some. */
function escapeMarkup(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
