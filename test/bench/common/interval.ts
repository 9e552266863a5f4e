/** A mean with half the width of its 95 % interval. */
export interface Interval {
  mean: number;
  /** Half the width; `NaN` for fewer than two values. */
  half: number;
}

/** Student's t at 97.5 % for 1, 2, … degrees of freedom. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/**
 * Returns Student's t at 97.5 %; above 30 degrees of freedom by the expansion in their
 * inverse, exact to three digits. Throws a RangeError for no whole number ≥ 1.
 */
export function studentT(degrees: number): number {
  if (!(Number.isInteger(degrees) && degrees >= 1))
    throw new RangeError(`Degrees of freedom are a whole number of at least 1, not ${degrees}.`);
  const z = 1.959964;
  return T[degrees - 1] ?? z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
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
