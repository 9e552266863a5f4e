/**
 * Returns the text of a `config.json` with some of its top-level settings changed
 * (undefined: left out). All other numbers stay as written: to Python 30.0 is another
 * type than 30, and transformers refuses the wrong one.
 */
export function changeSettings(text: string, changes: Record<string, unknown>): string {
  // Numbers with a point or exponent are carried through as strings that no file has.
  const marked = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') || !/[.eE]/.test(token) ? token : `"\\u0000${token}"`,
  );
  const settings = { ...(JSON.parse(marked) as object), ...changes };
  return JSON.stringify(settings, null, 2).replace(/"\\u0000(-?[\d.eE+-]+)"/g, '$1') + '\n';
}
