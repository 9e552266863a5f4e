import { types } from 'node:util';
import type { MimeBundle } from './cellContext';
import { recordTable } from './records';

type Row = Record<string, unknown>;

/**
 * Returns what `console.table` shows: a table of a map, a set, an array or an
 * object, with the rows and columns that Node.js gives it; `null` when there is
 * nothing to tabulate.
 *
 * @param columns the columns to show, in their order
 */
export function consoleTable(value: unknown, columns?: readonly string[]): MimeBundle | null {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return null;
  if (types.isMap(value)) return recordTable([...value].map(([key, item]): Row => ({ Key: key, Values: item })));
  if (types.isSet(value)) return recordTable([...value].map((item): Row => ({ Values: item })));
  const entries = Object.entries(value);
  const rows = entries.map(([, item]) => toRow(item));
  if (entries.length === 0) return null;
  const isList = Array.isArray(value) || types.isTypedArray(value);
  return recordTable(rows, { ...(!isList && { labels: entries.map(([key]) => key) }), ...(columns && { columns }) });
}

/** Returns an object as a row of its own properties, anything else as a row with one column. */
function toRow(item: unknown): Row {
  if (types.isProxy(item) || typeof item !== 'object' || item === null) return { Values: item };
  return item as Row;
}
