/*
 * Every random choice of a run has a seed of its own, made from the run's seed,
 * the step and a purpose. No generator carries state from step to step, so a
 * run that was interrupted goes on with the same numbers.
 */

/** Returns a seed from 0 to 2³¹ − 1 for one purpose ("sampling", "environment", "dataset", …) at one step. */
export function deriveSeed(seed: number, purpose: string, ...indices: number[]): number {
  let hash = 0x811c9dc5;
  const words = [seed >>> 0, Math.floor(seed / 2 ** 32), ...indices];
  for (const character of purpose) hash = mix(hash ^ character.charCodeAt(0));
  for (const word of words) hash = mix(hash ^ (word >>> 0));
  return hash >>> 1;
}

/** Mixes by murmur3's finaliser: every bit of the input moves every bit of the output. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Returns the numbers 0 to `length` − 1 in an order that `seed` decides. */
export function permutation(length: number, seed: number): number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor((mix(seed ^ Math.imul(i, 0x9e3779b9)) / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
