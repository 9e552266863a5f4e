/*
 * Mean and standard deviation. Values so large that their squares, or their
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

/** Returns `values` in pieces of `size`. */
export function chunks<T>(values: readonly T[], size: number): T[][] {
  const pieces: T[][] = [];
  for (let start = 0; start < values.length; start += size) pieces.push(values.slice(start, start + size));
  return pieces;
}
