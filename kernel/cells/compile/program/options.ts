import type * as ts from 'typescript';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildRoot } from '../../../common/packagePaths';
import { typescript } from '../typescript';

/** The folders of the notebook and of the kernel. */
export interface Folders {
  /** The notebook's folder: packages and files are found from here. */
  folder: string;
  /** Folder of the joylab package. */
  packageRoot: string;
}

/** Joylab's declarations: a part of every notebook's program, so that importing them costs nothing. */
export function joylabDeclarations(): string {
  return join(buildRoot, 'kernel', 'index.d.ts');
}

/** anywidget's package for TypeScript kernels, which Deno loads from JSR: `widget` of joylab/widgets is the same. */
export const ANYWIDGET = 'jsr:@anywidget/deno';

/**
 * Returns the options that cells are compiled with. A `tsconfig.json` in the notebook's folder is
 * followed, for example `strict`, `experimentalDecorators`, `paths` or `lib`;
 * what the kernel needs for itself is not for it to say.
 */
export function compilerOptions(folders: Folders): ts.CompilerOptions {
  const compiler = typescript();
  const own = folderOptions(folders.folder);
  return {
    jsx: compiler.JsxEmit.React,
    allowJs: true,
    ...own,
    lib: own.lib?.length ? own.lib : libraries(),
    // No packages in place of TypeScript's library: see GlobalsOnDemand.
    libReplacement: false,
    // Node.js 20 has the syntax of ES2024; TypeScript writes what is newer (using, decorators) in its terms.
    target: compiler.ScriptTarget.ES2024,
    module: compiler.ModuleKind.ESNext,
    moduleResolution: compiler.ModuleResolutionKind.Bundler,
    moduleDetection: compiler.ModuleDetectionKind.Force,
    customConditions: ['node'],
    allowImportingTsExtensions: true,
    esModuleInterop: true,
    resolveJsonModule: true,
    skipLibCheck: true,
    noUncheckedSideEffectImports: true,
    sourceMap: true,
    newLine: compiler.NewLineKind.LineFeed,
    ...types(folders, own),
    paths: {
      ...own.paths,
      joylab: [joylabDeclarations()],
      'joylab/internal': [join(buildRoot, 'kernel', 'internal.d.ts')],
      'joylab/widgets': [join(buildRoot, 'kernel', 'display', 'widgets', 'index.d.ts')],
      [ANYWIDGET]: [join(buildRoot, 'kernel', 'display', 'widgets', 'index.d.ts')],
      tslab: [join(require.resolve('tslab/package.json'), '..', 'dist', 'public.d.ts')],
    },
  };
}

/** Declarations of what this version of Node.js has. */
function libraries(): string[] {
  const globals = globalThis as { Iterator?: unknown };
  const names = ['es2023', 'esnext.disposable'];
  if ('isWellFormed' in String.prototype) names.push('es2024.string');
  if ('withResolvers' in Promise) names.push('es2024');
  if ('union' in Set.prototype) names.push('esnext.collection');
  if (globals.Iterator) names.push('esnext.iterator');
  if ('fromAsync' in Array) names.push('esnext.array');
  return names.map((name) => `lib.${name}.d.ts`);
}

/** Every folder of a type root is loaded unless `types` names them: Node's, our globals, the notebook's own. */
function types({ folder }: Folders, own: ts.CompilerOptions): ts.CompilerOptions {
  const folderTypes = join(folder, 'node_modules', '@types');
  const names = own.types ?? (existsSync(folderTypes) ? readdirSync(folderTypes) : []);
  return {
    // Ours come first: joylab's declarations refer to the same copy of Node's types.
    typeRoots: [
      join(require.resolve('@types/node/package.json'), '..', '..'),
      join(buildRoot, 'kernel', 'cells'),
      ...(own.typeRoots ?? [folderTypes]),
    ],
    types: [...new Set(['node', 'globals', ...names])].filter((name) => !name.startsWith('.')),
  };
}

/** Settings of a `tsconfig.json` that make no sense for a cell: what it does not use may be for the next one. */
const UNFIT = [
  'noUnusedLocals',
  'noUnusedParameters',
  'noEmitOnError',
  'isolatedModules',
  'isolatedDeclarations',
  'verbatimModuleSyntax',
  'erasableSyntaxOnly',
  'importHelpers',
  'noEmitHelpers',
  'outFile',
  'outDir',
  'rootDir',
  'declaration',
  'declarationMap',
  'inlineSourceMap',
  'inlineSources',
  'noLib',
  'removeComments',
  'composite',
  'incremental',
  'noResolve',
  'checkJs',
  'emitDeclarationOnly',
  'noEmit',
];

function folderOptions(folder: string): ts.CompilerOptions {
  const compiler = typescript();
  const path = join(folder, 'tsconfig.json');
  if (!existsSync(path)) return {};
  const { config } = compiler.readConfigFile(path, compiler.sys.readFile);
  const { extends: base, compilerOptions: options } = config ?? {};
  const { options: parsed } = compiler.parseJsonConfigFileContent(
    { extends: base, compilerOptions: options, files: [] },
    compiler.sys,
    folder,
  );
  return Object.fromEntries(Object.entries(parsed).filter(([name]) => !UNFIT.includes(name)));
}
