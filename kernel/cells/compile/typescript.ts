import type * as ts from 'typescript';
import Module from 'node:module';

/** The compiler that cells are compiled with: the newest TypeScript, which is a dependency of the package. */
export type TypeScript = typeof ts;

/** Loaded on first use: it is large. */
export function typescript(): TypeScript {
  return require('typescript');
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
