import { readFileSync, statSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import * as path from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { CacheEntry } from './cache';

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
  private readonly entry: CacheEntry;
  private readonly isKept: boolean;

  /** @param filename of the module, which is in `require.cache` from then on */
  constructor(filename: string) {
    const { size, mtimeMs } = statSync(filename);
    this.entry = new CacheEntry('code', [
      filename,
      size,
      mtimeMs,
      process.version,
      process.arch,
      cachedDataVersionTag(),
    ]);
    const cachedData = this.entry.read();
    this.script = new Script(Module.wrap(readFileSync(filename, 'utf8')), { filename, cachedData });
    this.isKept = cachedData !== undefined && this.script.cachedDataRejected === false;
    this.exports = run(this.script, filename) as T;
  }

  /** Keeps what is compiled by now for other processes, unless they have it. */
  keep(): void {
    if (!this.isKept) this.entry.write(this.script.createCachedData());
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
