import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { cacheFolder } from '../../common/cacheFolder';
import type { ReferenceReturns } from '../../environments/reference';
import { packageRoot } from '../../common/packagePaths';

/** Of the way in which it is measured: another number, and nothing of before is used. */
const EDITION = 1;

/** A measurement as its file holds it. */
interface Stored {
  key: string;
  reference: ReferenceReturns;
}

/** What an earlier process measured; undefined where there is nothing, or nothing that can be used. */
export function readStored(key: string): ReferenceReturns | undefined {
  const file = fileOf(key);
  if (file === undefined) return undefined;
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Stored;
    return stored.key === key && isReference(stored.reference) ? stored.reference : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a measurement for other processes. Where that is not possible, it is measured again. */
export function store(key: string, reference: ReferenceReturns): void {
  const file = fileOf(key);
  if (file === undefined) return;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    const written = `${file}.${process.pid}`;
    writeFileSync(written, `${JSON.stringify({ key, reference } satisfies Stored, null, 1)}\n`);
    renameSync(written, file);
  } catch {} // a full or read-only disk
}

function fileOf(key: string): string | undefined {
  const folder = cacheFolder();
  const name = createHash('sha256')
    .update(JSON.stringify([EDITION, version(), key]))
    .digest('hex')
    .slice(0, 32);
  return folder === null ? undefined : path.join(folder, 'reference', `${name}.json`);
}

/** The release of Joylab, which decides how its environments play. */
function version(): string {
  return (JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
}

function isReference({ maxSteps, chance, constants }: Partial<ReferenceReturns>): boolean {
  const numbers = [maxSteps, chance?.mean, chance?.std, ...(constants ?? []).map(({ mean }) => mean)];
  return Array.isArray(constants) && numbers.every(Number.isFinite);
}
