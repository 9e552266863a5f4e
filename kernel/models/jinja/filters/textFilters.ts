/* Filters for texts. */
import { count } from '../arguments';
import { spendCharacters, spendText } from '../budget';
import { TemplateError } from '../errors';
import { filters, type Filter } from './filterArguments';
import { escapeHtml } from './html';
import { percentFormat } from './percentFormat';
import { text } from './repr';
import { centered, replaced, stripped } from './textMethods';
import { capitalized, codePointLength, lines, sliceText } from './unicode';
import { Dict, isTrue, itemsOf, iterate, lengthOf, Markup, Tuple, typeOf, Undefined, type Value } from '../values';

/** Returns a text changed; an escaped one stays escaped. */
function changed(value: Value, change: (text: string) => string): Value {
  const own = text(value);
  spendCharacters(own.length * 4);
  return value instanceof Markup ? new Markup(change(own)) : change(own);
}

const escape = (value: Value): Value =>
  value instanceof Markup ? value : new Markup(escapeHtml(measured(text(value))));

function measured(own: string): string {
  spendCharacters(own.length);
  return own;
}

export const TEXT_FILTERS: Record<string, Filter> = {
  ...filters({
    capitalize: ['s', (value) => changed(value, capitalized)],
    center: ['value width?', (value, width = 80n) => changed(value, (own) => centered(own, count(width)))],
    e: ['s /', escape],
    escape: ['s /', escape],
    forceescape: ['value', (value) => new Markup(escapeHtml(measured(text(value))))],
    indent: ['s width? first? blank?', indent],
    lower: ['s', (value) => changed(value, (own) => own.toLowerCase())],
    replace: [
      's old new count?',
      (value, old, to, times = null) =>
        replaced(text(value), text(old!), text(to!), times === null ? -1 : count(times)),
    ],
    safe: ['value', (value) => new Markup(text(value))],
    striptags: ['value', () => unsupported('striptags')],
    title: ['s', (value) => changed(value, titleWords)],
    trim: ['value chars?', (value, chars = null) => changed(value, (own) => stripped(own, chars, true, true))],
    truncate: ['s length? killwords? end? leeway?', truncate],
    upper: ['s', (value) => changed(value, (own) => own.toUpperCase())],
    urlencode: ['value', urlEncode],
    urlize: ['value trim_url_limit? nofollow? target? rel? extra_schemes?', () => unsupported('urlize')],
    wordcount: ['s', (value) => BigInt(measured(text(value)).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)],
    wordwrap: ['s width? break_long_words? wrapstring? break_on_hyphens?', () => unsupported('wordwrap')],
    xmlattr: ['d autospace?', xmlAttributes],
  }),
  format: (value, { args, kwargs }) => {
    if (args.length > 0 && kwargs.size > 0)
      throw new TemplateError("can't handle positional and keyword arguments at the same time");
    if (value instanceof Markup) throw new TemplateError('format of a text that was escaped is not possible here');
    return percentFormat(text(value), kwargs.size > 0 ? Dict.from(kwargs) : new Tuple(args));
  },
};

function unsupported(name: string): never {
  throw new TemplateError(`the filter ${name} is not possible in chat templates here`);
}

function own(value: Value, what: string): string {
  if (typeof value === 'string') return value;
  if (value instanceof Undefined) value.fail();
  throw new TemplateError(`${what} needs a text, not ${typeOf(value)}`);
}

function indent(value: Value, width: Value = 4n, first: Value = false, blank: Value = false): Value {
  const whole = own(value, 'indent');
  const size = typeof width === 'string' ? 0 : Math.max(0, count(width));
  const found = lines(`${whole}\n`);
  spendText(found.length * (typeof width === 'string' ? width.length : size) + whole.length);
  const indentation = typeof width === 'string' ? width : ' '.repeat(size);
  const rest = found.slice(1).map((line) => (line === '' && !isTrue(blank) ? line : indentation + line));
  return (isTrue(first) ? indentation : '') + [found[0], ...rest].join('\n');
}

/** Returns a text with its words capitalised. Words start after whitespace, dashes and opening brackets. */
function titleWords(whole: string): string {
  return whole
    .split(/([-\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000({[<]+)/)
    .map((word) => (word === '' ? '' : sliceText(word, 0, 1).toUpperCase() + sliceText(word, 1).toLowerCase()))
    .join('');
}

function truncate(
  value: Value,
  length: Value = 255n,
  killWords: Value = false,
  end: Value = '...',
  leeway: Value = null,
): Value {
  const [most, spare, mark] = [count(length), leeway === null ? 5 : count(leeway), own(end, 'the end of truncate')];
  const kept = most - codePointLength(mark);
  if (kept < 0) throw new TemplateError(`expected length >= ${codePointLength(mark)}, got ${most}`);
  if (spare < 0) throw new TemplateError(`expected leeway >= 0, got ${spare}`);
  const size = lengthOf(value);
  if (size !== undefined && size <= most + spare) return value;
  const whole = own(value, 'truncate');
  const cut = sliceText(whole, 0, kept);
  const space = cut.lastIndexOf(' ');
  return (isTrue(killWords) || space < 0 ? cut : cut.slice(0, space)) + mark;
}

function quote(value: Value, forQuery: boolean): string {
  const whole = text(value);
  spendCharacters(whole.length * 32);
  let result = '';
  for (const byte of Buffer.from(whole, 'utf8')) {
    const character = String.fromCharCode(byte);
    if (/[\w.~-]/.test(character) || (!forQuery && byte === 47)) result += character;
    else result += forQuery && byte === 32 ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return result;
}

function urlEncode(value: Value): Value {
  if (typeof value === 'string' || value instanceof Markup || itemsOf(value) === undefined) return quote(value, false);
  const pairs = value instanceof Dict ? [...value.entries()] : Array.from(iterate(value), (pair) => [...iterate(pair)]);
  return pairs
    .map((pair) => {
      if (pair.length !== 2) throw new TemplateError('urlencode needs pairs of a key and a value');
      return `${quote(pair[0], true)}=${quote(pair[1], true)}`;
    })
    .join('&');
}

function xmlAttributes(value: Value, autospace: Value = true): Value {
  if (value instanceof Undefined) value.fail();
  if (!(value instanceof Dict)) throw new TemplateError(`'${typeOf(value)}' object has no attribute 'items'`);
  const attributes: string[] = [];
  for (const [key, item] of value.entries()) {
    if (item === null || item instanceof Undefined) continue;
    const name = own(key, 'the name of an attribute');
    if (/[\t-\r />=]/.test(name)) throw new TemplateError(`Invalid character in attribute name: ${name}`);
    attributes.push(`${escapeHtml(name)}="${item instanceof Markup ? item.text : escapeHtml(text(item))}"`);
  }
  const all = attributes.join(' ');
  spendText(all.length);
  return isTrue(autospace) && all !== '' ? ` ${all}` : all;
}
