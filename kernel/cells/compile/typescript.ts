import type * as ts from 'typescript';
import Module from 'node:module';

/** The compiler that cells are compiled with: the newest TypeScript, which is a dependency of the package. */
export type TypeScript = typeof ts;

let loaded: TypeScript | null = null;

/** Loaded on first use: it is large. Kept: cells may empty `require.cache`. */
export function typescript(): TypeScript {
  return (loaded ??= require('typescript') as TypeScript);
}

/**
 * Lets tslab use the same compiler as the kernel. Its own is a fork of
 * TypeScript 5.0, which would be a second compiler in memory.
 */
export function shareTypeScript(): void {
  const path = require.resolve('@tslab/typescript-for-tslab');
  const module = new Module(path);
  module.filename = path;
  module.loaded = true;
  module.exports = typescript();
  require.cache[path] = module;
}
