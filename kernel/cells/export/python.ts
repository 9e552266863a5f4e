/** A value as a literal of Python; objects a line for each entry, `indent` deep. */
export function pythonLiteral(value: unknown, indent = 0): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === Infinity) return 'float("inf")';
  if (Array.isArray(value)) return `[${value.map((one) => pythonLiteral(one, indent)).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  const inner = ' '.repeat(indent + 4);
  const lines = entries.map(([name, one]) => `${inner}${JSON.stringify(name)}: ${pythonLiteral(one, indent + 4)},\n`);
  return `{\n${lines.join('')}${' '.repeat(indent)}}`;
}

/** Settings by Python's names: `maxSteps` is `max_steps`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** An object with the names of Python. */
export function snakeCased(given: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [snakeCase(name), value]));
}
