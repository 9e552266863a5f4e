import { randomUUID } from 'node:crypto';
import { checkTextNesting } from './nesting';

/*
 * JSON with integers of any size. `JSON.parse` rounds those that a number
 * cannot hold, and `JSON.stringify` throws at bigints. Both do the work for
 * texts without long numbers, which are nearly all, at their speed.
 */

/** Occurs in every integer that a number cannot hold: a run of digits that is not in a fraction. */
const LONG = /(?<![\d.])\d{16}/;
/** Characters of the longest integer that becomes a bigint: Python's own limit on digits. */
const MAXIMUM_DIGITS = 4300;
/** Stands before the digits of a bigint in a text. It is random, so that no other text begins with it. */
const MARK = `${randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

/**
 * Returns what `JSON.parse` gives, with a bigint for each integer that a number
 * does not hold exactly. A number beyond ±1.8e308 is ±Infinity, as there.
 *
 * @param what the subject of the error's sentence: `The action`
 * @throws NestingError when it is nested too deeply
 * @throws SyntaxError when it is not JSON
 */
export function parseExact(text: string, what: string): unknown {
  checkTextNesting(text, what);
  const value: unknown = JSON.parse(text);
  if (!LONG.test(text)) return value;
  const marked = outsideStrings(text, (part) =>
    part.replace(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (number) => (isExact(number) ? number : `"${MARK}${number}"`)),
  );
  if (marked === text) return value;
  return JSON.parse(marked, (_, value) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  );
}

/** Returns whether a number holds its text exactly, or may be rounded: fractions, and integers above the limit, are, as in `JSON.parse`. */
function isExact(text: string): boolean {
  const value = Number(text);
  return !/^-?\d+$/.test(text) || Number.isSafeInteger(value) || String(value) === text || text.length > MAXIMUM_DIGITS;
}

/** Returns JSON with `replace` applied to the text between its strings. */
function outsideStrings(text: string, replace: (part: string) => string): string {
  const parts: string[] = [];
  let from = 0;
  for (let start = text.indexOf('"'); start >= 0; start = text.indexOf('"', from)) {
    const end = endOfString(text, start);
    parts.push(replace(text.slice(from, start)), text.slice(start, end));
    from = end;
  }
  return parts.join('') + replace(text.slice(from));
}

/** Returns the offset after the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

/**
 * Returns what `JSON.stringify` gives, with bigints as integers, and with every
 * digit of whole numbers beyond 2⁵³, of which it gives 17 and zeros.
 */
export function stringifyExact(value: unknown): string {
  const text = asItIs(value);
  if (text !== null && !LONG.test(text)) return text;
  const marked = JSON.stringify(value, (_, part) => {
    const isLarge =
      typeof part === 'bigint' ||
      (typeof part === 'number' && Number.isInteger(part) && !Number.isSafeInteger(part) && Math.abs(part) < 1e21);
    return isLarge ? `${MARK}${BigInt(part)}` : part;
  });
  return marked?.replace(MARKED, '$1');
}

/** Characters of the mark in {@link markedText}. */
export const MARK_LENGTH = MARK.length;

/**
 * Returns JSON for a reader that has no {@link parseExact}: when there are
 * bigints, the text begins with `#` and a mark, and each bigint is a string of
 * the mark and its digits.
 */
export function markedText(value: unknown): string {
  return (
    asItIs(value) ??
    `#${MARK}${JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${MARK}${part}` : part))}`
  );
}

/** Returns what `JSON.stringify` gives; `null` when it throws, as for bigints. */
function asItIs(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    return null;
  }
}
