import { randomUUID } from 'node:crypto';
import { checkTextNesting } from './nesting';

/*
 * JSON whose integers have any size. JavaScript's own parser rounds those that
 * a number cannot hold, and its own writer fails at bigints. Texts without
 * long numbers, nearly all, go its way, at its speed.
 */

/** Every integer that a number cannot hold has this: a run of digits, not those of a fraction. */
const LONG = /(?<![\d.])\d{16}/;
/** Digits of an integer, at most: Python's own limit. */
const MAXIMUM_DIGITS = 4300;
/** Stands before the digits of a bigint in a text. Nobody else knows it. */
const MARK = `${randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

/**
 * `JSON.parse`, in which an integer that a number would not give back digit by
 * digit is a bigint. A number beyond ±1.8e308 is ±Infinity, as there.
 *
 * @param what is parsed, as the subject of a sentence
 * @throws NestingError where it is nested too deeply
 * @throws SyntaxError where it is not JSON
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

/** Returns whether a number is exactly its text. Only integers are looked at: others are rounded to what is nearest, as everywhere. */
function isExact(text: string): boolean {
  const value = Number(text);
  return !/^-?\d+$/.test(text) || Number.isSafeInteger(value) || String(value) === text || text.length > MAXIMUM_DIGITS;
}

/** A text of JSON, of which what stands between the strings is replaced. */
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

/** Returns where the text goes on after the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

/**
 * `JSON.stringify`, in which bigints are integers, and so are whole numbers
 * beyond 2⁵³: of those it writes the first 17 digits alone.
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

/** Length of the mark at the start of {@link markedText}. */
export const MARK_LENGTH = MARK.length;

/**
 * `JSON.stringify` for a reader that has no {@link parseExact}: where there are
 * bigints, the text begins with `#` and a mark, and each bigint is a string of
 * the mark and its digits.
 */
export function markedText(value: unknown): string {
  return (
    asItIs(value) ??
    `#${MARK}${JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${MARK}${part}` : part))}`
  );
}

/** Returns what `JSON.stringify` gives; nothing for bigints. */
function asItIs(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    return null;
  }
}
