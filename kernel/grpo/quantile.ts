/**
 * The q-quantile of values, linear between neighbours, as torch.quantile has
 * it.
 */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float32Array.from(values).sort();
  const rank = q * (sorted.length - 1);
  const below = Math.floor(rank);
  const above = Math.min(below + 1, sorted.length - 1);
  return Math.fround(sorted[below] + (rank - below) * (sorted[above] - sorted[below]));
}

/**
 * 1 for the tokens that count whose entropy is at least the `q`-quantile of
 * all that count, else 0. Entries are completions.
 */
export function highEntropyMask(
  entropies: readonly ArrayLike<number>[],
  masks: readonly ArrayLike<number>[],
  q: number,
): Float32Array[] {
  const counted = entropies.flatMap((values, i) => Array.from(values).filter((_, t) => masks[i][t] > 0));
  const threshold = counted.length > 0 ? quantile(counted, q) : Infinity;
  return entropies.map((values, i) =>
    Float32Array.from(values, (entropy, t) => (masks[i][t] > 0 && entropy >= threshold ? 1 : 0)),
  );
}
