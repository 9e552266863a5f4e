import type * as ts from 'typescript';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { BoundFile } from './notebook';
import { typescript } from './typescript';

/** What TypeScript's checker asks a program for, and its binder: neither is a part of its public API. */
interface CheckedProgram extends ts.Program {
  getResolvedModule(file: ts.SourceFile, name: string, mode: ts.ResolutionMode): { resolvedModule?: ts.ResolvedModuleFull } | undefined;
}
type Binder = (file: ts.SourceFile, options: ts.CompilerOptions) => void;

/** A declaration of a global, by which a file of declarations has to be read before anything is checked. */
const GLOBAL = /^\s*(?:declare )?global \{/m;
const MODULE = /^declare module ["']([^"']+)["']/gm;

/**
 * Declarations that are read when the checker first asks for them: those of
 * Node.js's modules and of Joylab. TypeScript reads whatever a file imports,
 * and what that imports; a cell needs a small part of it.
 *
 * #### Notes
 * The imports of these files are not resolved as the program is made (see
 * `resolveModuleNameLiterals` of {@link NotebookFiles}) but as the checker
 * follows them, which it does only for what a cell names. What declares
 * globals is a part of the program from the beginning.
 */
export class DeclarationsOnDemand {
  /** Files of Node.js's modules by the modules' names. */
  private readonly modules = new Map<string, string>();
  /** Text of the file that refers to all of Node.js's declarations, without those that can wait. */
  private readonly index: string;
  private readonly indexPath: string;
  private readonly opened = new Map<string, ts.SourceFile>();
  private readonly folders: string[];

  constructor(packageRoot: string) {
    const folder = dirname(require.resolve('@types/node/package.json'));
    this.indexPath = join(folder, 'index.d.ts');
    const undici = dirname(require.resolve('undici-types/package.json', { paths: [folder] }));
    this.folders = [folder, undici, join(packageRoot, 'dist', 'kernel')].map((it) => it + sep);
    this.index = readFileSync(this.indexPath, 'utf8').replace(/^\/\/\/ <reference path="(.*)" \/>\n/gm, (line, name: string) => (this.canWait(join(folder, name)) ? '' : line));
  }

  /** The text of a file where it is another one than on disk. */
  text(path: string): string | undefined {
    return path === this.indexPath ? this.index : undefined;
  }

  /** Whether the imports of a file are resolved when the checker follows them. */
  isOnDemand(path: string): boolean {
    return this.folders.some((folder) => path.startsWith(folder));
  }

  /** The file of one of Node.js's modules. */
  module(name: string): ts.ResolvedModuleFull | undefined {
    const path = this.modules.get(name);
    return path === undefined ? undefined : { resolvedFileName: path, extension: '.d.ts', isExternalLibraryImport: true };
  }

  /** Lets the checker of a program follow the imports of these files. */
  connect(program: ts.Program, resolve: (name: string, from: string) => ts.ResolvedModuleFull | undefined): void {
    const checked = program as CheckedProgram;
    const { getResolvedModule, getSourceFile } = checked;
    checked.getResolvedModule = (file, name, mode) => {
      if (!this.isOnDemand(file.fileName)) return getResolvedModule(file, name, mode);
      const module = this.module(name);
      return { resolvedModule: module ? { ...module, resolvedFileName: `${module.resolvedFileName}#${name}` } : resolve(name, file.fileName) };
    };
    checked.getSourceFile = (path) => getSourceFile(path) ?? (this.isOnDemand(path) ? this.open(path, program.getCompilerOptions()) : undefined);
  }

  private open(key: string, options: ts.CompilerOptions): ts.SourceFile {
    const [path, module] = key.split('#');
    const file = this.opened.get(path) ?? this.parse(path, options);
    return module === undefined ? file : Object.create(file, { symbol: { value: (file as BoundFile).locals!.get(`"${module}"`) } });
  }

  private parse(path: string, options: ts.CompilerOptions): ts.SourceFile {
    const compiler = typescript();
    const file = compiler.createSourceFile(path, readFileSync(path, 'utf8'), { languageVersion: options.target! });
    Object.assign(file, { path, resolvedPath: path, originalFileName: path, imports: [], moduleAugmentations: [], ambientModuleNames: [] });
    (compiler as unknown as { bindSourceFile: Binder }).bindSourceFile(file, options);
    this.opened.set(path, file);
    return file;
  }

  /** Notes the modules of a file; whether it declares nothing else. */
  private canWait(path: string): boolean {
    const text = readFileSync(path, 'utf8');
    const names = [...text.matchAll(MODULE)].map(([, name]) => name);
    if (names.length === 0 || GLOBAL.test(text)) return false;
    for (const name of names) this.modules.set(name, path);
    return true;
  }
}
