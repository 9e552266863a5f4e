import type { Layout, Plotly, Trace } from 'plotly.js-basic-dist-min';
import type { BenchmarkGroup, BenchmarkRow, IntervalData } from '../../kernel/display/benchmarkMime';
import { escapeMarkup } from '../charts/figure';
import { inTurn, loadPlotly } from '../charts/plotly';
import { chartTheme, watchTheme, type ChartTheme } from '../charts/theme';
import { element } from '../widgets/element';

/** Pixels of a row, and of the parts of the chart above and below the rows. */
const ROW = 30;
const ABOVE = 20;
const BELOW = 40;
/** Pixels of the names: of a character, at most, and of the narrowest plot beside them. */
const NAMES = { character: 6.6, most: 240, plot: 200 };

/** A chart of means with their intervals, a row for each policy. */
export class IntervalChart {
  readonly node: HTMLElement;
  private readonly plot = element('div', 'joylab-Benchmark-plot');
  private readonly observer: ResizeObserver;
  private readonly unwatch: () => void;
  private plotly: Plotly | null = null;
  private width = 0;
  private disposed = false;

  constructor(private readonly group: BenchmarkGroup) {
    this.plot.style.height = `${height(group)}px`;
    this.plot.setAttribute('role', 'img');
    this.plot.setAttribute(
      'aria-label',
      `Chart of the mean returns in ${group.environment}; the table has the numbers.`,
    );
    const hasBest = group.rows.some(({ best }) => best);
    this.node = element('div', 'joylab-Benchmark-chart', [...(hasBest ? [legend()] : []), this.plot]);
    this.observer = new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width === 0 || width === this.width) return;
      this.width = width;
      this.draw();
    });
    this.observer.observe(this.plot);
    this.unwatch = watchTheme(() => this.draw());
  }

  dispose(): void {
    this.disposed = true;
    this.observer.disconnect();
    this.unwatch();
    this.plotly?.purge(this.plot);
  }

  private draw(): void {
    void inTurn(async () => {
      if (this.width === 0) return;
      const plotly = await loadPlotly();
      if (this.disposed) return;
      this.plotly = plotly;
      const { data, layout } = figure(this.group, chartTheme(this.plot), this.width);
      await plotly.react(this.plot, data, layout, { displayModeBar: false, responsive: false, staticPlot: false });
    }).catch((error) => {
      this.plot.textContent = `The chart could not be drawn: ${(error as Error).message}`;
    });
  }
}

/** Returns what the two kinds of marks are. */
function legend(): HTMLElement {
  return element('div', 'joylab-Benchmark-legend', [
    element('span', 'joylab-mod-mean', 'mean'),
    element('span', 'joylab-mod-best', 'best of the attempts, chosen on other starts'),
  ]);
}

function height({ rows }: BenchmarkGroup): number {
  return ABOVE + rows.length * ROW + BELOW;
}

/** Returns what plotly draws: the best row at the top. */
function figure(group: BenchmarkGroup, theme: ChartTheme, width: number): { data: Trace[]; layout: Layout } {
  const { rows, chance } = group;
  const hasBest = rows.some(({ best }) => best);
  const names = rows.map(({ policy }) => policy);
  const left = Math.min(
    NAMES.most,
    Math.max(60, width - NAMES.plot),
    16 + NAMES.character * Math.max(...names.map(({ length }) => length)),
  );
  const [mean, best] = theme.series;
  const human = nearHuman(group);
  const marks = [
    ...(chance === undefined ? [] : [{ x: chance, text: 'chance' }]),
    ...(human === undefined ? [] : [{ x: human, text: 'human' }]),
  ];
  const fits = Math.floor((left - 12) / NAMES.character);
  return {
    data: [
      trace('mean', rows, ({ score }) => score, { colour: mean, symbol: 'circle', shift: -0.13 }),
      ...(hasBest
        ? [trace('best of the attempts', rows, (row) => row.best, { colour: best, symbol: 'diamond', shift: 0.17 })]
        : []),
    ],
    layout: {
      width,
      height: height(group),
      margin: { l: left, r: 16, t: ABOVE, b: BELOW },
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      font: { family: theme.font, size: 11, color: theme.text },
      hovermode: 'closest',
      hoverlabel: { bgcolor: theme.background, bordercolor: theme.axis, font: { color: theme.text } },
      dragmode: false,
      showlegend: false,
      xaxis: {
        title: { text: 'mean return, 95 % interval', standoff: 4, font: { color: theme.faint, size: 11 } },
        gridcolor: theme.grid,
        zeroline: false,
        tickfont: { color: theme.faint },
        fixedrange: true,
        nticks: Math.max(3, Math.floor((width - left) / 70)),
      },
      yaxis: {
        tickvals: rows.map((_, i) => i),
        ticktext: names.map((name) => escapeMarkup(name.length > fits ? `${name.slice(0, fits - 1)}…` : name)),
        range: [rows.length - 0.5, -0.5],
        showgrid: false,
        zeroline: false,
        fixedrange: true,
        ticklen: 4,
        tickcolor: 'rgba(0,0,0,0)',
      },
      shapes: marks.map(({ x }) => ({
        type: 'line',
        x0: x,
        x1: x,
        yref: 'paper',
        y0: 0,
        y1: 1,
        layer: 'below',
        line: { color: theme.faint, width: 1, dash: 'dot' },
      })),
      annotations: marks.map(({ x, text }) => ({
        x,
        y: 1,
        yref: 'paper',
        yanchor: 'bottom',
        text,
        showarrow: false,
        font: { color: theme.faint, size: 10 },
      })),
    },
  };
}

interface Look {
  colour: string;
  symbol: string;
  /** Part of a row by which the marks lie lower, in rows that have two. */
  shift: number;
}

function trace(
  name: string,
  rows: readonly BenchmarkRow[],
  valueOf: (row: BenchmarkRow) => IntervalData | undefined,
  { colour, symbol, shift }: Look,
): Trace {
  const shown = rows.flatMap((row, i) => {
    const value = valueOf(row);
    return value ? [{ value, y: i + (row.best ? shift : 0), policy: row.policy }] : [];
  });
  const side = (of: (value: IntervalData) => number) => shown.map(({ value }) => Math.max(0, of(value)));
  return {
    name,
    type: 'scatter',
    mode: 'markers',
    x: shown.map(({ value }) => value.mean),
    y: shown.map(({ y }) => y),
    text: shown.map(({ policy }) => escapeMarkup(policy)),
    hovertemplate: '%{text}: %{x:.4~g}<extra></extra>',
    marker: { color: colour, size: 9, symbol },
    error_x: {
      type: 'data',
      symmetric: false,
      array: side(({ mean, high }) => (high ?? mean) - mean),
      arrayminus: side(({ mean, low }) => mean - (low ?? mean)),
      color: colour,
      thickness: 2,
      width: 4,
    },
  };
}

/** Returns a human's return where it does not press everything else together; `undefined` else. */
function nearHuman({ rows, chance, human }: BenchmarkGroup): number | undefined {
  const values = rows.flatMap(({ score, best }) => [
    score.low ?? score.mean,
    score.high ?? score.mean,
    best?.mean ?? score.mean,
  ]);
  const [least, most] = [Math.min(...values, chance ?? Infinity), Math.max(...values)];
  return human && human.mean <= most + Math.max(most - least, Math.abs(most) / 10) ? human.mean : undefined;
}
