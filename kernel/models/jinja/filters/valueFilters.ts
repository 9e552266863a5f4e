/* Filters for numbers and for values of any kind. */
import { integer } from '../arguments';
import { TemplateError } from '../errors';
import { filters } from './filterArguments';
import { toJson } from './json';
import {
  arithmetic,
  fixed,
  numberOf,
  parseFloatText,
  parseInteger,
  rounded,
  toFloat,
  toInt,
  trueDivision,
  type Num,
} from '../numbers';
import { repr, text } from './repr';
import { sorted } from '../compare';
import { codePointLength } from './unicode';
import { Dict, isTrue, Markup, Tuple, typeOf, Undefined, type Value } from '../values';

export const VALUE_FILTERS = filters({
  abs: ['x /', (value) => absolute(number(value, 'abs()'))],
  d: ['value default_value? boolean?', defaultTo],
  default: ['value default_value? boolean?', defaultTo],
  filesizeformat: ['value binary?', fileSize],
  float: ['value default?', (value, fallback = 0) => toFloatOr(value) ?? fallback],
  int: ['value default? base?', toInteger],
  pprint: ['value', prettyPrint],
  round: ['value precision? method?', round],
  string: ['s', (value) => (value instanceof Markup ? value : text(value))],
  tojson: ['x ensure_ascii? indent? separators? sort_keys?', json],
});

function number(value: Value, what: string): Num {
  if (value instanceof Undefined) value.fail();
  const found = numberOf(value);
  if (found === undefined) throw new TemplateError(`bad operand type for ${what}: '${typeOf(value)}'`);
  return found;
}

function absolute(value: Num): Num {
  return typeof value === 'bigint' ? (value < 0n ? -value : value) : Math.abs(value);
}

function defaultTo(value: Value, fallback: Value = '', boolean: Value = false): Value {
  return value instanceof Undefined || (isTrue(boolean) && !isTrue(value)) ? fallback : value;
}

/** Returns Python's `float(value)`; `undefined` where the value is no number. */
function toFloatOr(value: Value): number | undefined {
  if (value instanceof Undefined) value.fail();
  if (typeof value === 'string' || value instanceof Markup) return parseFloatText(text(value));
  const found = numberOf(value);
  return found === undefined ? undefined : toFloat(found);
}

function toInteger(value: Value, fallback: Value = 0n, base: Value = 10n): Value {
  if (value instanceof Undefined) value.fail();
  if (typeof value === 'string') {
    const radix = Number(integer(base));
    if (radix === 0 || (radix >= 2 && radix <= 36)) {
      const whole = parseInteger(value, radix);
      if (whole !== undefined) return whole;
    }
  } else {
    const found = numberOf(value);
    if (typeof found === 'bigint') return found;
    if (found !== undefined && !Number.isNaN(found)) return toInt(found);
  }
  const float = toFloatOr(value);
  return float === undefined || !Number.isFinite(float) ? fallback : toInt(float);
}

function round(value: Value, precision: Value = 0n, method: Value = 'common'): Value {
  if (method !== 'common' && method !== 'ceil' && method !== 'floor')
    throw new TemplateError('method must be common, ceil or floor');
  const own = number(value, 'round()');
  const digits = integer(precision);
  if (method === 'common') return rounded(own, digits);
  const scale = arithmetic('**', 10n, digits);
  const scaled = arithmetic('*', own, scale);
  const whole = typeof scaled === 'bigint' ? scaled : toInt(method === 'ceil' ? Math.ceil(scaled) : Math.floor(scaled));
  return typeof scale === 'bigint' ? trueDivision(whole, scale) : arithmetic('/', whole, scale);
}

function fileSize(value: Value, binary: Value = false): Value {
  const bytes = toFloatOr(value);
  if (bytes === undefined) throw new TemplateError(`could not convert ${repr(value)} to float`);
  const base = isTrue(binary) ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${toInt(bytes)} Bytes`;
  const prefixes = isTrue(binary)
    ? ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']
    : ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
  const units = prefixes.map((_, i) => BigInt(base) ** BigInt(i + 2));
  const place = units.findIndex((unit) => bytes < unit);
  const at = place < 0 ? units.length - 1 : place;
  return `${fixed((base * bytes) / Number(units[at]), 1)} ${prefixes[at]}`;
}

/** Returns `pprint` of a value that fits on a line of 80 characters. Throws for longer ones, which Python breaks. */
function prettyPrint(value: Value): Value {
  const printed = repr(withSortedKeys(value));
  if (codePointLength(printed) > 80)
    throw new TemplateError('pprint is possible only for values that fit on a line of 80 characters here');
  return printed;
}

function withSortedKeys(value: Value): Value {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (value instanceof Tuple) return new Tuple(value.items.map(withSortedKeys));
  if (!(value instanceof Dict)) return value;
  return Dict.from(
    sorted(
      [...value.entries()].map((entry) => new Tuple(entry)),
      (entry) => (entry as Tuple).items[0],
      false,
    ).map((entry) => [(entry as Tuple).items[0], withSortedKeys((entry as Tuple).items[1])]),
  );
}

function json(
  value: Value,
  ensureAscii: Value = false,
  indent: Value = null,
  separators: Value = null,
  sortKeys: Value = false,
): Value {
  const step = indent === null ? undefined : typeof indent === 'string' ? indent : ' '.repeat(spaces(indent));
  const pair =
    separators === null
      ? [step === undefined ? ', ' : ',', ': ']
      : Array.isArray(separators)
        ? separators
        : separators instanceof Tuple
          ? separators.items
          : [];
  if (pair.length !== 2 || pair.some((one) => typeof one !== 'string'))
    throw new TemplateError('separators must be two texts');
  return toJson(value, {
    ensureAscii: isTrue(ensureAscii),
    indent: step,
    separators: pair as [string, string],
    sortKeys: isTrue(sortKeys),
  });
}

function spaces(indent: Value): number {
  const size = Number(integer(indent, 'indent'));
  if (size > 1000) throw new TemplateError('tojson indents by at most 1000 spaces here');
  return Math.max(0, size);
}
