/* Steps in a row, which files may have as many of as they like, and each of which may make a text longer. */
import type { Settings } from './settings';

/** Steps in a row; those that are published have fewer than ten. */
const MOST_STEPS = 256;
/** A text may become this many times as long, or so long whatever it was. */
const GROWTH = 32;
const ALWAYS_POSSIBLE = 1_000_000;

/** The steps of a sequence. */
export function stepsOf<T>(settings: Settings, name: string, read: (settings: Settings) => T): T[] {
  const steps = settings.objects(name);
  if (steps.length > MOST_STEPS)
    throw new Error(`${settings.where}.${name} has ${steps.length} steps; at most ${MOST_STEPS} are possible`);
  return steps.map(read);
}

/** Goes through the steps, as long as the text does not become too long. */
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

/** @throws where a step makes a text too long */
export function checkGrowth(length: number, before: number, where: string): void {
  checkLength(length, Math.max(ALWAYS_POSSIBLE, 8 * before), where);
}

function checkLength(length: number, limit: number, where: string): void {
  if (length > limit)
    throw new Error(
      `${where} makes a text more than ${limit} characters long, which is too much for the text that it was given`,
    );
}

/** Characters of all texts. */
export function totalLength(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}
