import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../kernel/common/packagePaths';

/*
 * Golden files: what earlier versions of the code gave, as hashes beside a few
 * figures for people. `JOYLAB_GOLDEN=record npm test -- golden` records what is
 * not in the files yet; an entry that is to be another is removed by hand first.
 */

/** Entries of a golden file by name: a hash of everything, and some figures that show where results differ. */
export type Golden = Record<string, { hash: string } & Record<string, unknown>>;

/** Returns the hash of a value's JSON. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(typeof value === 'string' ? value : JSON.stringify(value)).digest('hex');
}

/** Returns the hash of bytes, one array after the other. */
export function hashOfBytes(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

const recording = process.env.JOYLAB_GOLDEN === 'record';
const fileOf = (name: string): string => join(packageRoot, 'test', 'golden', `${name}.json`);

/** Returns whether there is a golden file, or it is recorded now. */
export function hasGolden(name: string): boolean {
  return recording || existsSync(fileOf(name));
}

/** Compares entries with the golden file of a name, to the bit, or records new ones. */
export function compareWithGolden(name: string, found: Golden): void {
  const file = fileOf(name);
  const known: Golden = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  if (recording) writeFileSync(file, text({ ...found, ...known }));
  else assert.deepEqual(found, Object.fromEntries(Object.keys(found).map((entry) => [entry, known[entry]])));
}

/** Returns a golden file as text, with one entry on a line. */
function text(golden: Golden): string {
  const lines = Object.entries(golden).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, entry]) => ` ${JSON.stringify(name)}: ${JSON.stringify(entry)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** Returns a hash of the processor and its cores: sums of floating-point numbers depend on their order, which depends on both. */
export function processor(): string {
  return hashOf([process.arch, cpus()[0]?.model, availableParallelism()]).slice(0, 16);
}
