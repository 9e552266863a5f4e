/* The methods of `str`. */
import { bind, count, string } from '../arguments';
import { checkText, spendCharacters, spendItems, spendText } from '../budget';
import { TemplateError } from '../errors';
import { find, findAll, findLast, splitAt } from '../search';
import {
  capitalized,
  codePointIndex,
  codePointLength,
  isSpace,
  lines,
  PREDICATES,
  sliceText,
  swapped,
  titled,
  trimEnd,
  trimStart,
  words,
} from './unicode';
import { iterate, Tuple, typeOf, type Arguments, type Value } from '../values';

type Method = (self: string, given: Arguments, name: string) => Value;

/** Returns a method with named or positional arguments. */
function method(parameters: string, run: (self: string, ...args: (Value | undefined)[]) => Value): Method {
  return (self, given, name) => {
    spendCharacters(self.length * (/^(capitalize|swapcase|title|is.*)$/.test(name) ? 4 : 1));
    const result = run(self, ...bind(name, parameters, given));
    if (typeof result === 'string') spendText(result.length);
    else if (Array.isArray(result)) spendItems(result.length);
    return result;
  };
}

/** A method of Python that is not supported in templates. */
const missing: Method = (_, __, name) => {
  throw new TemplateError(`the method ${name} of texts is not possible in templates here`);
};

export const TEXT_METHODS: Record<string, Method> = {
  capitalize: method('', capitalized),
  casefold: missing,
  center: method('width fillchar? /', (self, width, fill = ' ') => centered(self, count(width!), fillOf(fill))),
  count: method('sub start? end? /', (self, sub, start, end) =>
    BigInt(occurrences(part(self, start, end), string(sub!, 'what is counted'))),
  ),
  encode: missing,
  endswith: method('suffix start? end? /', (self, suffix, start, end) =>
    affix(self, suffix!, start, end, (whole, one) => whole.endsWith(one)),
  ),
  expandtabs: missing,
  find: method('sub start? end? /', (self, sub, start, end) => BigInt(found(self, sub!, start, end, find))),
  index: method('sub start? end? /', (self, sub, start, end) => BigInt(certain(found(self, sub!, start, end, find)))),
  join: method('iterable /', (self, items) => joined(self, items!)),
  ljust: method('width fillchar? /', (self, width, fill = ' ') => self + fillOf(fill).repeat(gap(self, count(width!)))),
  lower: method('', (self) => self.toLowerCase()),
  lstrip: method('chars? /', (self, chars = null) => stripped(self, chars, true, false)),
  maketrans: missing,
  partition: method('sep /', (self, sep) => split3(self, sep!, find(self, string(sep!, 'the separator')), 'first')),
  removeprefix: method('prefix /', (self, prefix) =>
    self.startsWith(string(prefix!, 'the prefix')) ? self.slice((prefix as string).length) : self,
  ),
  removesuffix: method('suffix /', (self, suffix) =>
    string(suffix!, 'the suffix') !== '' && self.endsWith(suffix as string)
      ? self.slice(0, -(suffix as string).length)
      : self,
  ),
  replace: method('old new count? /', (self, old, to, times = -1n) =>
    replaced(self, string(old!, 'what is replaced'), string(to!, 'what replaces it'), count(times)),
  ),
  rfind: method('sub start? end? /', (self, sub, start, end) => BigInt(found(self, sub!, start, end, findLast))),
  rindex: method('sub start? end? /', (self, sub, start, end) =>
    BigInt(certain(found(self, sub!, start, end, findLast))),
  ),
  rjust: method('width fillchar? /', (self, width, fill = ' ') => fillOf(fill).repeat(gap(self, count(width!))) + self),
  rpartition: method('sep /', (self, sep) => split3(self, sep!, findLast(self, string(sep!, 'the separator')), 'last')),
  rsplit: method('sep? maxsplit?', (self, sep = null, times = -1n) => splitFromEnd(self, sep, count(times))),
  rstrip: method('chars? /', (self, chars = null) => stripped(self, chars, false, true)),
  split: method('sep? maxsplit?', (self, sep = null, times = -1n) => splitText(self, sep, count(times))),
  splitlines: method('keepends?', (self, keep = false) => lines(self, Boolean(keep))),
  startswith: method('prefix start? end? /', (self, prefix, start, end) =>
    affix(self, prefix!, start, end, (whole, one) => whole.startsWith(one)),
  ),
  strip: method('chars? /', (self, chars = null) => stripped(self, chars, true, true)),
  swapcase: method('', swapped),
  title: method('', titled),
  translate: missing,
  upper: method('', (self) => self.toUpperCase()),
  zfill: method('width /', (self, width) => {
    const sign = /^[+-]/.exec(self)?.[0] ?? '';
    return sign + '0'.repeat(gap(self, count(width!))) + self.slice(sign.length);
  }),
  ...Object.fromEntries(Object.entries(PREDICATES).map(([name, test]) => [name, method('', test)])),
};

function fillOf(fill: Value): string {
  const character = string(fill, 'the fill character');
  if (codePointLength(character) !== 1)
    throw new TemplateError('The fill character must be exactly one character long');
  return character;
}

/** Returns how many characters a text lacks to a width. */
function gap(self: string, width: number): number {
  const length = Math.max(0, width - codePointLength(self));
  spendText(length);
  return length;
}

export function centered(self: string, width: number, fill = ' '): string {
  const missing = gap(self, width);
  // Where it can't be in the middle, Python puts it left in even widths and right in odd ones.
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return fill.repeat(left) + self + fill.repeat(missing - left);
}

/** Returns an index into a text or list, which counts from the end where it is negative, limited to 0 … `length`. */
export function bounded(value: Value | undefined, length: number, otherwise: number): number {
  if (value === undefined || value === null) return otherwise;
  const at = count(value, 'slice indices');
  return Math.max(0, Math.min(length, at < 0 ? at + length : at));
}

function part(self: string, start?: Value, end?: Value): string {
  if (start === undefined && end === undefined) return self;
  const length = codePointLength(self);
  return sliceText(self, bounded(start, length, 0), Math.max(bounded(start, length, 0), bounded(end, length, length)));
}

function occurrences(self: string, sub: string): number {
  return sub === '' ? codePointLength(self) + 1 : [...findAll(self, sub)].length;
}

function affix(
  self: string,
  affixes: Value,
  start: Value | undefined,
  end: Value | undefined,
  test: (whole: string, one: string) => boolean,
): boolean {
  const length = codePointLength(self);
  // Even the empty text is not found beyond the end.
  if (start !== undefined && start !== null && count(start) > length) return false;
  const whole = part(self, start, end);
  const all = affixes instanceof Tuple ? affixes.items : [affixes];
  return all.some((one) => test(whole, string(one, 'the arguments of startswith and endswith (or a tuple of them)')));
}

function found(
  self: string,
  sub: Value,
  start: Value | undefined,
  end: Value | undefined,
  how: (text: string, searched: string) => number,
): number {
  const searched = string(sub, 'what is searched');
  const length = codePointLength(self);
  if (start !== undefined && start !== null && count(start) > length) return -1;
  const whole = part(self, start, end);
  const at = how(whole, searched);
  return at < 0 ? -1 : codePointIndex(whole, at) + bounded(start, length, 0);
}

function certain(at: number): number {
  if (at < 0) throw new TemplateError('substring not found');
  return at;
}

export function joined(separator: string, items: Value): string {
  let [result, first, i] = ['', true, 0];
  for (const item of iterate(items)) {
    if (typeof item !== 'string')
      throw new TemplateError(`sequence item ${i}: expected str instance, ${typeOf(item)} found`);
    result += first ? item : separator + item;
    first = false;
    i++;
    spendText(item.length + separator.length);
    checkText(result.length);
  }
  return result;
}

/** Returns a text stripped as by Python's `strip`: of whitespace, or of any of the given characters. */
export function stripped(self: string, chars: Value, start: boolean, end: boolean): string {
  if (chars === null) {
    const left = start ? trimStart(self) : self;
    return end ? trimEnd(left) : left;
  }
  const set = new Set(string(chars, 'what is stripped'));
  const all = [...self];
  let [from, to] = [0, all.length];
  while (start && from < to && set.has(all[from])) from++;
  while (end && to > from && set.has(all[to - 1])) to--;
  return all.slice(from, to).join('');
}

export function replaced(self: string, old: string, to: string, times: number): string {
  if (times < 0) {
    const matches = occurrences(self, old);
    spendText(self.length + matches * to.length);
    return old === '' ? to + [...self].map((character) => character + to).join('') : splitAt(self, old).join(to);
  }
  let [result, at] = ['', 0];
  const all = old === '' ? [...self] : [];
  for (let i = 0; i < times; i++) {
    if (old === '') {
      if (i > all.length) break;
      result += i === 0 ? to : all[i - 1] + to;
      at += i === 0 ? 0 : all[i - 1].length;
    } else {
      const next = find(self, old, at);
      if (next < 0) break;
      result += self.slice(at, next) + to;
      at = next + old.length;
    }
    spendText(to.length);
  }
  return result + self.slice(at);
}

function split3(self: string, separator: Value, at: number, where: 'first' | 'last'): Tuple {
  const sep = separator as string;
  if (sep === '') throw new TemplateError('empty separator');
  if (at < 0) return new Tuple(where === 'first' ? [self, '', ''] : ['', '', self]);
  return new Tuple([self.slice(0, at), sep, self.slice(at + sep.length)]);
}

function separatorOf(sep: Value): string {
  const separator = string(sep, 'the separator');
  if (separator === '') throw new TemplateError('empty separator');
  return separator;
}

export function splitText(self: string, sep: Value, times: number): string[] {
  if (sep === null) {
    if (times < 0) return words(self);
    const parts: string[] = [];
    let rest = trimStart(self);
    for (let i = 0; i < times && rest !== ''; i++) {
      let end = 0;
      while (end < rest.length && !isSpace(rest[end])) end++;
      parts.push(rest.slice(0, end));
      rest = trimStart(rest.slice(end));
    }
    // What is left keeps its whitespace at the end.
    return rest === '' ? parts : [...parts, rest];
  }
  const parts = splitAt(self, separatorOf(sep));
  return times < 0 || parts.length <= times + 1
    ? parts
    : [...parts.slice(0, times), parts.slice(times).join(sep as string)];
}

/** Returns a text with its UTF-16 units reversed, which may not be valid, but can be reversed again. */
function mirror(text: string): string {
  return text.split('').reverse().join('');
}

function splitFromEnd(self: string, sep: Value, times: number): string[] {
  if (times < 0) return splitText(self, sep, times);
  if (sep === null) {
    return splitText(mirror(self), null, times).map(mirror).reverse();
  }
  const mirrored = splitText(mirror(self), mirror(separatorOf(sep)), times);
  return mirrored.map(mirror).reverse();
}
