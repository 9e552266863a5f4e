/* Steps in a row, which files may have as many of as they like, and each of which may make a text longer. */
import type { Settings } from './settings';

/** Steps of a sequence, at most; published ones have fewer than ten. */
const MOST_STEPS = 256;
/** Factor by which a text may grow, and the length to which it may grow in any case. */
const GROWTH = 32;
const ALWAYS_POSSIBLE = 1_000_000;

/** Returns the steps of a sequence. Throws when there are too many. */
export function stepsOf<T>(settings: Settings, name: string, read: (settings: Settings) => T): T[] {
  const steps = settings.objects(name);
  if (steps.length > MOST_STEPS)
    throw new Error(`${settings.where}.${name} has ${steps.length} steps; at most ${MOST_STEPS} are possible`);
  return steps.map(read);
}

/** Returns a value after all steps. Throws when a step makes it too long. */
export function inSequence<T>(
  steps: readonly ((value: T) => T)[],
  start: T,
  lengthOf: (value: T) => number,
  where: string,
): T {
  const limit = Math.max(ALWAYS_POSSIBLE, GROWTH * lengthOf(start));
  return steps.reduce((value, step) => {
    const next = step(value);
    checkLength(lengthOf(next), limit, where);
    return next;
  }, start);
}

/** Throws when a step makes a text too long. */
export function checkGrowth(length: number, before: number, where: string): void {
  checkLength(length, Math.max(ALWAYS_POSSIBLE, 8 * before), where);
}

function checkLength(length: number, limit: number, where: string): void {
  if (length > limit)
    throw new Error(
      `${where} makes a text more than ${limit} characters long, which is too much for the text that it was given`,
    );
}

/** Returns the number of characters of all texts. */
export function totalLength(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}
