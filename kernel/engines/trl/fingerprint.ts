import { createHash, type Hash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readEnd } from '../../models/checkpoint/regularFile';
import type { HeldModel } from './held';

/** Bytes of each file that are looked at. */
const LOOKED_AT = 2 ** 20;

/**
 * Knows a model in a worker from others, as it is now: a digest of the ends of
 * its files, of how its adapter began, and of the steps that it was trained.
 */
export function fingerprint({ loading, beginning, steps }: HeldModel): string {
  const hash = createHash('sha256');
  for (const folder of [loading.folder, loading.adapter]) if (folder) addFiles(hash, folder);
  hash.update(JSON.stringify([beginning, loading.initWeights, loading.seed, steps]));
  return hash.digest('hex');
}

function addFiles(hash: Hash, folder: string): void {
  const names = readdirSync(folder).filter((name) => /\.safetensors$|^config\.json$/.test(name));
  for (const name of names.sort()) {
    const { size, end } = readEnd(join(folder, name), LOOKED_AT);
    hash.update(`${name}:${size}:`).update(end);
  }
}
