import type { Layout, Trace } from 'plotly.js-basic-dist-min';
import type { ChartContent, ChartMark, Line } from './content';
import { smoothed, thinned, within } from './series';
import type { ChartTheme } from './theme';

/** How a chart is drawn. */
export interface ChartLook {
  theme: ChartTheme;
  width: number;
  height: number;
  range: [number, number] | null;
  smoothing: number;
  log: boolean;
  /** Names of the lines that are switched off. */
  hidden: ReadonlySet<string>;
}

/** Pixels around the plot, for its axes. */
export const MARGIN = { l: 50, r: 12, t: 12, b: 40 };

/** Returns what plotly draws. */
export function figure(content: ChartContent, look: ChartLook): { data: Trace[]; layout: Layout } {
  const lines = content.lines.map((line) => {
    const mean = look.smoothing > 0 ? smoothed(line, look.smoothing) : line;
    return { raw: line, mean };
  });
  const data = lines.flatMap(({ raw, mean }, i) => lineTraces(raw, mean, i, look));
  const shown = lines.filter(({ raw }) => !look.hidden.has(raw.name)).map(({ mean }) => mean);
  return { data, layout: layout(content, shown, look) };
}

/** Returns whether a chart can have a logarithmic axis: all its values are above 0. */
export function allPositive({ lines }: ChartContent): boolean {
  return lines.every(({ y }) => y.every((value) => value === null || value > 0));
}

function lineTraces(raw: Line, mean: Line, index: number, look: ChartLook): Trace[] {
  const { theme, range, width, smoothing, log } = look;
  const colour = theme.series[index % theme.series.length];
  const visible = !look.hidden.has(raw.name);
  const fit = (line: Line): Line => thinned(within(line, range), width);
  const line = fit(mean);
  const trace: Trace = {
    x: line.x,
    y: line.y,
    name: escapeMarkup(line.name),
    visible,
    type: 'scatter',
    mode: line.x.length < 2 ? 'markers' : 'lines',
    line: { color: colour, width: 2 },
    marker: { color: colour, size: 6 },
    // The legend tells the values: a box would cover the line.
    hoverinfo: 'none',
  };
  const edge = { type: 'scatter', mode: 'lines', visible, hoverinfo: 'skip', showlegend: false };
  const behind: Trace[] = [];
  if (smoothing > 0) {
    const { x, y } = fit(raw);
    behind.push({ ...edge, x, y, name: `${raw.name}, not smoothed`, line: { color: `${colour}55`, width: 1 } });
  }
  if (line.low && line.high) {
    const floor = log ? Math.min(...line.y.filter((value) => value !== null && value > 0).map(Number)) / 10 : -Infinity;
    const low = line.low.map((value) => (value === null ? null : Math.max(value, floor)));
    const band = { ...edge, x: line.x, line: { width: 0, color: colour } };
    behind.push(
      { ...band, y: low, name: `${line.name} low` },
      { ...band, y: line.high, name: `${line.name} high`, fill: 'tonexty', fillcolor: `${colour}2e` },
    );
  }
  return [...behind, trace];
}

function layout(content: ChartContent, shown: Line[], { theme, width, height, range, log }: ChartLook): Layout {
  const axis = {
    gridcolor: theme.grid,
    linecolor: theme.axis,
    zerolinecolor: theme.axis,
    zerolinewidth: 1,
    tickfont: { color: theme.faint },
  };
  const across = range ?? (content.maxX ? [0, content.maxX] : undefined);
  return {
    width,
    height,
    margin: MARGIN,
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: theme.font, size: 11, color: theme.text },
    showlegend: false,
    hovermode: 'x',
    hoverdistance: -1,
    dragmode: 'zoom',
    xaxis: {
      ...axis,
      title: { text: 'step', standoff: 4, font: { color: theme.faint, size: 11 } },
      showgrid: false,
      type: 'linear',
      range: across,
      rangemode: 'tozero',
      tickformat: 'd',
      ...wholeTicks(content, across),
    },
    yaxis: {
      ...axis,
      automargin: false,
      nticks: 5,
      tickformat: log ? '.1~e' : '~g',
      fixedrange: true,
      type: log ? 'log' : 'linear',
      ...(range && heightsWithin(shown, range, log)),
    },
    ...marks(content.marks, theme),
  };
}

const SIGNS = { pause: '❚❚', resume: '▶', other: '◆' };

function marks(all: ChartMark[], theme: ChartTheme): Layout {
  const colour = ({ kind }: ChartMark) => (kind ? theme.faint : theme.mark);
  // What happened last at a step covers the rest.
  const last = all.filter((mark, i) => !all.slice(i + 1).some(({ x }) => x === mark.x));
  return {
    shapes: last.map((mark) => ({
      type: 'line',
      x0: mark.x,
      x1: mark.x,
      yref: 'paper',
      y0: 0,
      y1: 1,
      line: { color: colour(mark), width: 1, dash: 'dot' },
    })),
    annotations: last.map((mark) => ({
      x: mark.x,
      y: 1,
      yref: 'paper',
      yanchor: 'middle',
      text: SIGNS[mark.kind ?? 'other'],
      showarrow: false,
      font: { color: colour(mark), size: mark.kind ? 8 : 10 },
    })),
  };
}

/** Returns the range of values at the steps that are shown: plotly's own is that of all. */
function heightsWithin(lines: Line[], [from, to]: [number, number], log: boolean): Layout {
  const values = lines.flatMap(({ x, y, low, high }) =>
    x.flatMap((step, i) => (step < from || step > to ? [] : [y[i], low?.[i], high?.[i]])),
  );
  const known = values.filter((value): value is number => value != null && (!log || value > 0));
  if (known.length === 0) return {};
  let [least, most] = [Infinity, -Infinity];
  for (const value of known) [least, most] = [Math.min(least, value), Math.max(most, value)];
  if (log) [least, most] = [Math.log10(least), Math.log10(most)];
  const room = (most - least || Math.abs(most) || 1) * 0.06;
  return { range: [least - room, most + room] };
}

/** Returns the ticks of the axis of steps: one at each step of a short axis, about eight on a longer one. */
function wholeTicks({ lines }: ChartContent, across: number[] | undefined): Layout {
  const [start, end] = across ?? [0, Math.max(...lines.map((line) => line.x.at(-1) ?? 0))];
  return end - start <= 10 ? { dtick: 1 } : { nticks: 8 };
}

/** Returns a text with HTML escaped: Plotly interprets some. */
export function escapeMarkup(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
