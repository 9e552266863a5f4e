import type * as ts from 'typescript';
import { CachedModule } from '../../common/codeCache';

/** The compiler that cells are compiled with: the newest TypeScript, which is a dependency of the package. */
export type TypeScript = typeof ts;

let loaded: CachedModule<TypeScript> | null = null;

/** Loaded on first use: it is large. Kept: cells may empty `require.cache`. */
export function typescript(): TypeScript {
  return (loaded ??= new CachedModule<TypeScript>(require.resolve('typescript'))).exports;
}

/** Keeps what of the compiler has been used so far, compiled, for the next kernels. */
export function keepCompiledTypeScript(): void {
  loaded?.keep();
}
