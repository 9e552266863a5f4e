/* Python's `json.dumps`. */
import { spend, spendCharacters, spendText } from '../budget';
import { sorted } from '../compare';
import { TemplateError } from '../errors';
import { floatText, intText } from '../numbers';
import { Dict, Markup, Tuple, typeOf, type Value } from '../values';

export interface JsonOptions {
  ensureAscii: boolean;
  /** Indentation of a level; `undefined` writes one line. */
  indent: string | undefined;
  separators: [string, string];
  sortKeys: boolean;
}

export function toJson(value: Value, options: JsonOptions): string {
  const result = write(value, options, '\n');
  spendText(result.length);
  return result;
}

function write(value: Value, options: JsonOptions, lineStart: string): string {
  spend(1);
  if (value === null) return 'null';
  switch (typeof value) {
    case 'boolean':
      return String(value);
    case 'bigint':
      return intText(value);
    case 'number':
      return number(value);
    case 'string':
      return string(value, options);
  }
  if (value instanceof Markup) return string(value.text, options);
  if (Array.isArray(value) || value instanceof Tuple) {
    const items = Array.isArray(value) ? value : value.items;
    return enclosed(
      '[',
      items.map((item) => write(item, options, lineStart + (options.indent ?? ''))),
      ']',
      options,
      lineStart,
    );
  }
  if (value instanceof Dict) return object(value, options, lineStart);
  throw new TemplateError(`Object of type ${typeOf(value)} is not JSON serializable`);
}

function object(value: Dict, options: JsonOptions, lineStart: string): string {
  const entries = [...value.entries()];
  const ordered = options.sortKeys
    ? sorted(
        entries.map(([key]) => key),
        (key) => key,
        false,
      ).map((key): [Value, Value] => [key, value.get(key)!])
    : entries;
  const items = ordered.map(
    ([key, item]) =>
      string(keyText(key), options) + options.separators[1] + write(item, options, lineStart + (options.indent ?? '')),
  );
  return enclosed('{', items, '}', options, lineStart);
}

function keyText(key: Value): string {
  if (typeof key === 'string') return key;
  if (key === null) return 'null';
  if (typeof key === 'boolean') return String(key);
  if (typeof key === 'bigint') return intText(key);
  if (typeof key === 'number') return number(key);
  if (key instanceof Markup) return key.text;
  throw new TemplateError(`keys must be str, int, float, bool or None, not ${typeOf(key)}`);
}

function number(value: number): string {
  return Number.isNaN(value)
    ? 'NaN'
    : value === Infinity
      ? 'Infinity'
      : value === -Infinity
        ? '-Infinity'
        : floatText(value);
}

function enclosed(
  open: string,
  items: string[],
  close: string,
  { indent, separators }: JsonOptions,
  lineStart: string,
): string {
  if (items.length === 0) return open + close;
  if (indent === undefined) return open + items.join(separators[0]) + close;
  const inner = lineStart + indent;
  spendText(inner.length * items.length);
  return open + inner + items.join(separators[0] + inner) + lineStart + close;
}

const ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
};

function string(text: string, { ensureAscii }: JsonOptions): string {
  spendCharacters(text.length);
  const escaped = text.replace(
    ensureAscii ? /[^ !#-[\]-~]/g : /["\\\0-\x1f]/g,
    (unit) => ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  // What is escaped costs more.
  spend(escaped.length - text.length);
  return `"${escaped}"`;
}
