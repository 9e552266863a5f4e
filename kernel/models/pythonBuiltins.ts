/*
 * What chat templates take for granted from Python and the template library
 * does otherwise: the filter `string` is Python's `str`, which some models
 * write tools with ({'type': 'function', 'strict': True}; the library has it
 * for texts and numbers only); and `strftime_now` speaks English on every
 * machine.
 */

/** What a template library hands to a function: texts and numbers as they are, others as values with a type inside. */
type TemplateValue = { value: unknown };

/** Functions that every template is given, under names that none of them uses by itself. */
export const PYTHON_BUILTINS = { joylab_string: pythonString, joylab_strftime_now: strftimeNow };

/** Makes a parsed template call {@link PYTHON_BUILTINS} instead of the library's own. */
export function usePythonBuiltins<T>(node: T): T {
  if (typeof node !== 'object' || node === null) return node;
  const fields = node as Record<string, unknown>;
  for (const [key, child] of Object.entries(fields)) fields[key] = usePythonBuiltins(child);
  const { type, value, operand, filter } = fields as { type?: string; value?: unknown; operand?: unknown; filter?: { type: string; value: string } };
  if (type === 'Identifier' && value === 'strftime_now') fields.value = 'joylab_strftime_now';
  if (type !== 'FilterExpression' || filter?.type !== 'Identifier' || filter.value !== 'string') return node;
  return { type: 'CallExpression', callee: { type: 'Identifier', value: 'joylab_string' }, args: [operand] } as T;
}

/** Python's `str` of a template's value. */
function pythonString(value: unknown): string {
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

/** Python's `strftime` of this moment. Names are English, whatever the language of the machine, as with transformers. */
function strftimeNow(format: string): string {
  const now = new Date();
  const part = (options: Intl.DateTimeFormatOptions) => now.toLocaleDateString('en-US', options);
  const two = (value: number) => String(value).padStart(2, '0');
  const codes: Record<string, () => string> = {
    Y: () => String(now.getFullYear()),
    y: () => two(now.getFullYear() % 100),
    m: () => two(now.getMonth() + 1),
    d: () => two(now.getDate()),
    B: () => part({ month: 'long' }),
    b: () => part({ month: 'short' }),
    A: () => part({ weekday: 'long' }),
    a: () => part({ weekday: 'short' }),
    H: () => two(now.getHours()),
    I: () => two(now.getHours() % 12 || 12),
    p: () => (now.getHours() < 12 ? 'AM' : 'PM'),
    M: () => two(now.getMinutes()),
    S: () => two(now.getSeconds()),
    '%': () => '%',
  };
  return format.replace(/%([A-Za-z%])/g, (code, letter: string) => codes[letter]?.() ?? code);
}
