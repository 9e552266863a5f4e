/*
 * The values of a template are those of Python. What JavaScript has alike is
 * used as it is: None is null, a bool a boolean, an int a bigint, a float a
 * number, a str a string and a list an array. The rest has a class here.
 */
import { MAXIMUM_NESTING, NestingError } from '../../common/nesting';
import { spend, spendItems, spendText } from './budget';
import { TemplateError } from './errors';
import { characters, codePointLength } from './filters/unicode';

export type Value = null | boolean | bigint | number | string | Value[] | PythonObject;

/** Values that have a class of their own. */
export abstract class PythonObject {
  /** The name of the type in Python. */
  abstract readonly type: string;
}

/** A missing value. It can be printed, iterated and tested for truth; everything else throws. */
export class Undefined extends PythonObject {
  readonly type = 'Undefined';
  constructor(readonly message: string) {
    super();
  }

  fail(): never {
    throw new TemplateError(this.message);
  }
}

export class Tuple extends PythonObject {
  readonly type: string = 'tuple';
  constructor(readonly items: readonly Value[]) {
    super();
  }
}

/** An item of `groupby`: a tuple whose items also have names. */
export class Group extends Tuple {
  override readonly type = '_GroupTuple';
  constructor(
    readonly grouper: Value,
    readonly list: Value[],
  ) {
    super([grouper, list]);
  }
}

/** A text that is escaped for HTML, and printed unchanged. */
export class Markup extends PythonObject {
  readonly type = 'Markup';
  constructor(readonly text: string) {
    super();
  }
}

export class Dict extends PythonObject {
  readonly type: string = 'dict';
  private readonly byKey = new Map<unknown, [Value, Value]>();

  static from(entries: Iterable<readonly [Value, Value]>): Dict {
    const dict = new Dict();
    for (const [key, value] of entries) dict.set(key, value);
    return dict;
  }

  get size(): number {
    return this.byKey.size;
  }

  get(key: Value): Value | undefined {
    return this.byKey.get(hashKey(key))?.[1];
  }

  has(key: Value): boolean {
    return this.byKey.has(hashKey(key));
  }

  /** Sets a value. Of two equal keys the first is kept. */
  set(key: Value, value: Value): void {
    spend(3);
    const hash = hashKey(key);
    const entry = this.byKey.get(hash);
    if (entry) entry[1] = value;
    else this.byKey.set(hash, [key, value]);
  }

  entries(): IterableIterator<[Value, Value]> {
    return this.byKey.values();
  }

  *keys(): IterableIterator<Value> {
    for (const [key] of this.byKey.values()) yield key;
  }
}

/** The result of `keys()`, `values()` and `items()`. */
export class DictView extends PythonObject {
  readonly type: string;
  constructor(
    readonly kind: 'keys' | 'values' | 'items',
    readonly dict: Dict,
  ) {
    super();
    this.type = `dict_${kind}`;
  }

  *[Symbol.iterator](): IterableIterator<Value> {
    for (const [key, value] of this.dict.entries())
      yield this.kind === 'keys' ? key : this.kind === 'values' ? value : new Tuple([key, value]);
  }
}

export class Range extends PythonObject {
  readonly type = 'range';
  readonly length: number;
  constructor(
    readonly start: bigint,
    readonly stop: bigint,
    readonly step: bigint,
  ) {
    super();
    const span = step > 0n ? stop - start : start - stop;
    const size = step > 0n ? step : -step;
    this.length = span <= 0n ? 0 : Number((span + size - 1n) / size);
  }

  at(index: number): bigint {
    return this.start + BigInt(index) * this.step;
  }

  *[Symbol.iterator](): IterableIterator<bigint> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

/** A value that can be iterated once, such as the results of `map` and `select`. */
export class Once extends PythonObject {
  readonly type: string = 'generator';
  constructor(readonly iterator: Iterator<Value>) {
    super();
  }
}

export interface Arguments {
  args: Value[];
  kwargs: Map<string, Value>;
}

/** A function, a method of a value, or a macro. */
export class Callable extends PythonObject {
  readonly type: string = 'function';
  constructor(
    readonly name: string,
    readonly call: (given: Arguments) => Value,
  ) {
    super();
  }

  attribute(_name: string): Value | undefined {
    return undefined;
  }
}

/** A value with attributes of its own. */
export abstract class WithAttributes extends PythonObject {
  abstract attribute(name: string): Value | undefined;
}

export class Namespace extends WithAttributes {
  readonly type = 'TemplateNamespace';
  constructor(readonly attributes: Dict) {
    super();
    for (const name of attributes.keys()) Namespace.check(name);
  }

  attribute(name: string): Value | undefined {
    return this.attributes.get(name);
  }

  set(name: string, value: Value): void {
    Namespace.check(name);
    this.attributes.set(name, value);
  }

  private static check(name: Value): void {
    if (typeof name === 'string' && name.startsWith('_'))
      throw new TemplateError(`a namespace cannot have an attribute that starts with an underscore: ${name}`);
  }
}

/** A slice: `[start:stop:step]`. */
export class Slice extends PythonObject {
  readonly type = 'slice';
  constructor(
    readonly start: Value,
    readonly stop: Value,
    readonly step: Value,
  ) {
    super();
  }
}

const TUPLE = '\0tuple:';

/**
 * Returns a value by which keys are compared: equal keys, such as 1, 1.0 and true,
 * have the same. Throws for keys that cannot be hashed.
 */
export function hashKey(key: Value): unknown {
  if (typeof key === 'string') return key.startsWith('\0') ? `\0str:${key}` : key;
  if (typeof key === 'boolean') return key ? 1n : 0n;
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : key;
  if (key instanceof Markup) return hashKey(key.text);
  if (key instanceof Tuple) return tupleKey(key);
  if (key instanceof Undefined) return Undefined;
  if (Array.isArray(key) || key instanceof Dict || key instanceof Slice)
    throw new TemplateError(`unhashable type: '${typeOf(key)}'`);
  return key;
}

function tupleKey(tuple: Tuple): string {
  let key = TUPLE;
  for (const item of tuple.items) {
    const hash = hashKey(item);
    if (typeof hash === 'object' && hash !== null)
      throw new TemplateError(`a ${typeOf(item)} in a tuple cannot be a key here`);
    const part = String(hash === Undefined ? 'Undefined' : hash);
    key += `${typeof hash} ${part.length} ${part}`;
    spendText(key.length);
  }
  return key;
}

/** Returns the name of a value's type in Python. */
export function typeOf(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'object') return Array.isArray(value) ? 'list' : value.type;
  return { boolean: 'bool', bigint: 'int', number: 'float', string: 'str' }[
    typeof value as 'boolean' | 'bigint' | 'number' | 'string'
  ];
}

export function isTrue(value: Value): boolean {
  if (value === null || typeof value !== 'object')
    return value === null ? false : Boolean(value) || Number.isNaN(value);
  const length = lengthOf(value);
  return length === undefined || length > 0;
}

/** Returns Python's `len(value)`; `undefined` for a value without a length. */
export function lengthOf(value: Value): number | undefined {
  if (typeof value === 'string') return codePointLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Tuple) return value.items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof DictView) return value.dict.size;
  if (value instanceof Range) return value.length;
  if (value instanceof Markup) return codePointLength(value.text);
  if (value instanceof Undefined) return 0;
  const loop = value as { length?: unknown } | null;
  return value instanceof WithAttributes && typeof loop?.length === 'number' ? loop.length : undefined;
}

/** Returns the items of a value; `undefined` for a value without items. */
export function itemsOf(value: Value): Iterable<Value> | undefined {
  if (typeof value === 'string') return characters(value);
  if (Array.isArray(value)) return value;
  if (value instanceof Tuple) return value.items;
  if (value instanceof Dict) return value.keys();
  if (value instanceof DictView || value instanceof Range) return value;
  if (value instanceof Once) return { [Symbol.iterator]: () => value.iterator };
  if (value instanceof Markup) return [...characters(value.text)].map((character) => new Markup(character));
  if (value instanceof Undefined) return [];
  return undefined;
}

/** Returns the items of a value. Throws when it cannot be iterated. */
export function iterate(value: Value): Iterable<Value> {
  const items = itemsOf(value);
  if (items === undefined) throw new TemplateError(`'${typeOf(value)}' object is not iterable`);
  return items;
}

/** Returns Python's `list(value)`. */
export function listOf(value: Value): Value[] {
  const list: Value[] = [];
  for (const item of iterate(value)) {
    list.push(item);
    if (list.length % 1024 === 0) spendItems(1024);
    if (list.length > 1_000_000) spendItems(list.length);
  }
  spendItems(list.length % 1024);
  return list;
}

/**
 * Returns a value of JavaScript as transformers finds it in JSON; numbers without a
 * fraction are integers. Throws for values that JSON does not have, or that are nested
 * too deeply.
 */
export function toPython(value: unknown, what: string, depth = 0): Value {
  if (depth > MAXIMUM_NESTING) throw new NestingError(what);
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value;
  // JSON writes larger integers with an exponent, which Python reads as a float.
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value) : value;
  if (typeof value !== 'object')
    throw new TypeError(
      `${what} has a ${typeof value} in it, which a chat template cannot read; give texts, numbers, booleans, null, arrays and objects`,
    );
  if (value instanceof PythonObject) return value;
  if (value instanceof Map)
    return Dict.from(
      [...value].map(([key, item]) => [toPython(key, what, depth + 1), toPython(item, what, depth + 1)]),
    );
  if (Array.isArray(value) || value instanceof Set || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    return Array.from(value as Iterable<unknown>, (item) => toPython(item, what, depth + 1));
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return toPython((value as { toJSON(): unknown }).toJSON(), what, depth + 1);
  const dict = new Dict();
  for (const [key, item] of Object.entries(value))
    if (item !== undefined) dict.set(key, toPython(item, what, depth + 1));
  return dict;
}
