import type * as ts from 'typescript';
import { readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { buildRoot } from '../../../common/packagePaths';
import type { DocumentationOnDemand } from './documentation';
import { boundFile, extendProgram, moduleIn, offerModules } from '../../patches/typescript';
import { GLOBALS_MODULE, NodeDeclarations } from './nodeDeclarations';

type Resolve = (name: string, from: string) => ts.ResolvedModuleFull | undefined;

const ADDS_TO_JOYLAB = /\bdeclare\s+module\s+['"]joylab['"]/;

/** Between the path of a file and the name of the module in it that is meant. */
const MARK = '#';

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
  private readonly node = new NodeDeclarations();
  private readonly folders: string[];
  private readonly joylab = join(buildRoot, 'kernel') + sep;
  private readsJoylab = false;
  /** Programs do not know yet that Joylab's declarations are read. */
  private isNew = false;
  /** Files that the checker has asked for, by path. */
  private readonly opened = new Map<string, ts.SourceFile>();
  /** Programs whose checkers follow the imports of these files. */
  private readonly known = new WeakSet<ts.Program>();
  private isMaking = false;

  constructor(private readonly documentation: DocumentationOnDemand) {
    const undici = dirname(require.resolve('undici-types/package.json', { paths: [this.node.folder] }));
    this.folders = [...[this.node.folder, undici].map((it) => it + sep), this.joylab];
  }

  /** The text of a file where it is another one than on disk. */
  text(path: string): string | undefined {
    return this.node.text(path);
  }

  /** Returns whether the imports of a file are resolved when the checker follows them. */
  isOnDemand(path: string): boolean {
    return this.folders.some((folder) => path.startsWith(folder));
  }

  /**
   * Returns whether an import of a file is resolved when the checker follows it. Not
   * where something adds to joylab's types: a checker looks as it is made for
   * what is added to, before anything makes it follow imports.
   */
  canWait(path: string, name: string): boolean {
    return this.isOnDemand(path) && !(this.readsJoylab && name.startsWith('.') && path.startsWith(this.joylab));
  }

  /** Returns whether the imports of a file have to be resolved again. */
  isOutdated(path: string): boolean {
    return this.isNew && path.startsWith(this.joylab);
  }

  /** Notes a text of the notebook's, before a program is made with it. */
  note(text: string): void {
    if (this.readsJoylab || !ADDS_TO_JOYLAB.test(text)) return;
    this.readsJoylab = true;
    this.isNew = true;
  }

  /** Files that were read for a checker, and are no part of a program. */
  get files(): Iterable<ts.SourceFile> {
    return this.opened.values();
  }

  /** The file of one of Node.js's modules. */
  module(name: string): ts.ResolvedModuleFull | undefined {
    const path = this.node.module(name);
    return path === undefined
      ? undefined
      : { resolvedFileName: path, extension: '.d.ts', isExternalLibraryImport: true };
  }

  /**
   * Lets the checker of a program follow the imports of these files.
   *
   * @param make makes the program, or returns one that it has made before: a
   * program takes over what an earlier one has resolved, and this is not for it
   */
  connected(make: () => ts.Program, resolve: Resolve): ts.Program {
    this.isMaking = true;
    try {
      const { isNew } = this;
      const program = make();
      // Where a file said so while it was made, the next one is made anew.
      if (isNew) this.isNew = false;
      if (!this.known.has(program)) this.connect(program, resolve);
      return program;
    } finally {
      this.isMaking = false;
    }
  }

  private connect(program: ts.Program, resolve: Resolve): void {
    this.known.add(program);
    extendProgram(program, {
      resolve: (name, from) => {
        if (this.isMaking || !this.isOnDemand(from)) return undefined;
        const module = this.module(name);
        return module ? { ...module, resolvedFileName: module.resolvedFileName + MARK + name } : resolve(name, from);
      },
      open: (path) =>
        !this.isMaking && this.isOnDemand(path) ? this.open(path, program.getCompilerOptions()) : undefined,
    });
    offerModules(program.getTypeChecker(), (known) => {
      const own = known.filter((name) => !name.endsWith(GLOBALS_MODULE));
      return [...new Set([...own, ...this.node.moduleNames()])];
    });
  }

  /** A file of declarations; where its path names a module in it, with that module as what it exports. */
  private open(marked: string, options: ts.CompilerOptions): ts.SourceFile {
    const [path, module] = marked.split(MARK);
    const file = this.opened.get(path) ?? this.read(path, options);
    return module === undefined ? file : moduleIn(file, module);
  }

  private read(path: string, options: ts.CompilerOptions): ts.SourceFile {
    const text = this.text(path) ?? readFileSync(path, 'utf8');
    const file = boundFile({ name: path, text, options, jsDocParsingMode: this.documentation.parsingMode });
    this.opened.set(path, file);
    return file;
  }
}
