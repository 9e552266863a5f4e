/* `'%s and %d' % (a, b)`. */
import { spendText } from '../budget';
import { count } from '../arguments';
import { TemplateError } from '../errors';
import { fixed, floatText, general, numberOf, scientific, toFloat, toInt } from '../numbers';
import { asciiRepr, repr, text } from './repr';
import { codePointLength, sliceText } from './unicode';
import { Dict, Range, Tuple, typeOf, Undefined, type Value } from '../values';

/** Largest number of digits after the point. */
export const MOST_DIGITS = 5000;

const SPECIFIER = /%(?:\(((?:[^()]|\([^()]*\))*)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d*))?[hlL]?([\s\S])?/gu;

export function percentFormat(format: string, given: Value): string {
  const values = new Values(given);
  spendText(format.length);
  const result = format.replace(
    SPECIFIER,
    (
      whole,
      key: string | undefined,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      kind: string | undefined,
    ) => {
      if (kind === undefined) throw new TemplateError('incomplete format');
      if (kind === '%') {
        if (whole !== '%%')
          throw new TemplateError(`a format like ${whole} is not possible; write %% for a percent sign`);
        return '%';
      }
      let size = width === '*' ? count(values.next()) : Number(width ?? 0);
      const left = flags.includes('-') || size < 0;
      size = Math.abs(size);
      spendText(size);
      const digits =
        precision === undefined ? undefined : precision === '*' ? Math.max(0, count(values.next())) : Number(precision);
      if (digits !== undefined && digits > MOST_DIGITS)
        throw new TemplateError(
          `a number with ${digits} digits after the point is not possible here; at most ${MOST_DIGITS} are`,
        );
      const value = key === undefined ? values.next() : values.named(key);
      const body = convert(kind, value, flags, digits);
      return padded(body, size, left, flags.includes('0') && !'srac'.includes(kind));
    },
  );
  values.checkEnd();
  spendText(result.length);
  return result;
}

/** The values of a format: the items of a tuple, those of a dictionary by name, or a single value. */
class Values {
  private at = 0;
  private readonly items: readonly Value[];
  constructor(private readonly given: Value) {
    this.items = given instanceof Tuple ? given.items : [given];
  }

  next(): Value {
    if (this.at >= this.items.length) throw new TemplateError('not enough arguments for format string');
    return this.items[this.at++];
  }

  named(key: string): Value {
    if (!(this.given instanceof Dict)) throw new TemplateError('format requires a mapping');
    this.at = this.items.length;
    const value = this.given.get(key);
    if (value === undefined) throw new TemplateError(`KeyError: ${repr(key)}`);
    return value;
  }

  checkEnd(): void {
    const hasItems =
      this.given instanceof Dict ||
      Array.isArray(this.given) ||
      this.given instanceof Undefined ||
      this.given instanceof Range;
    if (this.at < this.items.length && !hasItems)
      throw new TemplateError('not all arguments converted during string formatting');
  }
}

function convert(kind: string, value: Value, flags: string, digits: number | undefined): string {
  switch (kind) {
    case 's':
      return cut(text(value), digits);
    case 'r':
      return cut(repr(value), digits);
    case 'a':
      return cut(asciiRepr(value), digits);
    case 'c':
      return character(value);
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
      return signed(whole(kind, value, flags, digits), flags);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      return signed(floating(kind, value, flags, digits ?? 6), flags);
    default:
      throw new TemplateError(`unsupported format character '${kind}'`);
  }
}

function cut(value: string, length: number | undefined): string {
  return length === undefined ? value : sliceText(value, 0, length);
}

function character(value: Value): string {
  if (typeof value === 'string' && codePointLength(value) === 1) return value;
  const code = numberOf(value);
  if (typeof code !== 'bigint' || code < 0n || code > 0x10ffffn) throw new TemplateError('%c requires int or char');
  return String.fromCodePoint(Number(code));
}

function whole(kind: string, value: Value, flags: string, digits: number | undefined): string {
  if (value instanceof Undefined) value.fail();
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`%${kind} format: a real number is required, not ${typeOf(value)}`);
  if (typeof number === 'number' && 'xXo'.includes(kind))
    throw new TemplateError(`%${kind} format: an integer is required, not float`);
  const int = typeof number === 'number' ? toInt(number) : number;
  const base = kind === 'o' ? 8 : kind === 'x' || kind === 'X' ? 16 : 10;
  const plain = (int < 0n ? -int : int).toString(base).padStart(digits ?? 0, '0');
  const prefix = flags.includes('#') ? ({ o: '0o', x: '0x', X: '0x' }[kind] ?? '') : '';
  const result = (int < 0n ? '-' : '') + prefix + plain;
  return kind === 'X' ? result.toUpperCase() : result;
}

function floating(kind: string, value: Value, flags: string, digits: number): string {
  if (value instanceof Undefined) value.fail();
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`must be real number, not ${typeOf(value)}`);
  const float = toFloat(number);
  const lower = kind.toLowerCase();
  if (flags.includes('#') && lower !== 'g') throw new TemplateError(`the format %#${kind} is not possible here`);
  const result = !Number.isFinite(float)
    ? floatText(float)
    : lower === 'e'
      ? scientific(float, digits)
      : lower === 'f'
        ? fixed(float, digits)
        : general(float, digits, flags.includes('#'));
  return kind === lower ? result : result.toUpperCase();
}

function signed(value: string, flags: string): string {
  return value.startsWith('-') ? value : flags.includes('+') ? `+${value}` : flags.includes(' ') ? ` ${value}` : value;
}

function padded(value: string, width: number, left: boolean, zeros: boolean): string {
  const missing = width - codePointLength(value);
  if (missing <= 0) return value;
  if (left) return value + ' '.repeat(missing);
  const head = zeros ? /^[-+ ]?(0[xXo])?/.exec(value)![0] : '';
  return zeros ? head + '0'.repeat(missing) + value.slice(head.length) : ' '.repeat(missing) + value;
}
