import { studentT } from '../../../kernel/common/statistics';

/** A mean with half the width of its 95 % interval. */
export interface Interval {
  mean: number;
  /** Half the width; `NaN` for fewer than two values. */
  half: number;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns the 95 % interval of the mean of independent values, by Student's t. Throws a RangeError for none. */
export function interval(values: readonly number[]): Interval {
  const { length } = values;
  if (length === 0) throw new RangeError('An interval needs values.');
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (length - 1);
  return { mean: middle, half: length < 2 ? NaN : studentT(length - 1) * Math.sqrt(variance / length) };
}

/**
 * Returns the interval of the mean of the differences `first[i] - second[i]`. Throws a
 * RangeError for lists of different lengths.
 */
export function pairedInterval(first: readonly number[], second: readonly number[]): Interval {
  if (first.length !== second.length)
    throw new RangeError(`Pairs need as many values on both sides, not ${first.length} and ${second.length}.`);
  return interval(first.map((value, i) => value - second[i]));
}

/** Returns an interval as text: "31.4 ± 5.2". */
export function intervalText({ mean: middle, half }: Interval): string {
  const digits = Math.max(Math.abs(middle), 1) >= 1000 ? 0 : Math.abs(middle) >= 100 ? 0 : 1;
  return Number.isNaN(half) ? middle.toFixed(digits) : `${middle.toFixed(digits)} ± ${half.toFixed(digits)}`;
}
