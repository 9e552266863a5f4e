/*
 * Starts are seeds of episodes. Those that train, those that choose the
 * program and those that are reported lie in ranges of their own.
 */

/** Returns the start of a training step, below a million. */
export function trainingStart(seed: number, step: number): number {
  return (seed * 10_007 + step * 31) % 1_000_000;
}

/** Returns the held-out starts that are reported, the same for everything. */
export function heldOutStarts(count: number): number[] {
  return range(1_000_001, count);
}

/** Returns the validation starts on which the program of a run is chosen, others for each seed. */
export function validationStarts(seed: number, count: number): number[] {
  return range(2_000_000 + 1000 * seed, count);
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
