/* How Python writes values: `str`, which templates print, and `repr`, which stands inside lists and dictionaries. */
import { spend, spendCharacters, spendText } from '../budget';
import { TemplateError } from '../errors';
import { floatText, intText } from '../numbers';
import { Dict, DictView, Markup, Namespace, Range, Slice, Tuple, typeOf, Undefined, type Value } from '../values';

/** Returns Python's `str(value)`. */
export function text(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return '';
  return repr(value);
}

/** Returns Python's `repr(value)`. */
export function repr(value: Value): string {
  spend(1);
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return intText(value);
    case 'number':
      return floatText(value);
    case 'string':
      return quoted(value);
  }
  if (Array.isArray(value)) return joined('[', value.map(repr), ']');
  if (value instanceof Tuple)
    return value.items.length === 1 ? `(${repr(value.items[0])},)` : joined('(', value.items.map(repr), ')');
  if (value instanceof Dict)
    return joined(
      '{',
      Array.from(value.entries(), ([key, item]) => `${repr(key)}: ${repr(item)}`),
      '}',
    );
  if (value instanceof DictView) return `${value.type}(${repr([...value])})`;
  if (value instanceof Range)
    return `range(${value.start}, ${value.stop}${value.step === 1n ? '' : `, ${value.step}`})`;
  if (value instanceof Namespace) return `<Namespace ${repr(value.attributes)}>`;
  if (value instanceof Markup) return `Markup(${quoted(value.text)})`;
  if (value instanceof Slice) return `slice(${repr(value.start)}, ${repr(value.stop)}, ${repr(value.step)})`;
  if (value instanceof Undefined) return 'Undefined';
  const own = (value as { repr?: () => string }).repr;
  if (own) return own.call(value);
  throw new TemplateError(
    `the template prints a ${typeOf(value)}, of which Python would write the address in memory; print what is in it, for example with | list`,
  );
}

function joined(open: string, items: string[], close: string): string {
  const result = open + items.join(', ') + close;
  spendText(result.length);
  return result;
}

/**
 * Returns a text as Python quotes it: in double quotes only where that saves escapes;
 * characters that cannot be printed are escaped.
 */
export function quoted(value: string): string {
  spendCharacters(value.length);
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value.replace(/[\\'"\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ') return character;
    if (character === '"' || character === "'") return character === quote ? `\\${character}` : character;
    return NAMED[character] ?? numbered(character.codePointAt(0)!);
  });
  spend(escaped.length - value.length);
  return quote + escaped + quote;
}

/** Returns Python's `ascii(value)`. */
export function asciiRepr(value: Value): string {
  return repr(value).replace(/[^\0-\x7f]/gu, (character) => numbered(character.codePointAt(0)!));
}

const NAMED: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function numbered(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
