/* Arithmetic with Python's ints (bigint) and floats (number), and how floats are written. */
import { checkBits } from './budget';
import { TemplateError } from './errors';
import type { Value } from './values';

export type Num = bigint | number;

/** Returns a value as a number, `undefined` where it is none; True counts as 1. */
export function numberOf(value: Value): Num | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return typeof value === 'boolean' ? (value ? 1n : 0n) : undefined;
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : (value < 0n ? -value : value).toString(16).length * 4;
}

export function toFloat(value: Num): number {
  const float = Number(value);
  if (typeof value === 'bigint' && !Number.isFinite(float))
    throw new TemplateError('int too large to convert to float');
  return float;
}

export function toInt(value: number): bigint {
  if (!Number.isFinite(value))
    throw new TemplateError(`cannot convert float ${Number.isNaN(value) ? 'NaN' : 'infinity'} to integer`);
  return BigInt(Math.trunc(value));
}

export function arithmetic(operator: string, a: Num, b: Num): Num {
  if (typeof a === 'bigint' && typeof b === 'bigint') return integers(operator, a, b);
  return floats(operator, toFloat(a), toFloat(b));
}

function integers(operator: string, a: bigint, b: bigint): Num {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      checkBits(bitLength(a) + bitLength(b));
      return a * b;
    case '/':
      return trueDivision(a, b);
    case '//':
      return floorDivision(a, b);
    case '%':
      return a - floorDivision(a, b) * b;
    default:
      return power(a, b);
  }
}

export function floorDivision(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new TemplateError('integer division or modulo by zero');
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** Returns the float nearest to the fraction a / b. Throws for b = 0. */
export function trueDivision(a: bigint, b: bigint): number {
  if (b === 0n) throw new TemplateError('division by zero');
  const negative = a < 0n !== b < 0n;
  const [above, below] = [a < 0n ? -a : a, b < 0n ? -b : b];
  // 66 bits of the quotient and whether there are more decide how it is rounded; below 2^-1022, floats have fewer bits.
  const shift = Math.max(-1140, bitLength(above) - bitLength(below) - 70);
  const scaled = shift < 0 ? above << BigInt(-shift) : above;
  const divisor = shift > 0 ? below << BigInt(shift) : below;
  const quotient = scaled / divisor;
  const sticky = scaled % divisor === 0n ? quotient << 1n : (quotient << 1n) | 1n;
  const result = scaledFloat(sticky, shift - 1);
  if (!Number.isFinite(result)) throw new TemplateError('integer division result too large for a float');
  return negative ? -result : result;
}

/** Returns value × 2^exponent, rounded once. */
function scaledFloat(value: bigint, exponent: number): number {
  const float = Number(value);
  if (exponent >= 0) return Number(value << BigInt(Math.min(exponent, 2000)));
  if (exponent > -900) return float * 2 ** exponent;
  // Near the smallest floats, the bits that are cut off count, too: they are rounded away here.
  const drop = BigInt(-exponent - 1074);
  if (drop <= 0n) return float * 2 ** -800 * 2 ** (exponent + 800);
  const [kept, rest, half] = [value >> drop, value & ((1n << drop) - 1n), 1n << (drop - 1n)];
  if (float * 2 ** (exponent + 600) >= 2 ** (-1022 + 600)) return float * 2 ** (exponent + 600) * 2 ** -600;
  return Number(rest > half || (rest === half && kept & 1n) ? kept + 1n : kept) * 2 ** -1074;
}

function power(base: bigint, exponent: bigint): Num {
  if (exponent < 0n) {
    if (base === 0n) throw new TemplateError('0.0 cannot be raised to a negative power');
    checkBits(bitLength(base) * Number(-exponent));
    return trueDivision(1n, base ** -exponent);
  }
  if (base !== 0n && base !== 1n && base !== -1n) checkBits(bitLength(base) * Number(exponent));
  return base ** exponent;
}

function floats(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      if (b === 0) throw new TemplateError('float division by zero');
      return a / b;
    case '//':
      return floatDivision(a, b)[0];
    case '%':
      return floatDivision(a, b)[1];
    default:
      return floatPower(a, b);
  }
}

/** Returns the quotient, rounded down, and the remainder, which has the divisor's sign. */
function floatDivision(a: number, b: number): [number, number] {
  if (b === 0) throw new TemplateError('float floor division by zero');
  let rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0) {
    if (b < 0 !== rest < 0) {
      rest += b;
      quotient -= 1;
    }
  } else rest = b < 0 ? -0 : 0;
  if (quotient === 0) return [a / b < 0 || Object.is(a / b, -0) ? -0 : 0, rest];
  const floor = Math.floor(quotient);
  return [quotient - floor > 0.5 ? floor + 1 : floor, rest];
}

function floatPower(a: number, b: number): number {
  if (a === 1 || b === 0) return 1;
  if (a === -1 && (b === Infinity || b === -Infinity)) return 1;
  if (a === 0 && b < 0) throw new TemplateError('0.0 cannot be raised to a negative power');
  if (a < 0 && Number.isFinite(a) && Number.isFinite(b) && !Number.isInteger(b))
    throw new TemplateError(
      'a negative number to a fractional power is a complex number, which templates cannot have here',
    );
  const result = exactPower(a, b);
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b))
    throw new TemplateError("(34, 'Numerical result out of range')");
  return result;
}

/** Returns the float nearest to a power, which JavaScript's own is not always. */
function exactPower(a: number, b: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b) || a === 0) return a ** b;
  if (b === 0.5) return Math.sqrt(a);
  if (!Number.isInteger(b))
    throw new TemplateError('powers with a fraction, such as 2 ** 2.5, are not possible in templates here');
  const size = Math.abs(b);
  const magnitude = Math.log2(Math.abs(a)) * b;
  if (magnitude > 1100 || magnitude < -1200) return a ** b;
  const [above, below] = fraction(Math.abs(a));
  checkBits((bitLength(above) + bitLength(below)) * size);
  const [x, y] = [above ** BigInt(size), below ** BigInt(size)];
  const result = b > 0 ? trueDivision(x, y) : trueDivision(y, x);
  return a < 0 && b % 2 !== 0 ? -result : result;
}

/** Returns Python's `repr` of a float: the shortest digits from which it can be read back. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits, exponent] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  const sign = digits.startsWith('-') ? '-' : '';
  const plain = digits.replace(/[-.]/g, '');
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${plain}`;
  const whole = plain.padEnd(power + 1, '0');
  return `${sign}${whole.slice(0, power + 1)}.${whole.slice(power + 1) || '0'}`;
}

export function intText(value: bigint): string {
  const text = value.toString();
  if (text.length > 4300) throw new TemplateError('Exceeds the limit (4300 digits) for integer string conversion');
  return text;
}

/** Returns a positive, finite float as an exact fraction. */
function fraction(value: number): [bigint, bigint] {
  let [mantissa, exponent] = [value, 0];
  while (!Number.isInteger(mantissa)) [mantissa, exponent] = [mantissa * 2, exponent + 1];
  return [BigInt(mantissa), 1n << BigInt(exponent)];
}

/** Returns a / b, rounded; halves go to the even neighbour. */
export function roundedDivision(a: bigint, b: bigint): bigint {
  const quotient = floorDivision(a, b);
  const twice = (a - quotient * b) * 2n;
  return twice > b || (twice === b && quotient % 2n !== 0n) ? quotient + 1n : quotient;
}

/** Returns a float with `decimals` decimals, as `%.3f`. */
export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return floatText(value);
  const [above, below] = fraction(Math.abs(value));
  const digits = roundedDivision(above * 10n ** BigInt(decimals), below)
    .toString()
    .padStart(decimals + 1, '0');
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return sign + (decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`);
}

/** Returns a float with an exponent and `decimals` decimals, as `%.3e`. */
export function scientific(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return floatText(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  let [digits, power] = ['0'.repeat(decimals + 1), 0];
  if (value !== 0) {
    const [above, below] = fraction(Math.abs(value));
    power = Number(Math.abs(value).toExponential().split('e')[1]);
    const shift = decimals - power;
    digits = (
      shift >= 0
        ? roundedDivision(above * 10n ** BigInt(shift), below)
        : roundedDivision(above, below * 10n ** BigInt(-shift))
    ).toString();
    if (digits.length > decimals + 1) [digits, power] = [digits.slice(0, -1), power + 1];
  }
  const fractionDigits = decimals > 0 ? `.${digits.slice(1)}` : '';
  return `${sign}${digits[0]}${fractionDigits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** Returns a float with `precision` significant digits, as `%.3g`. */
export function general(value: number, precision: number, keepZeros = false): string {
  if (!Number.isFinite(value)) return floatText(value);
  const digits = Math.max(precision, 1);
  const exponential = scientific(value, digits - 1);
  const power = Number(exponential.split('e')[1]);
  if (power < -4 || power >= digits) {
    const [mantissa, exponent] = exponential.split('e');
    return `${keepZeros ? mantissa : withoutZeros(mantissa)}e${exponent}`;
  }
  const text = fixed(value, digits - 1 - power);
  return keepZeros ? text : withoutZeros(text);
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Returns Python's `round(value, digits)`. */
export function rounded(value: Num, digits: bigint): Num {
  if (digits > 400n || digits < -400n) return digits > 0n ? value : typeof value === 'number' ? value * 0 : 0n;
  const scale = 10n ** (digits < 0n ? -digits : digits);
  if (typeof value === 'bigint') return digits >= 0n ? value : roundedDivision(value, scale) * scale;
  if (!Number.isFinite(value)) return value;
  if (digits >= 0n) return Number(fixed(value, Number(digits)));
  const [above, below] = fraction(Math.abs(value));
  const result = Number(roundedDivision(above, below * scale) * scale);
  return value < 0 ? -result : result;
}

/** Returns Python's `int(text, base)`; `undefined` where the text is no integer. */
export function parseInteger(text: string, base = 10): bigint | undefined {
  const ascii = asciiDigits(text);
  const match = /^([+-]?)(0[xXoObB]_?)?([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)$/.exec(ascii);
  const plain = /^([+-]?)([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)$/.exec(ascii);
  const prefixBase = match?.[2] ? { x: 16, o: 8, b: 2 }[match[2][1].toLowerCase()]! : undefined;
  if (match && prefixBase && (base === 0 || base === prefixBase))
    return signed(match[1], digitsOf(match[3], prefixBase));
  if (!plain) return undefined;
  if (base === 0 && /^0[0_]*[1-9]/.test(plain[2])) return undefined;
  return signed(plain[1], digitsOf(plain[2], base === 0 ? 10 : base));
}

function signed(sign: string, value: bigint | undefined): bigint | undefined {
  return value === undefined ? undefined : sign === '-' ? -value : value;
}

function digitsOf(text: string, base: number): bigint | undefined {
  const digits = text.replaceAll('_', '');
  if (digits.length > 4300 && (base & (base - 1)) !== 0)
    throw new TemplateError('Exceeds the limit (4300 digits) for integer string conversion');
  checkBits(digits.length * 6);
  let value = 0n;
  for (const digit of digits) {
    const one = parseInt(digit, 36);
    if (Number.isNaN(one) || one >= base) return undefined;
    value = value * BigInt(base) + BigInt(one);
  }
  return value;
}

/** Returns Python's `float(text)`; `undefined` where the text is no number. */
export function parseFloatText(text: string): number | undefined {
  const ascii = asciiDigits(text);
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(ascii);
  if (special) return special[2].toLowerCase() === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity;
  if (!/^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/i.test(ascii)) return undefined;
  return Number(ascii.replaceAll('_', ''));
}

/** Returns a text without surrounding whitespace, with digits of other scripts as ASCII ones. */
function asciiDigits(text: string): string {
  const trimmed = text
    .replace(/^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/, '')
    .trimEnd()
    .replace(/[\x1c-\x1f\x85]+$/, '');
  return trimmed.replace(/[^\0-\x7f]/gu, (digit) => {
    if (!/\p{Nd}/u.test(digit)) return digit;
    // Decimal digits come in rows of ten, from 0.
    let start = digit.codePointAt(0)!;
    while (/\p{Nd}/u.test(String.fromCodePoint(start - 1)) && digit.codePointAt(0)! - start < 9) start--;
    return String(digit.codePointAt(0)! - start);
  });
}
