import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import * as path from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';
import { cacheFolder } from './cacheFolder';

/** Bytes before the compiled code: its checksum, as V8 does not look whether it is whole. */
const HEADER = 4;

/**
 * A large CommonJS module whose functions an earlier process has compiled.
 *
 * #### Notes
 * Node.js 22 has a compile cache of its own, which it writes as a process
 * exits; Node.js 20 has none, and kernels are killed.
 */
export class CachedModule<T> {
  readonly exports: T;
  private readonly script: Script;
  private readonly file: string | null;
  private readonly isKept: boolean;

  /** @param filename of the module, which is in `require.cache` from then on */
  constructor(filename: string) {
    this.file = cacheFile(filename);
    const cachedData = this.file === null ? undefined : readWhole(this.file);
    this.script = new Script(Module.wrap(readFileSync(filename, 'utf8')), { filename, cachedData });
    this.isKept = cachedData !== undefined && this.script.cachedDataRejected === false;
    this.exports = run(this.script, filename) as T;
  }

  /** Keeps what is compiled by now for other processes, unless they have it. Where that is not possible, they compile it again. */
  keep(): void {
    if (this.isKept || this.file === null) return;
    try {
      const code = this.script.createCachedData();
      const header = Buffer.alloc(HEADER);
      header.writeUInt32LE(crc32(code));
      mkdirSync(path.dirname(this.file), { recursive: true });
      const written = `${this.file}.${process.pid}`;
      writeFileSync(written, Buffer.concat([header, code]));
      renameSync(written, this.file);
    } catch {} // a full or read-only disk
  }
}

function run(script: Script, filename: string): unknown {
  const module = new Module(filename);
  module.filename = filename;
  require.cache[filename] = module;
  const { exports } = module;
  script.runInThisContext().call(exports, exports, createRequire(filename), module, filename, path.dirname(filename));
  module.loaded = true;
  return module.exports;
}

/** By all that the compiled code depends on: the module, and V8 with its flags. */
function cacheFile(filename: string): string | null {
  const folder = cacheFolder();
  if (folder === null) return null;
  const { size, mtimeMs } = statSync(filename);
  const key = createHash('sha256').update(JSON.stringify([filename, size, mtimeMs, process.version, process.arch, cachedDataVersionTag()])).digest('hex');
  return path.join(folder, 'code', key.slice(0, 32));
}

function readWhole(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    const code = bytes.subarray(HEADER);
    return bytes.readUInt32LE() === crc32(code) ? code : undefined;
  } catch {
    return undefined;
  }
}
