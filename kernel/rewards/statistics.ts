/** Mean of the values that are not `null`; NaN where there is none (torch's `nanmean`). */
export function mean(values: ArrayLike<number | null>): number {
  const present = Array.from(values).filter((value): value is number => value !== null);
  if (present.length === 0) return NaN;
  // Relative to the first value, so that equal values have exactly their value as mean.
  const first = present[0];
  return first + present.reduce((sum, value) => sum + (value - first), 0) / present.length;
}

/** Sample standard deviation (n − 1) of the values that are not `null`; NaN for fewer than two (TRL's `nanstd`). */
export function std(values: ArrayLike<number | null>): number {
  const present = Array.from(values).filter((value): value is number => value !== null);
  if (present.length < 2) return NaN;
  const centre = mean(present);
  return Math.sqrt(present.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (present.length - 1));
}

/** True where the values that are not `null` are all equal (and there is one). */
export function isConstant(values: ArrayLike<number | null>): boolean {
  const present = Array.from(values).filter((value) => value !== null);
  return present.length > 0 && present.every((value) => value === present[0]);
}

/** `values` in pieces of `size`. */
export function chunks<T>(values: readonly T[], size: number): T[][] {
  const pieces: T[][] = [];
  for (let start = 0; start < values.length; start += size) pieces.push(values.slice(start, start + size));
  return pieces;
}
