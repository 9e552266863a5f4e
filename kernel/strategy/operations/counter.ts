/** Built-in functions that go over what they are given, by the object that has them. */
const OVER_ALL: Record<string, string> = {
  'Array.prototype':
    'concat copyWithin every fill filter find findIndex findLast findLastIndex flat flatMap forEach includes indexOf join lastIndexOf map reduce reduceRight reverse shift slice some splice toReversed toSpliced toString unshift with',
  'Object.getPrototypeOf(Uint8Array.prototype)':
    'copyWithin every fill filter find findIndex findLast findLastIndex forEach includes indexOf join lastIndexOf map reduce reduceRight reverse set slice some toReversed toString with',
  'String.prototype':
    'endsWith includes indexOf lastIndexOf localeCompare match matchAll normalize padEnd padStart repeat replace replaceAll search slice split startsWith substr substring toLowerCase toUpperCase trim trimEnd trimStart',
  'RegExp.prototype': 'exec test',
  'Map.prototype': 'forEach',
  'Set.prototype': 'forEach',
  Array: 'from of',
  'Object.getPrototypeOf(Uint8Array)': 'from of',
  Object: 'assign entries fromEntries groupBy keys values',
  Reflect: 'ownKeys',
  String: 'raw fromCharCode fromCodePoint',
  JSON: 'parse stringify',
  Math: 'max min hypot',
};

/** Built-in functions that sort. */
const SORTING: Record<string, string> = {
  'Array.prototype': 'sort toSorted',
  'Object.getPrototypeOf(Uint8Array.prototype)': 'sort toSorted',
};

/**
 * Returns the source, on one line, of the object that counts: `add` counts operations,
 * `spread` and `made` count the length of a value and return it, `counted` makes a
 * strategy return its answer with its operations, and errors tell the program's line
 * instead of this one. Evaluated before the program, it makes
 * built-in functions count their lengths.
 *
 * #### Notes
 * A program that finds the name of this object can add to its count and no more: it
 * cannot be changed, and neither a second program nor a call within a call is counted,
 * which would begin anew.
 *
 * @param limit operations after which counting throws
 */
export function counterSource(limit: number): string {
  return `(() => {
  'use strict';
  let count = 0;
  const { apply } = Reflect;
  const { ceil, log2 } = Math;
  const toArray = Array.from;
  const isView = ArrayBuffer.isView;
  const { RangeError, TypeError } = globalThis;
  const add = (operations) => {
    if (operations > 0) count += operations;
    if (count > ${limit}) throw new RangeError('it took more than ${limit.toLocaleString('en')} operations');
  };
  const lengthOf = (value) => {
    if (typeof value === 'string') return value.length;
    if (typeof value !== 'object' || value === null) return 0;
    const { length = value.size } = value;
    return typeof length === 'number' ? length : 0;
  };
  const wrap = (owner, names, cost) => {
    for (const name of names) {
      const original = owner[name];
      if (typeof original !== 'function') continue;
      const { [name]: counting } = { [name](...args) {
        let longest = lengthOf(this);
        for (let i = 0; i < args.length; i++) { const length = lengthOf(args[i]); if (length > longest) longest = length; }
        if (args.length > longest + 1) longest = args.length;
        add(cost(longest));
        const result = apply(original, this, args);
        const length = lengthOf(result);
        if (length > longest) add(cost(length) - cost(longest));
        return result;
      } };
      Object.defineProperty(owner, name, { value: counting, writable: true, configurable: true });
    }
  };
  ${wrapped(OVER_ALL, '(length) => length')}
  ${wrapped(SORTING, '(length) => ceil(length * log2(length + 1))')}
  const refuse = function Function() { throw new TypeError('code that is made from text would not be counted'); };
  refuse.prototype = Function.prototype;
  for (const made of [() => {}, function* () {}, async () => {}, async function* () {}])
    Object.defineProperty(Object.getPrototypeOf(made), 'constructor', { value: refuse });
  globalThis.Function = refuse;
  globalThis.eval = refuse;
  const measured = (value) => { add(lengthOf(value)); return value; };
  const told = (error) => {
    count = 0;
    const lines = error instanceof Error ? String(error.stack).split('\\n') : [];
    const own = lines.filter((line) => !/\\bstrategy:1\\b/.test(line));
    if (own.some((line) => line.includes('strategy:'))) error.stack = own.join('\\n');
    return error;
  };
  let isTaken = false;
  let isRunning = false;
  const counted = (strategy) => {
    if (isTaken) throw new TypeError('a program is counted once');
    isTaken = true;
    return (...args) => {
      if (isRunning) throw new TypeError('a call is counted once');
      isRunning = true;
      try {
        const answer = strategy(...args);
        return { answer: isView(answer) ? toArray(answer) : answer, operations: count };
      } catch (error) {
        throw told(error);
      } finally {
        count = 0;
        isRunning = false;
      }
    };
  };
  return Object.freeze({ __proto__: null, add, spread: measured, made: measured, counted });
})()`.replace(/\n */g, ' ');
}

function wrapped(functions: Record<string, string>, cost: string): string {
  return Object.entries(functions)
    .map(([owner, names]) => `wrap(${owner}, ${JSON.stringify(names.split(' '))}, ${cost});`)
    .join(' ');
}
