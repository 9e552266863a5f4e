import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { crc32 } from 'node:zlib';
import { cacheFolder } from './cacheFolder';

/** Bytes before the content: its CRC-32. */
const HEADER = 4;

/**
 * A file with data that an earlier process computed and any process can
 * compute again.
 *
 * @param kind name of a folder in the cache folder
 * @param key all that the content depends on, its format included, as JSON
 */
export class CacheEntry {
  private readonly file: string | null;

  constructor(kind: string, key: unknown) {
    const folder = cacheFolder();
    const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
    this.file = folder === null ? null : path.join(folder, kind, name);
  }

  /** Returns the content; undefined when there is none, or its checksum is wrong. */
  read(): Buffer | undefined {
    if (this.file === null) return undefined;
    try {
      const bytes = readFileSync(this.file);
      const content = bytes.subarray(HEADER);
      return bytes.readUInt32LE() === crc32(content) ? content : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes the content for other processes. When that fails, they compute it again. */
  write(content: Buffer | string): void {
    if (this.file === null) return;
    try {
      const bytes = Buffer.from(content);
      const header = Buffer.alloc(HEADER);
      header.writeUInt32LE(crc32(bytes));
      mkdirSync(path.dirname(this.file), { recursive: true });
      const written = `${this.file}.${process.pid}`;
      writeFileSync(written, Buffer.concat([header, bytes]));
      renameSync(written, this.file);
    } catch {} // a full or read-only disk
  }
}
