/* What `+`, `*`, `%` and the like do with two values. */
import { spend, spendItems, spendText } from './budget';
import { TemplateError } from './errors';
import { percentFormat } from './filters/percentFormat';
import { arithmetic, numberOf } from './numbers';
import { text } from './filters/repr';
import { escapeHtml } from './filters/html';
import { Markup, Tuple, typeOf, Undefined, type Value } from './values';

export function binary(operator: string, a: Value, b: Value): Value {
  spend(1);
  // A text formats even what is undefined.
  if (operator === '%' && typeof a === 'string') return percentFormat(a, b);
  if (a instanceof Undefined) a.fail();
  if (b instanceof Undefined) b.fail();
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return arithmetic(operator, x, y);
  const result = operator === '+' ? joined(a, b) : operator === '*' ? repeated(a, b) : undefined;
  if (result === undefined)
    throw new TemplateError(
      `unsupported operand type(s) for ${operator === '**' ? '** or pow()' : operator}: '${typeOf(a)}' and '${typeOf(b)}'`,
    );
  return result;
}

function joined(a: Value, b: Value): Value | undefined {
  if (typeof a === 'string' && typeof b === 'string') {
    spendText(a.length + b.length);
    return a + b;
  }
  if (Array.isArray(a) && Array.isArray(b)) return longer([...a, ...b]);
  if (a instanceof Tuple && b instanceof Tuple) return new Tuple(longer([...a.items, ...b.items]));
  const texts = [a, b].map((value) =>
    value instanceof Markup ? value.text : typeof value === 'string' ? escapeHtml(value) : undefined,
  );
  if (texts.includes(undefined)) return undefined;
  spendText(texts[0]!.length + texts[1]!.length);
  return new Markup(texts.join(''));
}

function longer<T>(items: T[]): T[] {
  spendItems(items.length);
  return items;
}

function repeated(a: Value, b: Value): Value | undefined {
  if (typeof a === 'bigint' || typeof a === 'boolean') return repeated(b, a === true ? 1n : a === false ? 0n : a);
  if (typeof b !== 'bigint' && typeof b !== 'boolean') return undefined;
  const times = Math.max(0, Number(b));
  if (typeof a === 'string' || a instanceof Markup) {
    const value = text(a);
    spendText(value.length * times);
    return typeof a === 'string' ? value.repeat(times) : new Markup(value.repeat(times));
  }
  const items = Array.isArray(a) ? a : a instanceof Tuple ? a.items : undefined;
  if (!items) return undefined;
  spendItems(items.length * times);
  const all = Array.from({ length: items.length === 0 ? 0 : times }, () => items).flat();
  return Array.isArray(a) ? all : new Tuple(all);
}

export function negated(value: Value, sign: '-' | '+'): Value {
  if (value instanceof Undefined) value.fail();
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`bad operand type for unary ${sign}: '${typeOf(value)}'`);
  return sign === '-' ? -number : number;
}
