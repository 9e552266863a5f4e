import type * as ts from '@tslab/typescript-for-tslab';
import type { Converter } from 'tslab/dist/converter';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lightBuilder } from './builder';
import { guardLoops } from './guards';
import { OutputMap } from './outputMap';
import { shareVariables } from './share';

/** The compiler that cells are compiled with: tslab's fork of TypeScript. */
export type TypeScript = typeof ts;

/** tslab's fork, unchanged. Loaded on first use: it is large. */
export function typescript(): TypeScript {
  return require('@tslab/typescript-for-tslab');
}

type Reporters = [reportDiagnostic: ts.DiagnosticReporter, reportStatus: ts.WatchStatusReporter];

const INLINE_MAP = /\/\/# sourceMappingURL=\S*\s*$/;

/** What {@link createCellConverter} needs to know of the surroundings. */
export interface ConverterSettings {
  /** The notebook's folder. */
  folder: string;
  /** Folder of the joylab package. */
  packageRoot: string;
}

/** tslab's converter, with where each part of its last output came from. */
export interface CellConverter extends Converter {
  /** Maps the output of the last `convert` back to the cell. */
  outputMap(): OutputMap | null;
}

/**
 * Creates tslab's converter with compiler settings of ours.
 *
 * #### Notes
 * tslab offers no way to set options, so it is given a copy of the compiler
 * in which two functions differ: `createWatchCompilerHost` adds our options
 * (source maps; where `joylab` and Node's types are) and a quicker builder, and
 * `transpileModule`, the last step of a conversion, also shares variables,
 * guards loops and keeps the source map.
 */
export function createCellConverter(settings: ConverterSettings): CellConverter {
  const original = typescript();
  let map: OutputMap | null = null;
  const compiler = {
    ...original,
    createWatchCompilerHost: (files: string[], options: ts.CompilerOptions, sys: ts.System, _: unknown, ...report: Reporters) => {
      const ours = { ...options, ...compilerOptions(options, settings) };
      return original.createWatchCompilerHost([...files, declarations(settings)], ours, sys, lightBuilder(original), ...report);
    },
    transpileModule: (input: string, options: ts.TranspileOptions) => {
      const { text, shifts } = shareVariables(original, input.replace(INLINE_MAP, ''));
      const result = original.transpileModule(text, {
        ...options,
        compilerOptions: { ...options.compilerOptions, sourceMap: true },
        transformers: { before: [guardLoops(original)] },
      });
      map = new OutputMap(input, result.sourceMapText!, shifts);
      return { ...result, outputText: result.outputText.replace(INLINE_MAP, '') };
    },
  };
  const converter = loadConverter(compiler as unknown as TypeScript).createConverter();
  return { ...converter, outputMap: () => map };
}

/** Joylab's declarations are a part of every cell's program, so that importing them costs nothing. */
function declarations({ packageRoot }: ConverterSettings): string {
  return join(packageRoot, 'dist', 'kernel', 'index.d.ts');
}

/** tslab's converter module, loaded on top of the given compiler. */
function loadConverter(compiler: TypeScript): typeof import('tslab/dist/converter') {
  const path = require.resolve('@tslab/typescript-for-tslab');
  const module = require.cache[path]!;
  const original = module.exports;
  module.exports = compiler;
  try {
    return require('tslab/dist/converter');
  } finally {
    module.exports = original;
  }
}

function compilerOptions(options: ts.CompilerOptions, settings: ConverterSettings): ts.CompilerOptions {
  const { folder, packageRoot } = settings;
  const ownTypes = join(packageRoot, 'node_modules', '@types');
  const folderTypes = join(folder, 'node_modules', '@types');
  // Every folder of a type root is loaded unless `types` names them: Node's, our globals, the notebook's own.
  const types = new Set(['node', 'globals', ...(existsSync(folderTypes) ? readdirSync(folderTypes) : [])]);
  return {
    inlineSourceMap: true,
    // Ours come first: joylab's declarations refer to the same copy of Node's types.
    typeRoots: [ownTypes, join(packageRoot, 'dist', 'kernel', 'cells'), ...(options.typeRoots ?? [])],
    types: [...types].filter((name) => !name.startsWith('.')),
    paths: {
      joylab: [declarations(settings)],
      tslab: [join(require.resolve('tslab/package.json'), '..', 'dist', 'public.d.ts')],
    },
  };
}
