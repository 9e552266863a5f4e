import { MARK_LENGTH } from '../common/exactJson';
import { MAXIMUM_NESTING } from '../common/nesting';

/**
 * Returns the code that is evaluated inside the sandbox before the strategy: a
 * function of the state of `Math.random`, which returns the driver. `call` calls the
 * strategy with arguments as JSON text, `thrown` and `stackOf` describe an error, the
 * rest is for {@link stateSource}. It keeps the built-in functions that it needs, so
 * that a strategy that changes prototypes changes only its own world: the driver looks
 * up nothing that it could have changed (JSON of a text calls no `toJSON`, a literal
 * no setter).
 *
 * The driver answers with one string: a letter for the kind of result, then its text
 * (read by `Sandbox`); for a string that it has answered before, with a number.
 * Escapes keep the text free of NUL, where C would end it.
 */
export function driverSource(): string {
  return `((a, b, c, counter) => {
  'use strict';
  const { parse, stringify } = JSON;
  const { apply, getPrototypeOf, getOwnPropertyDescriptor, ownKeys } = Reflect;
  const { isArray } = Array;
  const { slice, includes, startsWith } = String.prototype;
  const { InternalError } = globalThis;
  const toBigInt = BigInt;
  const text = String;
  const most = ${MAX_TEXT};
  const short = (value) => (value.length > most ? apply(slice, value, [0, most]) : value);

  // The same state draws the same numbers. (sfc32)
  const draw = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) draw();
  Object.defineProperty(Math, 'random', { configurable: true, writable: true, value: function random() { return draw() / 4294967296; } });
  const quiet = () => {};
  globalThis.console = { log: quiet, info: quiet, warn: quiet, error: quiet, debug: quiet };

  const stackOf = (error) => {
    try {
      return stringify(short(text(error.stack)));
    } catch {
      return '""';
    }
  };
  const thrown = (error) => {
    let message = 'threw something that cannot be shown';
    try {
      if (error === null) message = 'threw null';
      else if (typeof error !== 'object') message = text(error);
      else message = text(error.message === undefined ? stringify(error) : text(error.name) + ': ' + text(error.message));
    } catch {}
    const json = stringify(short(message));
    return '!' + json.length + ':' + json + stackOf(error);
  };

  // Most strategies answer with the same few strings: after the first time, with the number that they were given then.
  const numbers = { __proto__: null };
  let count = 0;
  const textOf = (value) => {
    const json = stringify(short(value));
    if (count === ${KNOWN_TEXTS} || value.length > ${KNOWN_LENGTH}) return 'j' + json;
    // Where memory ends within these lines, the number is still free.
    const packed = 'k' + count + ':' + json;
    numbers[value] = count;
    count++;
    return packed;
  };

  // What answers later: promises, and what generators give.
  const later = [
    [getPrototypeOf(async () => {}), 'a promise: a strategy must not be async, it answers at once'],
    [getPrototypeOf(function* () {}), 'a generator: a strategy must not be a function*, it answers at once'],
    [getPrototypeOf(async function* () {}), 'a generator: a strategy must not be an async function*, it answers at once'],
  ];
  const laterThan = (value) => {
    const kind = getPrototypeOf(strategy);
    for (let i = 0; i < 3; i++) if (kind === later[i][0]) return later[i][1];
    const { then } = value;
    return typeof then === 'function' ? later[0][1] : undefined;
  };

  // What JSON cannot tell of a value: that it is nested too deeply ("d"), or has NaN in it. Calls no getter; in large values some are looked at.
  const flawOf = (whole) => {
    let open = { __proto__: null, value: whole, depth: 1, next: null };
    for (let left = 2000; open !== null && left > 0; left--) {
      const { value, depth } = open;
      open = open.next;
      if (depth > ${MAXIMUM_NESTING}) return 'd';
      const keys = isArray(value) ? undefined : ownKeys(value);
      const { length } = keys ?? value;
      for (let i = 0; i < length && left > 0; i++, left--) {
        const inner = getOwnPropertyDescriptor(value, keys ? keys[i] : i)?.value;
        if (typeof inner === 'number' && inner - inner !== 0) return 'an object with ' + text(inner) + ' in it, which is null in JSON';
        if (typeof inner === 'object' && inner !== null) open = { __proto__: null, value: inner, depth: depth + 1, next: open };
      }
    }
    return '';
  };
  // Integers that no number holds are bigints: JSON has them as strings with a mark. Smaller ones are what a number is for.
  const isLarge = (value) => value > ${Number.MAX_SAFE_INTEGER}n || value < -${Number.MAX_SAFE_INTEGER}n;
  const jsonOf = (value) => {
    let json;
    try {
      json = stringify(value);
    } catch (error) {
      // An overflow took its time: looking for its cause might take too long.
      if (error instanceof InternalError && error.message === 'stack overflow' || flawOf(value) === 'd') return 'd';
      json = stringify(value, (key, inner) => {
        if (typeof inner !== 'bigint') return inner;
        if (!isLarge(inner)) throw error;
        return '${BIGINT_MARK}' + text(inner);
      });
    }
    if (json === undefined) return 'u';
    if (json.length > most) return 'xa value of more than ' + most + ' characters';
    if (json === '{}') {
      const why = laterThan(value);
      if (why !== undefined) return 'x' + why;
    }
    const flaw = apply(includes, json, ['null']) ? flawOf(value) : '';
    return flaw === '' ? 'j' + json : 'f' + flaw + ':' + json;
  };

  const answer = (value) => {
    switch (typeof value) {
      case 'string': return numbers[value] ?? textOf(value);
      case 'number': return 'n' + text(value);
      case 'boolean': return 'j' + text(value);
      case 'undefined': return 'u';
      case 'object': return value === null ? 'jnull' : jsonOf(value);
      case 'bigint': return isLarge(value) ? 'j' + stringify('${BIGINT_MARK}' + text(value)) : 'xa bigint';
      case 'function': return 'xa function';
      default: return 'xa ' + typeof value;
    }
  };

  // See markedText.
  const argumentsOf = (argumentsText) => {
    if (argumentsText[0] !== '#') return parse(argumentsText);
    const mark = apply(slice, argumentsText, [1, ${1 + MARK_LENGTH}]);
    return parse(apply(slice, argumentsText, [${1 + MARK_LENGTH}]), (key, value) =>
      typeof value === 'string' && apply(startsWith, value, [mark]) ? toBigInt(apply(slice, value, [${MARK_LENGTH}])) : value);
  };
  const call = (argumentsText) => {
    try {
      return answer(apply(strategy, undefined, argumentsOf(argumentsText)));
    } catch (error) {
      return thrown(error);
    }
  };
  return { call, answer, thrown, stackOf, Bytes: Uint8Array };
})`;
}

/**
 * Returns the code of a function of the driver that returns a function which calls the
 * strategy with one object: it has numbers under `names`, and the bytes of
 * ArrayBuffers, under the names of `arrays`, as arrays of numbers.
 */
export function stateSource(
  names: string[],
  arrays: ReadonlyArray<readonly [name: string, bytes: Uint8Array]>,
): string {
  const values = names.map((_, i) => `v${i}`);
  const buffers = arrays.map((_, i) => `b${i}`);
  // A computed name is an ordinary one, also "__proto__".
  const fields = names.map((name, i) => `[${JSON.stringify(name)}]: ${values[i]}`);
  const members = arrays.map(
    ([name, { length }], i) => `{
      const bytes = new Bytes(${buffers[i]});
      const numbers = (state[${JSON.stringify(name)}] = []);
      for (let i = 0; i < ${length}; i++) numbers[i] = bytes[i];
    }`,
  );
  return `(({ answer, thrown, Bytes }) => (${[...values, ...buffers].join(', ')}) => {
  'use strict';
  try {
    const state = { ${fields.join(', ')} };
    ${members.join('\n    ')}
    return answer(strategy(state));
  } catch (error) {
    return thrown(error);
  }
})`;
}

/** Strings that are answered by number from the second time on: their count and length, at most. */
const KNOWN_TEXTS = 64;
const KNOWN_LENGTH = 64;

/** Longest text of one answer that leaves the sandbox, in characters. */
export const MAX_TEXT = 65_536;

/** Mark before the digits of a bigint in an answer. A strategy that writes the mark itself answers with a bigint, too. */
export const BIGINT_MARK = '\u2402bigint:';
