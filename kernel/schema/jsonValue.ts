import { MAXIMUM_NESTING, NestingError } from '../common/nesting';

/** A value that JSON does not have, and where it is. */
export class JsonValueError extends TypeError {
  override name = 'JsonValueError';
  /** Names and indices, from the outermost on. */
  readonly path: (string | number)[] = [];

  constructor(readonly reason: string) {
    super(reason);
  }

  /** Returns the problem as a sentence, with `what` as the name of the value: "observation". */
  describe(what?: string): string {
    const place = [...(what === undefined ? [] : [what]), ...this.path].join('.');
    return `${place ? `${place} is ` : ''}${this.reason}`;
  }
}

/**
 * Returns a copy of a value as it travels in JSON: typed arrays and sets become lists,
 * maps objects, dates texts; bigints stay integers of any size, and what has `toJSON`
 * becomes what that returns. Fields that are `undefined` are left out; in a list they
 * are `null`.
 *
 * @param what names the value in the error, as the subject of a sentence
 * @throws JsonValueError where JSON would lose something: NaN, Infinity, functions,
 *   symbols, promises, keys of a map that are neither texts nor numbers
 * @throws NestingError where it is nested too deeply, or contains itself
 */
export function jsonValue(value: unknown, what: string): any {
  return copy(value, what, 0);
}

function copy(value: unknown, what: string, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new JsonValueError(`${value}: JSON has finite numbers only`);
      return value + 0; // −0 is 0
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : copyObject(value, what, depth);
    default:
      throw new JsonValueError(`a ${typeof value}, which JSON does not have`);
  }
}

function copyObject(value: object, what: string, depth: number): unknown {
  if (depth >= MAXIMUM_NESTING) throw new NestingError(what);
  if (Array.isArray(value)) return copyList(value, what, depth);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return copyTyped(value as Uint8Array, what, depth);
  if ('toJSON' in value && typeof value.toJSON === 'function') return copyDated(value, value.toJSON(), what, depth);
  if (value instanceof Set) return copyList([...value], what, depth);
  if (value instanceof Map) return copyFields(mapEntries(value), what, depth);
  if (value instanceof Number || value instanceof String || value instanceof Boolean)
    return copy(value.valueOf(), what, depth);
  const lost = LOST.find((type) => value instanceof type);
  if (lost)
    throw new JsonValueError(`a ${lost.name}, which JSON does not have${value instanceof Promise ? ': await it' : ''}`);
  return copyFields(Object.entries(value), what, depth);
}

/** Copies a typed array. Only floats are checked one by one: frames are large, and their integers are always valid. */
function copyTyped(value: Uint8Array | Float64Array, what: string, depth: number): unknown[] {
  const list = Array.from<number>(value);
  return value instanceof Float32Array || value instanceof Float64Array ? copyList(list, what, depth) : list;
}

/** Objects of which JSON would write `{}`. */
const LOST = [Promise, RegExp, Error, WeakMap, WeakSet, ArrayBuffer, SharedArrayBuffer, DataView] as const;

function copyDated(value: object, written: unknown, what: string, depth: number): unknown {
  if (value instanceof Date && written === null) throw new JsonValueError('a date that is none');
  return copy(written, what, depth + 1);
}

function mapEntries(map: Map<unknown, unknown>): [string, unknown][] {
  const odd = [...map.keys()].find((key) => typeof key !== 'string' && typeof key !== 'number');
  if (odd !== undefined) throw new JsonValueError(`a Map with a key that is a ${typeof odd}: JSON has texts as keys`);
  return [...map].map(([key, part]) => [String(key), part]);
}

function copyList(list: readonly unknown[], what: string, depth: number): unknown[] {
  const copied: unknown[] = [];
  let i = 0;
  try {
    for (; i < list.length; i++) copied.push(copy(list[i], what, depth + 1));
  } catch (error) {
    throw at(i, error);
  }
  return copied;
}

function copyFields(entries: [string, unknown][], what: string, depth: number): object {
  const copied: Record<string, unknown> = {};
  let name = '';
  try {
    for (const entry of entries) {
      name = entry[0];
      if (entry[1] === undefined) continue;
      const value = copy(entry[1], what, depth + 1);
      if (name === '__proto__')
        Object.defineProperty(copied, name, { value, enumerable: true, configurable: true, writable: true });
      else copied[name] = value;
    }
  } catch (error) {
    throw at(name, error);
  }
  return copied;
}

/** Returns the error with `key` put before its path. */
function at(key: string | number, error: unknown): unknown {
  if (error instanceof JsonValueError) error.path.unshift(key);
  return error;
}
