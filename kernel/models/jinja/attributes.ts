/* What `value.name` and `value[key]` are: Python's attributes and items, within the sandbox of transformers. */
import { bind, count, integer } from './arguments';
import { braceFormat, type LookUp } from './filters/braceFormat';
import { spendCharacters, spendItems, spendText } from './budget';
import { equals } from './compare';
import { TemplateError } from './errors';
import { numberOf } from './numbers';
import { quoted, repr, text } from './filters/repr';
import { bounded, TEXT_METHODS } from './filters/textMethods';
import { characterAt, characters, sliceText } from './filters/unicode';
import {
  Callable,
  Dict,
  DictView,
  Group,
  lengthOf,
  Markup,
  Once,
  PythonObject,
  Range,
  Slice,
  Tuple,
  typeOf,
  Undefined,
  WithAttributes,
  type Arguments,
  type Value,
} from './values';

/** Returns `value.name`: an attribute, or else the item of that name. */
export function getAttribute(value: Value, name: string): Value {
  if (value instanceof Undefined) value.fail();
  return known(attribute(value, name), () => known(itemOf(value, name), () => missing(value, name)));
}

/** Returns `value[key]`: an item, or else the attribute of that name. */
export function getItem(value: Value, key: Value): Value {
  if (value instanceof Undefined) value.fail();
  return known(itemOf(value, key), () =>
    known(typeof key === 'string' ? attribute(value, key) : undefined, () => missing(value, key)),
  );
}

/** Returns a value, which may be null (None), or else that of `otherwise`. */
function known(value: Value | undefined, otherwise: () => Value): Value {
  return value === undefined ? otherwise() : value;
}

function missing(value: Value, name: Value): Undefined {
  return new Undefined(
    typeof name === 'string'
      ? `'${typeOf(value)} object' has no attribute ${quoted(name)}`
      : `${typeOf(value)} object has no element ${typeof name === 'object' && name !== null ? typeOf(name) : repr(name)}`,
  );
}

/** Returns an attribute as Python has it. */
export function attribute(value: Value, name: string): Value | undefined {
  const found = ownAttribute(value, name);
  if (found !== undefined) return found;
  // Every object has these; templates must not use them.
  return OBJECT.has(name)
    ? new Undefined(`access to attribute '${name}' of '${typeOf(value)}' object is unsafe.`)
    : undefined;
}

const OBJECT = new Set(
  '__class__ __doc__ __init__ __new__ __repr__ __str__ __hash__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __dir__ __format__ __getattribute__ __setattr__ __delattr__ __reduce__ __reduce_ex__ __sizeof__ __subclasshook__ __init_subclass__ __getstate__ __len__ __getitem__ __iter__ __contains__ __add__ __mul__ __dict__ __module__ __globals__ __code__'.split(
    ' ',
  ),
);
const MUTATING = new Set('append clear pop reverse insert sort extend remove'.split(' '));
const MUTATING_DICT = new Set('clear pop popitem setdefault update'.split(' '));

function ownAttribute(value: Value, name: string): Value | undefined {
  if (typeof value === 'string') return textMethod(value, name);
  if (value instanceof Markup)
    return name in TEXT_METHODS || name === 'striptags' || name === 'unescape' ? markupMethod(value, name) : undefined;
  if (Array.isArray(value) || value instanceof Tuple || value instanceof Range) return sequenceAttribute(value, name);
  if (value instanceof Dict) return dictMethod(value, name);
  if (value instanceof WithAttributes || value instanceof Callable) return value.attribute(name);
  const number = numberOf(value);
  if (number !== undefined) return numberAttribute(number, name);
  if (value instanceof DictView && name === 'mapping') return unsupported(value, name);
  if (value instanceof DictView && value.kind !== 'values' && name === 'isdisjoint') return unsupported(value, name);
  if (value instanceof Once && /^(send|throw|close|gi_\w+)$/.test(name)) return unsupported(value, name);
  return undefined;
}

function method(name: string, parameters: string, run: (...args: (Value | undefined)[]) => Value): Callable {
  return new Callable(name, (given) => run(...bind(name, parameters, given)));
}

function unsupported(value: Value, name: string): Callable {
  return new Callable(name, () => {
    throw new TemplateError(`${name} of ${typeOf(value)} is not possible in templates here`);
  });
}

const lookUp: LookUp = (value, name, isAttribute) =>
  isAttribute ? getAttribute(value, name as string) : getItem(value, name);

function textMethod(self: string, name: string): Callable | undefined {
  if (name === 'format') return new Callable(name, (given) => braceFormat(self, given, lookUp));
  if (name === 'format_map') {
    return method(name, 'mapping /', (mapping) => {
      if (!(mapping instanceof Dict)) throw new TemplateError('format_map() needs a dictionary');
      return braceFormat(
        self,
        { args: [], kwargs: new Map([...mapping.entries()].map(([key, value]) => [text(key), value])) },
        lookUp,
      );
    });
  }
  if (!Object.hasOwn(TEXT_METHODS, name)) return undefined;
  return new Callable(name, (given: Arguments) => TEXT_METHODS[name](self, given, name));
}

/**
 * Returns a method of an escaped text. Without arguments it keeps the text escaped;
 * with arguments, which it would have to escape, it throws.
 */
function markupMethod(self: Markup, name: string): Callable {
  if (!Object.hasOwn(TEXT_METHODS, name)) return unsupported(self, name);
  return new Callable(name, (given) => {
    if (given.args.length + given.kwargs.size > 0)
      throw new TemplateError(`${name} of a text that was escaped is possible only without arguments here`);
    const result = TEXT_METHODS[name](self.text, given, name);
    if (typeof result === 'string') return new Markup(result);
    return Array.isArray(result) ? result.map((item) => (typeof item === 'string' ? new Markup(item) : item)) : result;
  });
}

function sequenceAttribute(value: Value[] | Tuple | Range, name: string): Value | undefined {
  if (value instanceof Group && (name === 'grouper' || name === 'list')) return value[name];
  if (value instanceof Range && (name === 'start' || name === 'stop' || name === 'step')) return value[name];
  if (Array.isArray(value) && MUTATING.has(name))
    return new Undefined(`access to attribute '${name}' of 'list' object is unsafe.`);
  if (Array.isArray(value) && name === 'copy') return method(name, '', () => [...value]);
  if (name !== 'count' && name !== 'index') return undefined;
  const items: readonly Value[] = Array.isArray(value) ? value : value instanceof Tuple ? value.items : [...value];
  if (name === 'count')
    return method(name, 'value /', (item) => BigInt(items.filter((one) => equals(one, item!)).length));
  return method(name, value instanceof Range ? 'value /' : 'value start? stop? /', (item, start, stop) => {
    const from = bounded(start, items.length, 0);
    const at = items.slice(from, bounded(stop, items.length, items.length)).findIndex((one) => equals(one, item!));
    if (at < 0) throw new TemplateError(`${repr(item!)} is not in ${typeOf(value)}`);
    return BigInt(from + at);
  });
}

function dictMethod(self: Dict, name: string): Value | undefined {
  if (MUTATING_DICT.has(name)) return new Undefined(`access to attribute '${name}' of 'dict' object is unsafe.`);
  switch (name) {
    case 'get':
      return method(name, 'key default? /', (key, otherwise = null) => (self.has(key!) ? self.get(key!)! : otherwise));
    case 'items':
    case 'keys':
    case 'values':
      return method(name, '', () => new DictView(name, self));
    case 'copy':
      return method(name, '', () => Dict.from(self.entries()));
    case 'fromkeys':
      return method(name, 'iterable value? /', (keys, value = null) => fromKeys(keys!, value));
    default:
      return undefined;
  }
}

export function fromKeys(keys: Value, value: Value): Dict {
  return Dict.from([...listItems(keys)].map((key) => [key, value] as const));
}

function listItems(value: Value): Iterable<Value> {
  if (Array.isArray(value)) return value;
  if (value instanceof Tuple) return value.items;
  if (value instanceof Range || value instanceof DictView) return value;
  if (value instanceof Dict) return value.keys();
  if (typeof value === 'string') return characters(value);
  throw new TemplateError(`'${typeOf(value)}' object is not iterable`);
}

const NUMBER_METHODS = new Set(
  'conjugate bit_length bit_count as_integer_ratio to_bytes from_bytes hex fromhex'.split(' '),
);

function numberAttribute(number: bigint | number, name: string): Value | undefined {
  switch (name) {
    case 'real':
      return number;
    case 'imag':
      return typeof number === 'bigint' ? 0n : 0;
    case 'numerator':
      return typeof number === 'bigint' ? number : undefined;
    case 'denominator':
      return typeof number === 'bigint' ? 1n : undefined;
    // Integers have it only in newer versions of Python.
    case 'is_integer':
      return typeof number === 'number' ? method(name, '', () => Number.isInteger(number)) : undefined;
  }
  return NUMBER_METHODS.has(name) ? unsupported(number, name) : undefined;
}

/** Returns the item of a container; `undefined` where Python raises an error that templates take for "undefined". */
function itemOf(value: Value, key: Value): Value | undefined {
  if (value instanceof Dict && !(key instanceof Slice)) return isHashable(key) ? value.get(key) : undefined;
  const length =
    value instanceof PythonObject && !(value instanceof Tuple || value instanceof Range || value instanceof Markup)
      ? undefined
      : lengthOf(value);
  if (key instanceof Slice) return sliced(value, key, length);
  if (length === undefined) return undefined;
  const index = typeof key === 'boolean' || typeof key === 'bigint' ? integer(key) : undefined;
  if (index === undefined) return undefined;
  const at = Number(index < 0n ? index + BigInt(length) : index);
  return at >= 0 && at < length ? characterOrItem(value, at) : undefined;
}

function isHashable(key: Value): boolean {
  return !(
    Array.isArray(key) ||
    key instanceof Dict ||
    key instanceof Slice ||
    (key instanceof Tuple && !key.items.every(isHashable))
  );
}

function characterOrItem(value: Value, index: number): Value {
  if (typeof value === 'string') return characterAt(value, index);
  if (value instanceof Markup) return new Markup(characterAt(value.text, index));
  return Array.isArray(value) ? value[index] : value instanceof Tuple ? value.items[index] : (value as Range).at(index);
}

function sliced(value: Value, slice: Slice, length: number | undefined): Value {
  if (length === undefined) throw new TemplateError(`'${typeOf(value)}' object cannot be sliced`);
  if (
    [slice.start, slice.stop, slice.step].some(
      (part) => part !== null && typeof part !== 'bigint' && typeof part !== 'boolean',
    )
  )
    throw new TemplateError('slice indices must be integers or None');
  const step = slice.step === null ? 1 : count(slice.step);
  if (step === 0) throw new TemplateError('slice step cannot be zero');
  const limit = (part: Value, otherwise: number): number => {
    if (part === null) return otherwise;
    const at = count(part);
    const from = at < 0 ? at + length : at;
    return step > 0 ? Math.max(0, Math.min(length, from)) : Math.max(-1, Math.min(length - 1, from));
  };
  const [start, stop] = [limit(slice.start, step > 0 ? 0 : length - 1), limit(slice.stop, step > 0 ? length : -1)];
  if (value instanceof Range) return new Range(value.at(start), value.at(stop), value.step * BigInt(step));
  const indexes = Array.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (_, i) => start + i * step);
  if (typeof value === 'string' || value instanceof Markup) {
    const own = typeof value === 'string' ? value : value.text;
    // Beyond the BMP, texts are cut character by character.
    if (length < own.length) spendCharacters(own.length * 4);
    else spendText(own.length);
    const cut =
      step === 1 ? sliceText(own, start, Math.max(start, stop)) : indexes.map((i) => characterAt(own, i)).join('');
    return typeof value === 'string' ? cut : new Markup(cut);
  }
  spendItems(indexes.length);
  const items = Array.isArray(value) ? value : (value as Tuple).items;
  const cut = indexes.map((i) => items[i]);
  return Array.isArray(value) ? cut : new Tuple(cut);
}
