import { fstatSync } from 'node:fs';
import { parseJson } from '../../common/nesting';
import { formatBytes } from '../../display/progress/progressBar';
import { describe, isObject } from './jsonFile';
import { readBytes } from './regularFile';

/*
 * The bytes before the values of a safetensors file: eight with the
 * length of a JSON object that says of each tensor what it is and where. As in
 * Hugging Face's own reader the tensors must fill the file: without gaps,
 * without overlaps, to its end.
 */

/** Element types that can be read, and their bytes. */
export const TYPE_BYTES = { F32: 4, F16: 2, BF16: 2 };

/** A tensor of a file. */
export interface Entry {
  dtype: keyof typeof TYPE_BYTES;
  shape: number[];
  /** Position of its first byte in the file. */
  start: number;
}

/** Largest header in bytes, enough for more than a hundred thousand tensors. */
const MAXIMUM_HEADER = 16 * 2 ** 20;

/** Returns the tensors of an open file, in the order of the header. Throws when the file is damaged. */
export function readHeader(file: number, path: string): Map<string, Entry> {
  const { size } = fstatSync(file);
  const length = size >= 8 ? Number(readBytes(file, path, 0, 8).readBigUInt64LE(0)) : 0;
  if (length <= 0 || 8 + length > size) {
    throw new Error(`${path} is not a safetensors file, or is cut short (${size} bytes); fetch or save it again`);
  }
  if (length > MAXIMUM_HEADER) {
    throw new Error(
      `${path}: the safetensors header has ${formatBytes(length)}, more than that of a model may have (${formatBytes(MAXIMUM_HEADER)}); split the model into several files`,
    );
  }
  const header = parseHeader(readBytes(file, path, 8, length), path);
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  const ranges = entries.map(([name, entry]) => checkEntry(path, name, entry));
  checkOrder(path, ranges, size - 8 - length);
  return new Map(ranges.map(({ name, dtype, shape, begin }) => [name, { dtype, shape, start: 8 + length + begin }]));
}

function parseHeader(bytes: Buffer, path: string): Record<string, unknown> {
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = parseJson(withoutFractions(text), 'the header');
  } catch {
    throw new Error(`${path}: the safetensors header is not valid JSON; fetch or save the file again`);
  }
  if (!isObject(header))
    throw new Error(
      `${path}: the safetensors header must be a JSON object, not ${describe(header)}; fetch or save the file again`,
    );
  const metadata = Object.hasOwn(header, '__metadata__') ? header.__metadata__ : null;
  if (
    metadata !== null &&
    !(isObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string'))
  ) {
    throw new Error(
      `${path}: __metadata__ of the safetensors header must be an object of texts; fetch or save the file again`,
    );
  }
  return header;
}

/**
 * Returns JSON with numbers that have a sign, a point or an exponent as texts, which
 * are no valid sizes: the format's own reader refuses 4.0 as an integer, which
 * `JSON.parse` cannot tell from 4.
 */
function withoutFractions(text: string): string {
  if (!/[:,[]\s*(?:-|\d+[.eE])/.test(text)) return text;
  return text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') || /^\d+$/.test(token) ? token : `"${token}"`,
  );
}

interface Range {
  name: string;
  dtype: keyof typeof TYPE_BYTES;
  shape: number[];
  begin: number;
  end: number;
}

function checkEntry(path: string, name: string, entry: unknown): Range {
  const tensor = `${path}: tensor ${describe(name)}`;
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw new Error(
      `${tensor} must have a shape and two data_offsets of whole numbers from 0, not ${describe(entry)}; fetch or save the file again`,
    );
  }
  if (!isType(dtype))
    throw new Error(
      `${tensor} has type ${typeof dtype === 'string' ? dtype.slice(0, 20) : describe(dtype)}; supported are ${Object.keys(TYPE_BYTES).join(', ')}`,
    );
  const [begin, end] = offsets;
  const expected = sizeInBytes(shape, TYPE_BYTES[dtype]);
  if (end - begin !== expected)
    throw new Error(
      `${tensor} of shape ${shapeText(shape)} takes ${end - begin} bytes instead of ${expected}; fetch or save the file again`,
    );
  return { name, dtype, shape, begin, end };
}

/** Throws unless each tensor begins where another ends, and the last ends with the file. */
function checkOrder(path: string, ranges: readonly Range[], size: number): void {
  let position = 0;
  for (const { name, begin, end } of [...ranges].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (end > size)
      throw new Error(
        `${path} is cut short: tensor "${name}" ends at byte ${end} of the values, the file at ${size}; fetch or save it again`,
      );
    if (begin !== position)
      throw new Error(
        `${path}: tensor ${describe(name)} begins at byte ${begin} of the values instead of ${position}: tensors may neither overlap nor leave gaps; fetch or save the file again`,
      );
    position = end;
  }
  if (position !== size)
    throw new Error(`${path} has ${size - position} bytes after the last tensor; fetch or save it again`);
}

/** Returns a shape as text, `[2, 3]`, shortened where it is long. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.slice(0, 6).join(', ')}${shape.length > 6 ? ', …' : ''}]`;
}

/** Returns names of tensors as text, shortened where they are many or long. */
export function namesText(names: readonly string[]): string {
  const shown = names.slice(0, 4).map((name) => (name.length > 100 ? `${name.slice(0, 99)}…` : name));
  return shown.join(', ') + (names.length > 4 ? ' …' : '');
}

/** Upper bound of sizes in bytes. */
const OVERFLOW = 2 ** 64;

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isInteger(size) && size >= 0 && size < OVERFLOW);
}

function isType(value: unknown): value is keyof typeof TYPE_BYTES {
  return typeof value === 'string' && Object.hasOwn(TYPE_BYTES, value);
}

/** Returns the size in bytes of a shape; NaN where a product on the way overflows, even if a later size is 0. */
function sizeInBytes(shape: readonly number[], bytes: number): number {
  return [...shape, bytes].reduce((product, size) => (product * size < OVERFLOW ? product * size : NaN), 1);
}
