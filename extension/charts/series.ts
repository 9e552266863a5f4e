import type { Line } from './content';

/** Points of a line that are drawn for each of its pixels, at most. */
const DENSITY = 0.5;

/**
 * Returns a line with a running mean in place of its values. The weight of the past is
 * corrected for where the line begins, so that the first values are not pulled to 0.
 *
 * @param weight of the past, from 0 to below 1
 */
export function smoothed(line: Line, weight: number): Line {
  const mean = (values: Array<number | null>): Array<number | null> => {
    let [sum, share] = [0, 0];
    return values.map((value) => {
      if (value === null) return null;
      sum = weight * sum + (1 - weight) * value;
      share = weight * share + (1 - weight);
      return sum / share;
    });
  };
  return {
    ...line,
    y: mean(line.y),
    ...(line.low && { low: mean(line.low) }),
    ...(line.high && { high: mean(line.high) }),
  };
}

/**
 * Returns a line with as many points as can be told apart: of each stretch of steps the
 * lowest and the highest value, so that no peak is lost, and the ends.
 *
 * @param width pixels of the chart
 */
export function thinned(line: Line, width: number): Line {
  const { x, y } = line;
  const stretches = Math.max(1, Math.floor((width * DENSITY) / 2));
  if (x.length <= 2 * stretches) return line;
  const kept = new Set([0, x.length - 1]);
  for (let s = 0; s < stretches; s++) {
    const [from, to] = [s, s + 1].map((at) => Math.floor((at * x.length) / stretches));
    let [lowest, highest] = [from, from];
    for (let i = from; i < to; i++) {
      if ((y[i] ?? Infinity) < (y[lowest] ?? Infinity)) lowest = i;
      if ((y[i] ?? -Infinity) > (y[highest] ?? -Infinity)) highest = i;
    }
    kept.add(lowest).add(highest);
  }
  const indices = [...kept].sort((a, b) => a - b);
  const take = <T>(list: T[]): T[] => indices.map((i) => list[i]);
  return {
    ...line,
    x: take(x),
    y: take(y),
    ...(line.low && { low: take(line.low) }),
    ...(line.high && { high: take(line.high) }),
  };
}

/** Returns the part of a line within a range of steps, with the points next to it. */
export function within(line: Line, range: [number, number] | null): Line {
  if (!range) return line;
  const from = Math.max(0, line.x.findIndex((x) => x >= range[0]) - 1);
  const after = line.x.findIndex((x) => x > range[1]);
  const cut = <T>(list: T[]): T[] => list.slice(from, after < 0 ? undefined : after + 1);
  return {
    ...line,
    x: cut(line.x),
    y: cut(line.y),
    ...(line.low && { low: cut(line.low) }),
    ...(line.high && { high: cut(line.high) }),
  };
}
