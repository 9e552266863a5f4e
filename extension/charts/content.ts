/** A line; with `low` and `high` also the band between them. */
export interface Line {
  name: string;
  x: number[];
  y: Array<number | null>;
  low?: Array<number | null>;
  high?: Array<number | null>;
}

/** A vertical line with a sign at its end. */
export interface ChartMark {
  x: number;
  text: string;
  kind?: 'pause' | 'resume' | 'problem';
}

/** The signs of marks, by their kind. */
export const SIGNS = { pause: '❚❚', resume: '▶', problem: '!', other: '◆' };

/** The content of a chart. */
export interface ChartContent {
  lines: Line[];
  /** Range of the x axis; grows with the data when left out. */
  maxX?: number;
  marks: ChartMark[];
}

/** Returns the value of a line at a step, in words: "3.21 ± 0.5"; an en dash where it has none. */
export function valueAt({ x, y, low, high }: Line, step: number): string {
  const i = nearest(x, step);
  const value = y[i];
  if (i < 0 || value === null || value === undefined) return '–';
  const [below, above] = [low?.[i], high?.[i]];
  const spread = below != null && above != null ? ` ± ${short((above - below) / 2)}` : '';
  return short(value) + spread;
}

/** Returns the index of the value nearest to `step` in an ascending list; −1 where it is empty. */
export function nearest(x: readonly number[], step: number): number {
  let [from, to] = [0, x.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (x[middle] < step) from = middle + 1;
    else to = middle;
  }
  return from > 0 && step - x[from - 1] < x[from] - step ? from - 1 : Math.min(from, x.length - 1);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '−');
}
