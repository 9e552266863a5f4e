/* `'{} and {name:>5}'.format(a, name=b)`. */
import { spendText } from '../budget';
import { TemplateError } from '../errors';
import { fixed, floatText, general, numberOf, scientific, toFloat } from '../numbers';
import { MOST_DIGITS } from './percentFormat';
import { asciiRepr, repr, text } from './repr';
import { codePointLength, sliceText } from './unicode';
import { typeOf, type Arguments, type Value } from '../values';

/** Returns an attribute or an item of a value, as templates see them. */
export type LookUp = (value: Value, name: Value, isAttribute: boolean) => Value;

export function braceFormat(format: string, given: Arguments, lookUp: LookUp): string {
  return new Formatter(given, lookUp).format(format, 2);
}

class Formatter {
  /** Index of the next field, or 'named': fields are numbered automatically or by the template, not both. */
  private next: number | 'named' = 0;
  constructor(
    private readonly given: Arguments,
    private readonly lookUp: LookUp,
  ) {}

  format(format: string, depth: number): string {
    if (depth < 0) throw new TemplateError('Max string recursion exceeded');
    spendText(format.length);
    let result = '';
    for (let i = 0; i < format.length; i++) {
      const character = format[i];
      if ((character === '{' || character === '}') && format[i + 1] === character) result += format[i++];
      else if (character === '{') {
        const end = closing(format, i);
        result += this.field(format.slice(i + 1, end), depth);
        i = end;
      } else if (character === '}') throw new TemplateError("Single '}' encountered in format string");
      else result += character;
    }
    spendText(result.length);
    return result;
  }

  private field(field: string, depth: number): string {
    const [, name, conversion, spec = ''] =
      /^((?:[^!:[]|\[[^\]]*\])*)(?:!([^:]*))?(?::([\s\S]*))?$/.exec(field) ??
      fail(`the format field {${field}} is not possible`);
    let value = this.value(name);
    if (conversion !== undefined) {
      if (!'rsa'.includes(conversion) || conversion.length !== 1)
        throw new TemplateError(`Unknown conversion specifier ${conversion}`);
      value = conversion === 'r' ? repr(value) : conversion === 's' ? text(value) : asciiRepr(value);
    }
    return formatValue(value, spec.includes('{') || spec.includes('}') ? this.format(spec, depth - 1) : spec);
  }

  private value(name: string): Value {
    const [, first, rest] = /^([^.[]*)([\s\S]*)$/.exec(name)!;
    let value = this.first(first);
    const parts = /\.([^.[]+)|\[([^\]]+)\]/gy;
    while (parts.lastIndex < rest.length) {
      const match = parts.exec(rest) ?? fail(`the format field {${name}} is not possible`);
      value =
        match[1] !== undefined
          ? this.lookUp(value, match[1], true)
          : this.lookUp(value, /^\d+$/.test(match[2]) ? BigInt(match[2]) : match[2], false);
    }
    return value;
  }

  private first(name: string): Value {
    if (name !== '' && !/^\d+$/.test(name)) {
      const value = this.given.kwargs.get(name);
      return value === undefined ? fail(`KeyError: ${repr(name)}`) : value;
    }
    const numbered = name !== '';
    if (numbered ? typeof this.next === 'number' && this.next > 0 : this.next === 'named')
      throw new TemplateError('cannot switch between manual field specification and automatic field numbering');
    const place = numbered ? Number(name) : (this.next as number);
    this.next = numbered ? 'named' : place + 1;
    if (place >= this.given.args.length)
      throw new TemplateError(`Replacement index ${place} out of range for positional args tuple`);
    return this.given.args[place];
  }
}

function fail(message: string): never {
  throw new TemplateError(message);
}

/** Returns the index of the end of the field that starts at `start`. */
function closing(format: string, start: number): number {
  let depth = 0;
  for (let i = start; i < format.length; i++) {
    if (format[i] === '{') depth++;
    else if (format[i] === '}' && --depth === 0) return i;
  }
  throw new TemplateError("expected '}' before end of string");
}

interface Spec {
  fill: string;
  align: string | undefined;
  sign: string;
  alternate: boolean;
  width: number;
  grouping: string;
  precision: number | undefined;
  kind: string;
}

/** Returns Python's `format(value, spec)`. */
export function formatValue(value: Value, spec: string): string {
  if (spec === '') return text(value);
  const number = numberOf(value);
  if (typeof value !== 'string' && number === undefined)
    throw new TemplateError(`unsupported format string passed to ${typeOf(value)}.__format__`);
  const match = /^(?:([\s\S])?([<>=^]))?([+\- ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/u.exec(spec);
  if (!match) throw new TemplateError(`Invalid format specifier '${spec}' for object of type '${typeOf(value)}'`);
  const [, fill, align, sign, alternate, zero, width, grouping, precision, kind] = match;
  const read: Spec = {
    fill: fill ?? (zero ? '0' : ' '),
    align: align ?? (zero && number !== undefined ? '=' : undefined),
    sign: sign ?? '',
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping: grouping ?? '',
    precision: precision === undefined ? undefined : Number(precision),
    kind: kind ?? '',
  };
  spendText(read.width);
  if (number !== undefined && (read.precision ?? 0) > MOST_DIGITS)
    throw new TemplateError(
      `a number with ${read.precision} digits after the point is not possible here; at most ${MOST_DIGITS} are`,
    );
  return typeof value === 'string' ? formatText(value, read) : formatNumber(value, number!, read);
}

function formatText(value: string, spec: Spec): string {
  if (spec.kind !== '' && spec.kind !== 's')
    throw new TemplateError(`Unknown format code '${spec.kind}' for object of type 'str'`);
  if (spec.sign || spec.alternate || spec.grouping || spec.align === '=')
    throw new TemplateError('Sign, alternate form, grouping and = are not allowed in string format specifier');
  return align(spec.precision === undefined ? value : sliceText(value, 0, spec.precision), '', spec, '<');
}

function formatNumber(value: Value, number: bigint | number, spec: Spec): string {
  if (spec.alternate && !'xXob'.includes(spec.kind || '?'))
    throw new TemplateError('the alternate form of numbers (#) is possible only with x, o and b here');
  // An integer without a kind is written as one, and bool as its number where there is a format.
  const isInteger = typeof number === 'bigint' && !'eEfFgG%'.includes(spec.kind || '?');
  const body = isInteger ? integerBody(number, spec) : floatBody(toFloat(number), spec, typeOf(value));
  const negative = body.startsWith('-');
  const sign = negative ? '-' : spec.sign === '+' ? '+' : spec.sign === ' ' ? ' ' : '';
  const plain = negative ? body.slice(1) : body;
  return align(grouped(plain, spec, sign), sign, spec, '>');
}

function integerBody(number: bigint, spec: Spec): string {
  if (spec.precision !== undefined) throw new TemplateError('Precision not allowed in integer format specifier');
  if (spec.kind === 'c') {
    if (number < 0n || number > 0x10ffffn) throw new TemplateError('%c arg not in range(0x110000)');
    return String.fromCodePoint(Number(number));
  }
  const base = { b: 2, o: 8, x: 16, X: 16, d: 10, '': 10 }[spec.kind];
  if (base === undefined) throw new TemplateError(`Unknown format code '${spec.kind}' for object of type 'int'`);
  if (spec.grouping === ',' && base !== 10) throw new TemplateError(`Cannot specify ',' with '${spec.kind}'.`);
  const digits = (number < 0n ? -number : number).toString(base);
  return (number < 0n ? '-' : '') + (spec.kind === 'X' ? digits.toUpperCase() : digits);
}

function floatBody(number: number, spec: Spec, type: string): string {
  const { kind, precision } = spec;
  const lower = kind.toLowerCase();
  if (!['', 'e', 'f', 'g', '%'].includes(lower))
    throw new TemplateError(`Unknown format code '${kind}' for object of type '${type}'`);
  if (lower === '%')
    return Number.isFinite(number) ? `${fixed(number * 100, precision ?? 6)}%` : `${floatText(number)}%`;
  const result =
    lower === 'e'
      ? scientific(number, precision ?? 6)
      : lower === 'f'
        ? fixed(number, precision ?? 6)
        : lower === 'g'
          ? general(number, precision ?? 6)
          : plainFloat(number, precision);
  return kind === lower ? result : result.toUpperCase();
}

/** Returns a float formatted without a type: as `repr` or, with a precision, as `g` with at least one decimal. */
function plainFloat(number: number, precision: number | undefined): string {
  if (precision === undefined || !Number.isFinite(number)) return floatText(number);
  const digits = Math.max(precision, 1);
  const power = Number(scientific(number, digits - 1).split('e')[1]);
  // The last digit is for what stands after the point.
  if (power >= digits - 1 && power >= -4)
    return general(number, digits, false).includes('e') || power >= digits - 1
      ? exponential(number, digits)
      : general(number, digits);
  const result = general(number, digits);
  return /^-?\d+$/.test(result) ? `${result}.0` : result;
}

function exponential(number: number, digits: number): string {
  const [mantissa, exponent] = scientific(number, digits - 1).split('e');
  return `${mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa}e${exponent}`;
}

/** Returns digits with separators of thousands, and leading zeros where the width requires them. */
function grouped(plain: string, spec: Spec, sign: string): string {
  const prefix = spec.alternate ? `0${spec.kind}` : '';
  const [, digits, rest] = /^([0-9a-fA-F]*)([\s\S]*)$/.exec(plain)!;
  if (spec.grouping === '' || (!/^[0-9]/.test(plain) && !'xX'.includes(spec.kind || '?'))) return prefix + plain;
  const size = 'boxX'.includes(spec.kind || '?') ? 4 : 3;
  const split = (text: string): string =>
    text.replace(new RegExp(`\\B(?=(?:[0-9a-fA-F]{${size}})+$)`, 'g'), spec.grouping);
  let whole = digits;
  if (spec.fill === '0' && spec.align === '=') {
    while (sign.length + prefix.length + split(whole).length + rest.length < spec.width) {
      if (sign.length + prefix.length + split(`0${whole}`).length + rest.length > spec.width + 1) break;
      whole = `0${whole}`;
    }
  }
  return prefix + split(whole) + rest;
}

function align(body: string, sign: string, spec: Spec, usual: string): string {
  const missing = spec.width - codePointLength(body) - sign.length;
  if (missing <= 0) return sign + body;
  const padding = (length: number): string => spec.fill.repeat(length);
  switch (spec.align ?? usual) {
    case '<':
      return sign + body + padding(missing);
    case '^':
      return padding(Math.floor(missing / 2)) + sign + body + padding(Math.ceil(missing / 2));
    case '=':
      return sign + (spec.alternate ? body.slice(0, 2) + padding(missing) + body.slice(2) : padding(missing) + body);
    default:
      return padding(missing) + sign + body;
  }
}
