/* When values are equal, which comes first, and what is in what. */
import { spend, spendText } from './budget';
import { TemplateError } from './errors';
import { numberOf } from './numbers';
import { find } from './search';
import { compareText } from './filters/unicode';
import { Dict, DictView, hashKey, itemsOf, Markup, Range, Tuple, typeOf, Undefined, type Value } from './values';

export function equals(a: Value, b: Value): boolean {
  spend(1);
  const [x, y] = [numberOf(a), numberOf(b)];
  // Loose equality compares a bigint with a number exactly.
  // biome-ignore lint/suspicious/noDoubleEquals: a number equals the integer of its value.
  if (x !== undefined || y !== undefined) return x !== undefined && y !== undefined && x == y;
  if (a instanceof Undefined || b instanceof Undefined) return a instanceof Undefined && b instanceof Undefined;
  const [left, right] = [plain(a), plain(b)];
  if (typeof left === 'string' && typeof right === 'string') {
    if (left.length === right.length) spendText(left.length);
    return left === right;
  }
  if (typeof left === 'string' || typeof right === 'string') return false;
  if (Array.isArray(a) && Array.isArray(b)) return sameItems(a, b);
  if (a instanceof Tuple && b instanceof Tuple) return sameItems(a.items, b.items);
  if (a instanceof Dict && b instanceof Dict)
    return a.size === b.size && [...a.entries()].every(([key, value]) => b.has(key) && same(value, b.get(key)!));
  if (a instanceof Range && b instanceof Range)
    return a.length === b.length && (a.length === 0 || (a.start === b.start && (a.length === 1 || a.step === b.step)));
  if (a instanceof DictView && b instanceof DictView) return viewsEqual(a, b);
  return a === b;
}

function plain(value: Value): Value {
  return value instanceof Markup ? value.text : value;
}

/** Returns whether items of containers are equal: the same object is, even where it does not equal itself. */
function same(a: Value, b: Value): boolean {
  return (typeof a !== 'number' && a === b) || equals(a, b);
}

function sameItems(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, i) => same(item, b[i]));
}

function viewsEqual(a: DictView, b: DictView): boolean {
  if (a.kind === 'values' || b.kind === 'values') return a === b;
  return a.dict.size === b.dict.size && [...a].every((item) => contains(b, item));
}

/**
 * Returns a negative number where `a` comes before `b`, a positive one where it comes
 * after, 0 where they are equal, NaN where they have no order. Throws for types that
 * Python does not compare.
 */
export function order(a: Value, b: Value, operator: string): number {
  spend(1);
  if (a instanceof Undefined) a.fail();
  if (b instanceof Undefined) b.fail();
  const [x, y] = [numberOf(a), numberOf(b)];
  // biome-ignore lint/suspicious/noDoubleEquals: a number equals the integer of its value.
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : x == y ? 0 : NaN;
  const [left, right] = [plain(a), plain(b)];
  if (typeof left === 'string' && typeof right === 'string') {
    spendText(Math.min(left.length, right.length));
    return compareText(left, right);
  }
  if (Array.isArray(a) && Array.isArray(b)) return orderItems(a, b, operator);
  if (a instanceof Tuple && b instanceof Tuple) return orderItems(a.items, b.items, operator);
  if (a instanceof DictView || b instanceof DictView)
    throw new TemplateError('views of dictionaries can be compared only for equality here');
  throw new TemplateError(`'${operator}' not supported between instances of '${typeOf(a)}' and '${typeOf(b)}'`);
}

function orderItems(a: readonly Value[], b: readonly Value[], operator: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (!same(a[i], b[i])) return order(a[i], b[i], operator);
  return a.length - b.length;
}

export function compares(operator: string, a: Value, b: Value): boolean {
  switch (operator) {
    case '==':
      return equals(a, b);
    case '!=':
      return !equals(a, b);
    case 'in':
      return contains(b, a);
    case 'notin':
      return !contains(b, a);
    case '<':
      return order(a, b, '<') < 0;
    case '<=':
      return order(a, b, '<=') <= 0;
    case '>':
      return order(a, b, '>') > 0;
    default:
      return order(a, b, '>=') >= 0;
  }
}

/** Returns Python's `item in container`. */
export function contains(container: Value, item: Value): boolean {
  if (typeof container === 'string' || container instanceof Markup) {
    const searched = plain(item);
    if (typeof searched !== 'string')
      throw new TemplateError(`'in <string>' requires string as left operand, not ${typeOf(item)}`);
    return find(plain(container) as string, searched) >= 0;
  }
  if (container instanceof Dict) return container.has(item);
  if (container instanceof DictView && container.kind === 'keys') return container.dict.has(item);
  const items = itemsOf(container);
  if (!items) throw new TemplateError(`argument of type '${typeOf(container)}' is not iterable`);
  for (const one of items) if (same(one, item)) return true;
  return false;
}

/** Returns items sorted as by Python's `sorted`: equal ones keep their order, also in reverse. */
export function sorted(items: readonly Value[], key: (item: Value) => Value, reverse: boolean): Value[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  spend(items.length * Math.log2(items.length + 2));
  keyed.sort((a, b) => {
    const way = order(a.key, b.key, '<');
    return reverse ? -way || 0 : way || 0;
  });
  return keyed.map(({ item }) => item);
}

/** Yields the items without those that equal an earlier one. */
export function* unique(items: Iterable<Value>, key: (item: Value) => Value): Iterator<Value> {
  const seen = new Set<unknown>();
  for (const item of items) {
    const hash = hashKey(key(item));
    if (seen.has(hash)) continue;
    seen.add(hash);
    yield item;
  }
}
