import type * as ts from 'typescript';
import { existsSync } from 'node:fs';
import Module from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { invalidArgument } from '../../errors';
import { classTypes, type ClassTypes } from '../classTypes';

/** A class of a file that can be served. */
export interface FoundClass extends ClassTypes {
  /** The name under which the file exports it. */
  exported: string;
  name: string;
  file: string;
}

/** The package's built folder, which `joylab` resolves to in a file outside a notebook. */
const KERNEL = resolve(__dirname, '..', '..', '..');

/**
 * Returns the class of a TypeScript file that extends `Environment`, and checks the
 * file's types. Throws `INVALID_ARGUMENT` when there is no such class, or several, or
 * a type error.
 *
 * @param name name of the class, where the file exports several
 * @param options `checked`: whether types are checked; those of a notebook's cells are, and less strictly. Default: true
 */
export function findEnvironment(path: string, name?: string, { checked = true } = {}): FoundClass {
  const file = resolve(path);
  if (!existsSync(file)) throw invalidArgument(`There is no file ${path}.`);
  const compiler: typeof ts = require('typescript');
  const program = compiler.createProgram([file], compilerOptions(compiler, dirname(file)));
  const problems = checked ? compiler.getPreEmitDiagnostics(program) : [];
  if (problems.length > 0) {
    const host = {
      getCanonicalFileName: (it: string) => it,
      getCurrentDirectory: () => dirname(file),
      getNewLine: () => '\n',
    };
    throw invalidArgument(`${path} has type errors:\n${compiler.formatDiagnostics(problems, host).trimEnd()}`);
  }
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!);
  const found = (module ? checker.getExportsOfModule(module) : []).flatMap((it) => {
    const symbol = it.flags & compiler.SymbolFlags.Alias ? checker.getAliasedSymbol(it) : it;
    const isAbstract =
      symbol.valueDeclaration &&
      compiler.getCombinedModifierFlags(symbol.valueDeclaration) & compiler.ModifierFlags.Abstract;
    const types =
      symbol.flags & compiler.SymbolFlags.Class && !isAbstract ? classTypes(compiler, checker, symbol) : null;
    return types
      ? [{ ...types, exported: it.name, name: it.name === 'default' ? ownName(symbol) : it.name, file }]
      : [];
  });
  return choose(found, path, name);
}

/** Returns the name of a class that is the default export; "Environment" where it has none. */
function ownName(symbol: ts.Symbol): string {
  const { name } = symbol.valueDeclaration as ts.ClassDeclaration;
  return name?.text ?? 'Environment';
}

function choose(found: FoundClass[], path: string, name: string | undefined): FoundClass {
  const names = found.map((it) => it.name).join(', ');
  if (found.length === 0)
    throw invalidArgument(
      `${path} exports no environment. Write: export class MyEnvironment extends Environment<Action, Observation> { … }`,
    );
  if (name !== undefined) {
    const chosen = found.find((it) => it.name === name);
    if (!chosen) throw invalidArgument(`${path} exports no environment ${name}. Valid: ${names}.`);
    return chosen;
  }
  if (found.length > 1)
    throw invalidArgument(`${path} exports several environments. Choose one with --environment: ${names}.`);
  return found[0];
}

function compilerOptions(compiler: typeof ts, folder: string): ts.CompilerOptions {
  return {
    target: compiler.ScriptTarget.ES2022,
    module: compiler.ModuleKind.ESNext,
    moduleResolution: compiler.ModuleResolutionKind.Bundler,
    strict: true,
    esModuleInterop: true,
    resolveJsonModule: true,
    skipLibCheck: true,
    noEmit: true,
    allowJs: true,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    typeRoots: [join(require.resolve('@types/node/package.json'), '..', '..'), join(folder, 'node_modules', '@types')],
    paths: { joylab: [join(KERNEL, 'index.d.ts')], 'joylab/internal': [join(KERNEL, 'internal.d.ts')] },
  };
}

/** Options of esbuild for one file for Node.js, in memory. Classes keep their names, which name the environment. */
const FOR_NODE = {
  bundle: true,
  write: false,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  keepNames: true,
  logLevel: 'silent',
} as const;

/** Bundles a program that imports `joylab` into one file of JavaScript for Node.js. */
export async function bundle(entry: { text: string; folder: string }, joylab: string): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: entry.text, resolveDir: entry.folder, sourcefile: 'server.ts', loader: 'ts' },
    ...FOR_NODE,
    alias: { joylab },
    external: ['bufferutil', 'utf-8-validate'],
  });
  return outputFiles[0].text;
}

/** Loads the class. `joylab` resolves to this process's own, so that the class extends the same `Environment`. */
export async function loadClass({ file, exported }: FoundClass): Promise<any> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [file],
    ...FOR_NODE,
    packages: 'external',
    sourcemap: 'inline',
    alias: { joylab: KERNEL },
    external: [KERNEL, join(KERNEL, 'internal')],
  });
  const module = new Module(file) as Module & { _compile(code: string, path: string): void; paths: string[] };
  module.filename = file;
  module.paths = (Module as unknown as { _nodeModulePaths(folder: string): string[] })._nodeModulePaths(dirname(file));
  module._compile(outputFiles[0].text, file);
  return module.exports[exported];
}
