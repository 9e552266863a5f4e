/*
 * Mean, standard deviation, Student's t. Values so large that their squares, or their
 * differences, would overflow are divided by a power of two meanwhile, which
 * loses nothing; all others are used as they are.
 */

/** From this magnitude on, values are scaled: squares of smaller ones, and their sums, do not overflow. */
const LARGE = 2 ** 500;

/** Returns the power of two by which values are divided: 1 unless they are very large. */
export function scaleOf(values: ArrayLike<number | null>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
  return largest < LARGE || !Number.isFinite(largest) ? 1 : 2 ** Math.min(1020, Math.ceil(Math.log2(largest)));
}

/** Returns the mean of the values that are not `null`; NaN when there is none (torch's `nanmean`). */
export function mean(values: ArrayLike<number | null>): number {
  const scale = scaleOf(values);
  const present = Array.from(values).filter((value): value is number => value !== null);
  if (present.length === 0) return NaN;
  // Relative to the first value, so that equal values have exactly their value as mean.
  const first = present[0] / scale;
  return (first + present.reduce((sum, value) => sum + (value / scale - first), 0) / present.length) * scale;
}

/** Returns the sample standard deviation (n − 1) of the values that are not `null`; NaN for fewer than two (TRL's `nanstd`). */
export function std(values: ArrayLike<number | null>): number {
  const scale = scaleOf(values);
  const present = Array.from(values).filter((value): value is number => value !== null);
  if (present.length < 2) return NaN;
  const centre = mean(present) / scale;
  return (
    Math.sqrt(present.reduce((sum, value) => sum + (value / scale - centre) ** 2, 0) / (present.length - 1)) * scale
  );
}

/** Returns whether the values that are not `null` are all equal (and there is one). */
export function isConstant(values: ArrayLike<number | null>): boolean {
  const present = Array.from(values).filter((value) => value !== null);
  return present.length > 0 && present.every((value) => value === present[0]);
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

/** Returns `values` in pieces of `size`. */
export function chunks<T>(values: readonly T[], size: number): T[][] {
  const pieces: T[][] = [];
  for (let start = 0; start < values.length; start += size) pieces.push(values.slice(start, start + size));
  return pieces;
}
