import { GREY } from '../pictures/grey';
import { svgImage } from '../pictures/svgImage';
import { escapeHtml, formatNumber } from '../table';

/** A line of a chart; the area between `low` and `high` is shaded. */
export interface Series {
  name: string;
  points: Array<{ x: number; y: number; low?: number; high?: number }>;
}

/** A line chart over training steps. */
export interface Chart {
  title: string;
  series: Series[];
  /** Vertical marks, such as a replaced reward function. */
  marks?: Array<{ x: number; text: string }>;
}

const width = 420;
const height = 230;
const plot = { left: 52, right: width - 12, top: 44, bottom: height - 28 };

/** Colours that are readable on white and on black: the picture does not know the theme. */
const colours = ['#4c78d8', '#e07b39', '#3fa66b', '#c05b9f', '#8d6cd9', '#b8922f', '#39a3b5', '#d1495b'];

/** Returns the chart as an SVG picture with a transparent background. @param ink colour of its text; by default one for any background */
export function chartSvg({ title, series, marks = [] }: Chart, ink = GREY): string {
  const points = series.flatMap(({ points }) => points);
  const x = axis(
    points.map((point) => point.x),
    plot.left,
    plot.right,
    true,
  );
  const y = axis(
    points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]),
    plot.bottom,
    plot.top,
  );
  const body = [
    `<text x="${plot.left}" y="16" font-size="13" font-weight="bold">${escapeHtml(title)}</text>`,
    ...(series.length > 1 ? legend(series) : []),
    ...y.ticks.map((tick) => gridLine(y.at(tick), formatNumber(tick, y.digits))),
    ...x.ticks.map(
      (tick) => `<text x="${round(x.at(tick))}" y="${height - 10}" text-anchor="middle">${formatNumber(tick)}</text>`,
    ),
    ...marks.map((mark) => markLine(x.at(mark.x), mark.text)),
    ...series.map((one, i) => seriesSvg(one, colours[i % colours.length], x.at, y.at)),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
    `font-family="sans-serif" font-size="11" fill="${ink}">\n${body.join('\n')}\n</svg>`
  );
}

/** Returns the chart as an `<img>` with a data URL. */
export function chartImage(chart: Chart): string {
  return svgImage(chartSvg(chart), chart.title, { width, height });
}

function seriesSvg({ points }: Series, colour: string, atX: (x: number) => number, atY: (y: number) => number): string {
  if (points.length === 0) return '';
  const place = (x: number, y: number) => `${round(atX(x))},${round(atY(y))}`;
  const line = points.map(({ x, y }) => place(x, y));
  const upper = points.map(({ x, y, high }) => place(x, high ?? y));
  const lower = points.map(({ x, y, low }) => place(x, low ?? y)).reverse();
  const hasBand = points.some(({ low, high }) => low !== undefined || high !== undefined);
  const band = hasBand
    ? `<polygon points="${[...upper, ...lower].join(' ')}" fill="${colour}" fill-opacity="0.2"/>`
    : '';
  if (points.length === 1)
    return `<circle cx="${line[0].split(',')[0]}" cy="${line[0].split(',')[1]}" r="3" fill="${colour}"/>`;
  return `${band}<polyline points="${line.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.8"/>`;
}

function gridLine(y: number, label: string): string {
  return (
    `<line x1="${plot.left}" x2="${plot.right}" y1="${round(y)}" y2="${round(y)}" stroke="${GREY}" stroke-opacity="0.25"/>` +
    `<text x="${plot.left - 6}" y="${round(y + 4)}" text-anchor="end">${label}</text>`
  );
}

function markLine(x: number, text: string): string {
  const line = `<line x1="${round(x)}" x2="${round(x)}" y1="${plot.top}" y2="${plot.bottom}" stroke="${GREY}" stroke-dasharray="4 3"/>`;
  return `<g><title>${escapeHtml(text)}</title>${line}</g>`;
}

/** Returns the names beside each other in the colours of their lines, as many as fit. */
function legend(series: Series[]): string[] {
  let x = plot.left;
  return series.flatMap(({ name }, i) => {
    const here = x;
    x += 22 + name.length * 6;
    if (x > width) return [];
    const colour = colours[i % colours.length];
    return [
      `<rect x="${here}" y="25" width="10" height="10" fill="${colour}"/><text x="${here + 14}" y="34">${escapeHtml(name)}</text>`,
    ];
  });
}

/** Returns a mapping of the range of `values` to pixels, with about five round ticks. */
export function axis(values: number[], from: number, to: number, whole = false) {
  let low = values.length > 0 ? Math.min(...values) : 0;
  let high = values.length > 0 ? Math.max(...values) : 1;
  if (low === high)
    [low, high] = whole ? [low - 1, high + 1] : [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  const step = roundStep((high - low) / 5, whole);
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-6; tick += step)
    ticks.push(Number(tick.toPrecision(10)));
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return { ticks, digits, at: (value: number) => from + ((value - low) / (high - low)) * (to - from) };
}

/** Returns the next larger of 1, 2, 5 × 10ⁿ. */
function roundStep(step: number, whole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= step * 0.999) ?? 10;
  return whole ? Math.max(1, factor * power) : factor * power;
}

function round(value: number): string {
  return value.toFixed(1);
}
