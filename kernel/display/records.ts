import { inspect, types } from 'node:util';
import type { MimeBundle } from './cellContext';
import { htmlTable, textTable, type Column } from './table';

type Row = Record<string, unknown>;

/** Rows that are shown of a longer table: the first and the last. */
const HEAD = 20;
const TAIL = 5;
const MAXIMUM_COLUMNS = 20;
/** Characters of a cell's text, at most. */
const MAXIMUM_WIDTH = 60;

/** Rows that are read to find the columns, at most. */
const SAMPLE = 1000;

/** Returns whether a value is an array of plain objects with mostly the same keys: the rows of a table. */
export function isRecords(value: unknown): value is Row[] {
  if (!Array.isArray(value) || types.isProxy(value) || value.length === 0) return false;
  const rows = sample(value);
  if (!rows.every(isPlain)) return false;
  const names = columnNames(rows);
  const filled = rows.reduce((count, row) => count + Object.keys(row).length, 0);
  return names.length > 0 && filled >= 0.5 * names.length * rows.length;
}

/** Returns the rows; of a long table only its beginning and its end, as there may be millions. */
function sample<T>(rows: T[]): T[] {
  return rows.length > SAMPLE + TAIL ? [...rows.slice(0, SAMPLE), ...rows.slice(-TAIL)] : rows;
}

function isPlain(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Options of {@link recordTable}. */
export interface RecordTableOptions {
  /** Labels before the rows; by default their numbers, from 0. */
  labels?: string[];
  /** The columns, in their order; by default all that the rows have. */
  columns?: readonly string[];
}

/** Returns records as a table, in HTML and as text; a long one without its middle. */
export function recordTable(rows: Row[], { labels, columns: chosen }: RecordTableOptions = {}): MimeBundle {
  const names = chosen ? [...chosen] : columnNames(sample(rows));
  const shown = names.slice(0, MAXIMUM_COLUMNS);
  const cut = rows.length > HEAD + TAIL + 1;
  const row = (i: number): [string, Row] => [labels?.[i] ?? String(i), rows[i]];
  const kept = cut
    ? [...range(0, HEAD), ...range(rows.length - TAIL, rows.length)].map(row)
    : rows.map((_, i) => row(i));
  const isNumeric = (name: string) => kept.every(([, row]) => isNumber(valueAt(row, name)));
  const columns: Column[] = [
    { title: '', align: labels ? 'left' : 'right' },
    ...shown.map((title): Column => ({ title, align: isNumeric(title) ? 'right' : 'left' })),
  ];
  const cells = kept.map(([label, row]) => [label, ...shown.map((name) => cellText(valueAt(row, name)))]);
  if (cut) cells.splice(HEAD, 0, ['…', ...shown.map(() => '…')]);
  const note = cut || names.length > shown.length ? `${rows.length} rows × ${names.length} columns` : '';
  return {
    'text/html': htmlTable(columns, cells) + (note && `<p>${note}</p>`),
    'text/plain': textTable(columns, cells) + (note && `\n${note}`),
  };
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

/** Stands for a property with a getter, which is not called. */
const GETTER = Symbol('[Getter]');

function valueAt(row: Row, name: string): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(row, name);
  return descriptor?.get ? GETTER : descriptor?.value;
}

function columnNames(rows: Row[]): string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

function isNumber(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'number' || typeof value === 'bigint';
}

function cellText(value: unknown): string {
  if (value === undefined) return '';
  if (value === GETTER) return '[Getter]';
  // Six digits are enough to compare numbers in a table.
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  const text =
    typeof value === 'string'
      ? value
      : inspect(value, { depth: 1, breakLength: Infinity, compact: true, maxArrayLength: 8 });
  const line = text.replace(/\s*\n\s*/g, ' ');
  return line.length > MAXIMUM_WIDTH ? `${line.slice(0, MAXIMUM_WIDTH - 1)}…` : line;
}
