/*
 * Templates of some models write tools by Jinja's filter `string`, which is
 * Python's `str`: {'type': 'function', 'strict': True}. The template library
 * has it for texts and numbers only.
 */

/** What a template library hands to a function: texts and numbers as they are, others as values with a type inside. */
type TemplateValue = { value: unknown };

/** Makes a parsed template call the function `name` where it uses the filter `string`. */
export function replaceStringFilter<T>(node: T, name: string): T {
  if (typeof node !== 'object' || node === null) return node;
  const fields = node as Record<string, unknown>;
  for (const [key, child] of Object.entries(fields)) fields[key] = replaceStringFilter(child, name);
  const { type, operand, filter } = fields as { type?: string; operand?: unknown; filter?: { type: string; value: string } };
  if (type !== 'FilterExpression' || filter?.type !== 'Identifier' || filter.value !== 'string') return node;
  return { type: 'CallExpression', callee: { type: 'Identifier', value: name }, args: [operand] } as T;
}

/** Python's `str` of a template's value. */
export function pythonString(value: unknown): string {
  return typeof value === 'string' ? value : repr(value);
}

function repr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'string') return quoted(value);
  // Python writes at least two digits of an exponent.
  if (typeof value === 'number') return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
  if (Array.isArray(value)) return `[${value.map((item: TemplateValue) => repr(item.value)).join(', ')}]`;
  if (value instanceof Map) {
    const entries = [...(value as Map<string, TemplateValue>)].map(([key, item]) => `${quoted(key)}: ${repr(item.value)}`);
    return `{${entries.join(', ')}}`;
  }
  throw new Error(`the template asks for the text of something that has none (${typeof value})`);
}

/** A text as Python quotes it: in double quotes only where that saves escapes; what cannot be printed is escaped. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\'"\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ') return character;
    if (character === '"' || character === "'") return character === quote ? `\\${character}` : character;
    return NAMED[character] ?? numbered(character.codePointAt(0)!);
  });
  return quote + escaped + quote;
}

const NAMED: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function numbered(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
