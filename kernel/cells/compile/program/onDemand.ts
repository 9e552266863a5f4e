import type * as ts from 'typescript';
import { readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { buildRoot } from '../../../common/packagePaths';
import type { DocumentationOnDemand } from './documentation';
import { boundFile, extendProgram, limitNames, spareDeclarations } from '../../patches/typescript';
import { nodeTypes } from './globalIndex';
import { GlobalsOnDemand } from './globals';

type Resolve = (name: string, from: string) => ts.ResolvedModuleFull | undefined;

const ADDS_TO_JOYLAB = /\bdeclare\s+module\s+['"]joylab['"]/;

/**
 * Declarations that are read when the checker first asks for them: globals,
 * the modules of Node.js, and Joylab's. TypeScript reads whatever a file
 * imports, and what that imports; a cell needs a small part of it.
 *
 * #### Notes
 * The imports of these files are not resolved as the program is made (see
 * `resolveModuleNameLiterals` of {@link NotebookFiles}) but as the checker
 * follows them, which it does only for what a cell names.
 */
export class DeclarationsOnDemand {
  private readonly globals: GlobalsOnDemand;
  private readonly folders: string[];
  private readonly joylab = folderOf(join(buildRoot, 'kernel'));
  private readsJoylab = false;
  /** Programs do not know yet that Joylab's declarations are read. */
  private isNew = false;
  /** Files that the checker has asked for, by path. */
  private readonly opened = new Map<string, ts.SourceFile>();
  /** Programs whose checkers follow the imports of these files. */
  private readonly known = new WeakSet<ts.Program>();
  private isMaking = false;
  /** A part of the names, in lower case, that are asked for. */
  private wanted = '';

  constructor(
    private readonly documentation: DocumentationOnDemand,
    private readonly options: ts.CompilerOptions,
  ) {
    this.globals = new GlobalsOnDemand(options.lib!, (path, text) => this.read(path, text));
    const undici = dirname(require.resolve('undici-types/package.json', { paths: [nodeTypes] }));
    this.folders = [...[...this.globals.folders, undici].map(folderOf), this.joylab];
  }

  /** The text of a file where it is another one than on disk. */
  text(path: string): string | undefined {
    return this.globals.covers(path) ? '' : undefined;
  }

  /** Gives a file that is being taken into a program what it declares on demand. */
  declare(file: ts.SourceFile): void {
    this.globals.declare(file);
  }

  /** Returns whether the imports of a file are resolved when the checker follows them. */
  isOnDemand(path: string): boolean {
    return this.folders.some((folder) => path.startsWith(folder));
  }

  /**
   * Returns whether an import is resolved when the checker follows it. Not
   * where something adds to joylab's types: a checker looks as it is made for
   * what is added to, before anything makes it follow imports.
   */
  canWait(path: string, name: string): boolean {
    if (this.globals.hasModule(name)) return true;
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
  get files(): ts.SourceFile[] {
    return [...this.opened.values(), ...this.globals.files];
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

  /** Runs `work` with names in scope alone that contain a text: TypeScript looks at the declarations of each. */
  withNames<T>(part: string, work: () => T): T {
    this.wanted = part.toLowerCase();
    try {
      return work();
    } finally {
      this.wanted = '';
    }
  }

  private connect(program: ts.Program, resolve: Resolve): void {
    this.known.add(program);
    extendProgram(program, {
      resolve: (name, from) => (this.isMaking || !this.isOnDemand(from) ? undefined : resolve(name, from)),
      open: (path) => (this.isMaking || !this.isOnDemand(path) ? undefined : this.open(path)),
    });
    const checker = program.getTypeChecker();
    spareDeclarations(checker, this.globals.symbols.values());
    limitNames(
      checker,
      // Ambient modules are no names that can be written.
      (name) => !name.startsWith('"') && name.toLowerCase().includes(this.wanted),
    );
  }

  private open(path: string): ts.SourceFile {
    const known = this.globals.part(path) ?? this.opened.get(path);
    if (known) return known;
    const file = this.read(path, readFileSync(path, 'utf8'));
    this.opened.set(path, file);
    return file;
  }

  private read(name: string, text: string): ts.SourceFile {
    return boundFile({ name, text, options: this.options, jsDocParsingMode: this.documentation.parsingMode });
  }
}

/** Returns what the paths of a folder's files begin with, as TypeScript writes them. */
function folderOf(path: string): string {
  return `${path}${sep}`.replaceAll(sep, '/');
}
