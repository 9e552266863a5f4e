/* Filters for lists, dictionaries and what else has items. */
import { count } from '../arguments';
import { checkText, spendCharacters, spendItems, spendText } from '../budget';
import { equals, order, sorted, unique } from '../compare';
import { TemplateError } from '../errors';
import { getItem } from '../attributes';
import { attributeGetter, caseKey, filters, pathOf } from './filterArguments';
import { binary } from '../operators';
import { text } from './repr';
import { characters } from './unicode';
import {
  Dict,
  DictView,
  Group,
  isTrue,
  iterate,
  itemsOf,
  lengthOf,
  listOf,
  Markup,
  Once,
  Tuple,
  typeOf,
  Undefined,
  type Value,
} from '../values';

function once(items: Iterable<Value>): Once {
  return new Once(items[Symbol.iterator]());
}

export const SEQUENCE_FILTERS = filters({
  batch: ['value linecount fill_with?', (value, size, fill = null) => once(batches(value, count(size!), fill))],
  count: ['obj /', length],
  dictsort: ['value case_sensitive? by? reverse?', dictSort],
  first: ['seq', (value) => firstOf(iterate(value), 'No first item, sequence was empty.')],
  groupby: ['value attribute default? case_sensitive?', groupBy],
  items: ['value', (value) => once(itemPairs(value))],
  join: ['value d? attribute?', join],
  last: ['seq', (value) => firstOf(reversed(value), 'No last item, sequence was empty.')],
  length: ['obj /', length],
  list: ['value', listOf],
  max: [
    'value case_sensitive? attribute?',
    (value, caseSensitive, attribute) => extreme(value, caseSensitive, attribute, 1),
  ],
  min: [
    'value case_sensitive? attribute?',
    (value, caseSensitive, attribute) => extreme(value, caseSensitive, attribute, -1),
  ],
  random: ['seq', () => fail('random gives another text each time, so it is not possible in chat templates here')],
  reverse: ['value', reverse],
  slice: ['value slices fill_with?', (value, slices, fill = null) => once(slicesOf(value, count(slices!), fill))],
  sort: ['value reverse? case_sensitive? attribute?', sort],
  sum: ['iterable attribute? start?', sum],
  unique: [
    'value case_sensitive? attribute?',
    (value, caseSensitive, attribute = null) =>
      new Once(unique(iterate(value), attributeGetter(attribute, { change: caseKey(caseSensitive) }))),
  ],
});

function fail(message: string): never {
  throw new TemplateError(message);
}

function length(value: Value): Value {
  return BigInt(lengthOf(value) ?? fail(`object of type '${typeOf(value)}' has no len()`));
}

function* batches(value: Value, size: number, fill: Value): Iterable<Value> {
  let batch: Value[] = [];
  for (const item of iterate(value)) {
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
    batch.push(item);
    spendItems(1);
  }
  if (batch.length === 0) return;
  if (fill !== null && batch.length < size) {
    spendItems(size);
    batch.push(...new Array<Value>(size - batch.length).fill(fill));
  }
  yield batch;
}

function* slicesOf(value: Value, slices: number, fill: Value): Iterable<Value> {
  const items = listOf(value);
  if (slices === 0) fail('integer division or modulo by zero');
  const each = Math.floor(items.length / slices);
  const withExtra = items.length - each * slices;
  let start = 0;
  for (let i = 0; i < slices; i++) {
    const end = start + each + (i < withExtra ? 1 : 0);
    const slice = items.slice(start, end);
    if (fill !== null && i >= withExtra) slice.push(fill);
    spendItems(slice.length);
    yield slice;
    start = end;
  }
}

function entriesOf(value: Value): [Value, Value][] {
  if (value instanceof Undefined) value.fail();
  if (!(value instanceof Dict)) return fail(`'${typeOf(value)}' object has no attribute 'items'`);
  return [...value.entries()];
}

function dictSort(value: Value, caseSensitive: Value | undefined, by: Value = 'key', reverse: Value = false): Value {
  if (by !== 'key' && by !== 'value') fail('You can only sort by either "key" or "value"');
  const key = caseKey(caseSensitive !== undefined && isTrue(caseSensitive));
  const pairs = entriesOf(value).map((entry) => new Tuple(entry));
  return sorted(pairs, (pair) => key((pair as Tuple).items[by === 'key' ? 0 : 1]), isTrue(reverse));
}

function firstOf(items: Iterable<Value>, otherwise: string): Value {
  const { done, value } = items[Symbol.iterator]().next();
  return done ? new Undefined(otherwise) : value;
}

/** Returns the items from the last to the first. Throws for iterators. */
function reversed(value: Value): Iterable<Value> {
  if (typeof value === 'string') return [...characters(value)].reverse();
  if (value instanceof Once || itemsOf(value) === undefined) fail(`'${typeOf(value)}' object is not reversible`);
  return listOf(value).reverse();
}

class Reversed extends Once {
  override readonly type = 'list_reverseiterator';
}

function reverse(value: Value): Value {
  if (typeof value === 'string' || value instanceof Markup) {
    spendCharacters(text(value).length * 4);
    const turned = [...text(value)].reverse().join('');
    return typeof value === 'string' ? turned : new Markup(turned);
  }
  if (value instanceof Once) return listOf(value).reverse();
  if (itemsOf(value) === undefined) fail('argument must be iterable');
  return new Reversed(reversed(value)[Symbol.iterator]());
}

function groupBy(value: Value, attribute?: Value, fallback: Value = null, caseSensitive?: Value): Value {
  const change = caseKey(caseSensitive !== undefined && isTrue(caseSensitive));
  const key = attributeGetter(attribute!, { fallback, change });
  const name = attributeGetter(attribute!, { fallback });
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of sorted(listOf(value), key, false)) {
    const own = key(item);
    const last = groups.at(-1);
    if (last && equals(last.key, own)) last.items.push(item);
    else groups.push({ key: own, items: [item] });
  }
  return groups.map(({ items }) => new Group(name(items[0]), items));
}

function* itemPairs(value: Value): Iterable<Value> {
  if (value instanceof Undefined) return;
  if (!(value instanceof Dict)) fail('Can only get item pairs from a mapping.');
  yield* new DictView('items', value);
}

function join(value: Value, separator: Value = '', attribute: Value = null): Value {
  const get = attributeGetter(attribute);
  const between = text(separator);
  let [result, first] = ['', true];
  for (const item of iterate(value)) {
    const piece = text(get(item));
    spendText(piece.length + between.length);
    result += first ? piece : between + piece;
    first = false;
    checkText(result.length);
  }
  return result;
}

function extreme(value: Value, caseSensitive: Value | undefined, attribute: Value = null, sign: 1 | -1): Value {
  const key = attributeGetter(attribute, { change: caseKey(caseSensitive !== undefined && isTrue(caseSensitive)) });
  let best: { item: Value; key: Value } | undefined;
  for (const item of iterate(value)) {
    const own = key(item);
    if (!best || order(own, best.key, sign > 0 ? '>' : '<') * sign > 0) best = { item, key: own };
  }
  return best ? best.item : new Undefined('No aggregated item, sequence was empty.');
}

function sort(value: Value, reverse: Value = false, caseSensitive?: Value, attribute: Value = null): Value {
  const change = caseKey(caseSensitive !== undefined && isTrue(caseSensitive));
  const paths = (typeof attribute === 'string' ? attribute.split(',') : [attribute]).map(pathOf);
  const key = (item: Value): Value =>
    paths.map((path) => change(path.reduce((part: Value, name) => getItem(part, name), item)));
  return sorted(listOf(value), key, isTrue(reverse));
}

function sum(value: Value, attribute: Value = null, start: Value = 0n): Value {
  if (typeof start === 'string') fail("sum() can't sum strings [use ''.join(seq) instead]");
  const get = attributeGetter(attribute);
  let total: Value = start;
  for (const item of iterate(value)) total = binary('+', total, get(item));
  return total;
}
