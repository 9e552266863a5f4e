/**
 * One limit on nesting for everything that is read or written as JSON: code
 * that recurses over deeper data overflows the stack, at a depth that depends
 * on the machine.
 */

/** Levels of arrays and objects, at most. Python's own parser stops at about 1,000, pydantic's at 200. */
export const MAXIMUM_NESTING = 512;

/** Data is nested deeper than {@link MAXIMUM_NESTING}, or contains itself. */
export class NestingError extends RangeError {
  override name = 'NestingError';

  /** @param what the subject of the sentence: `The action` */
  constructor(what: string) {
    super(`${what} is nested more than ${MAXIMUM_NESTING} levels deep, or contains itself; make it flatter.`);
  }
}

/**
 * Checks the arrays and plain properties of a value, without recursion.
 *
 * @param what the subject of the error's sentence: `The action`
 * @throws NestingError when it is nested too deeply or contains itself
 */
export function checkNesting(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null) return;
  // The greatest depth at which each object was met: it is visited again only when it is met deeper.
  const met = new Map<object, number>([[value, 1]]);
  const open: object[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const depth = met.get(next)!;
    if (depth > MAXIMUM_NESTING) throw new NestingError(what);
    if (ArrayBuffer.isView(next)) continue;
    for (const inner of Array.isArray(next) ? next : Object.values(next)) {
      if (typeof inner !== 'object' || inner === null || (met.get(inner) ?? 0) > depth) continue;
      met.set(inner, depth + 1);
      open.push(inner);
    }
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];

/**
 * Checks JSON before it is parsed. What is not JSON is left to the parser.
 *
 * @param what the subject of the error's sentence: `The action`
 * @throws NestingError when it is nested too deeply
 */
export function checkTextNesting(text: string, what: string): void {
  if (count(text, '[') + count(text, '{') <= MAXIMUM_NESTING) return;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      if (++depth > MAXIMUM_NESTING) throw new NestingError(what);
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
  }
}

/** Returns how often a character is in a text, counted to one above the limit: few texts need more than that. */
function count(text: string, character: string): number {
  let times = 0;
  for (let at = text.indexOf(character); at >= 0 && times <= MAXIMUM_NESTING; at = text.indexOf(character, at + 1))
    times++;
  return times;
}

/** Returns the offset of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

/**
 * Returns what `JSON.parse` gives, within the limit on nesting.
 *
 * @param what the subject of the error's sentence: `The action`
 * @throws NestingError when it is nested too deeply
 * @throws SyntaxError when it is not JSON
 */
export function parseJson(text: string, what: string): unknown {
  checkTextNesting(text, what);
  return JSON.parse(text);
}
