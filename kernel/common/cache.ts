import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { crc32 } from 'node:zlib';
import { cacheFolder } from './cacheFolder';

/** Bytes before what is kept: its checksum. */
const HEADER = 4;

/**
 * Data that an earlier process made and any process can make again.
 *
 * @param kind folder in the folder of caches
 * @param key all that it depends on, the form of what is kept included
 */
export class CacheEntry {
  private readonly file: string | null;

  constructor(kind: string, key: unknown) {
    const folder = cacheFolder();
    const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
    this.file = folder === null ? null : path.join(folder, kind, name);
  }

  /** Returns what is kept; undefined where there is nothing, or nothing whole. */
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

  /** Keeps it for other processes. Where that is not possible, they make it again. */
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
