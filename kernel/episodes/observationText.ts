import { stringifyExact } from '../common/exactJson';

/** Elements of a list, characters of a line, and lines that are shown, at most. */
const MOST = { elements: 64, characters: 120, lines: 40 };

/** Returns an observation as text, field by field; tables of numbers as tables, their columns aligned. */
export function observationText(observation: Record<string, unknown>): string {
  const lines = Object.entries(observation).flatMap(([name, value]) => fieldLines(name, value));
  return lines
    .slice(0, MOST.lines)
    .map((line) => (line.length > MOST.characters ? `${line.slice(0, MOST.characters - 1)}…` : line))
    .join('\n');
}

function fieldLines(name: string, value: unknown): string[] {
  if (isTable(value)) return [`${name}:`, ...tableLines(value).map((line) => `  ${line}`)];
  if (typeof value === 'string' && value.includes('\n'))
    return [`${name}:`, ...value.split('\n').map((line) => `  ${line}`)];
  if (Array.isArray(value) && value.every((element) => typeof element !== 'object')) {
    const more = value.length > MOST.elements ? ` … (${value.length})` : '';
    return [`${name}: ${value.slice(0, MOST.elements).join(' ')}${more}`];
  }
  return [`${name}: ${typeof value === 'string' ? value : stringifyExact(value)}`];
}

/** Returns whether a value is two or more rows of one length, without arrays or objects in them. */
function isTable(value: unknown): value is unknown[][] {
  return (
    Array.isArray(value) &&
    value.length > 1 &&
    value.every(
      (row) => Array.isArray(row) && row.length === value[0].length && row.every((cell) => typeof cell !== 'object'),
    )
  );
}

function tableLines(rows: unknown[][]): string[] {
  const shown = rows.slice(0, MOST.elements).map((row) => row.slice(0, MOST.elements).map(String));
  const widths = (shown[0] ?? []).map((_, column) => Math.max(...shown.map((row) => row[column].length)));
  return shown.map((row) => row.map((cell, column) => cell.padStart(widths[column])).join(' '));
}
