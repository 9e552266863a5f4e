import type * as ts from 'typescript';
import { statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { buildRoot } from '../../../common/packagePaths';
import { DocumentationOnDemand } from './documentation';
import { DeclarationsOnDemand } from './onDemand';
import { compilerOptions, joylabDeclarations, type Folders } from './options';
import { typescript } from '../typescript';

/** Files that exist in memory only, with a version that grows with each change. */
class VirtualFiles {
  private readonly files = new Map<string, { text: string; version: number }>();

  get(path: string): { text: string; version: number } | undefined {
    return this.files.get(path);
  }

  *texts(): Iterable<string> {
    for (const { text } of this.files.values()) yield text;
  }

  set(path: string, text: string): void {
    const file = this.files.get(path);
    if (file?.text === text) return;
    this.files.set(path, { text, version: (file?.version ?? 0) + 1 });
  }
}

/** Files that do not change while a kernel runs. */
function isFixed(path: string): boolean {
  return path.includes('/node_modules/') || path.startsWith(buildRoot + sep);
}

/**
 * The files that TypeScript's language service reads: cells from memory, all else from
 * disk. Packages are found from the notebook's folder first, then from Joylab's.
 */
export class NotebookFiles implements ts.LanguageServiceHost {
  readonly virtual = new VirtualFiles();
  /** Paths of all cells. While the list stays the same, a change of a cell leaves the rest of the program as it is. */
  cells: string[] = [];
  /** Paths of modules that cells declared with tslab's `@module`. */
  readonly modules = new Set<string>();
  /** Path of the module that adds to joylab's types. */
  readonly additions: string;
  private readonly options: ts.CompilerOptions;
  private readonly packages: ts.ModuleResolutionCache;
  /** Files with an import that was not found: they are asked again where a program is asked for. */
  private readonly unresolved = new Set<string>();
  private asksAgain = false;
  private readonly snapshots = new Map<string, { version: string; snapshot: ts.IScriptSnapshot }>();
  private readonly sys = typescript().sys;
  readonly onDemand: DeclarationsOnDemand;
  readonly documentation: DocumentationOnDemand;

  constructor(private readonly folders: Folders) {
    this.options = compilerOptions(folders);
    this.documentation = new DocumentationOnDemand(
      folders.folder,
      (path) => path.endsWith('.d.ts') && isFixed(path),
      (file) => this.onDemand.declare(file),
    );
    this.onDemand = new DeclarationsOnDemand(this.documentation, this.options);
    this.additions = join(folders.folder, '__types__.ts');
    this.virtual.set(this.additions, '');
    this.packages = typescript().createModuleResolutionCache(folders.folder, (name) => name, this.options);
  }

  /** Without it, the program reads the package.json around each file, each time. */
  getModuleResolutionCache = () => this.packages;
  getCompilationSettings = () => this.options;
  getScriptFileNames = () => [joylabDeclarations(), this.additions, ...this.cells, ...this.modules];
  getCurrentDirectory = () => this.folders.folder;
  getDefaultLibFileName = (options: ts.CompilerOptions) => typescript().getDefaultLibFilePath(options);
  useCaseSensitiveFileNames = () => this.sys.useCaseSensitiveFileNames;
  readDirectory = (...args: Parameters<ts.System['readDirectory']>) => this.sys.readDirectory(...args);
  directoryExists = (path: string) => this.sys.directoryExists(path);
  getDirectories = (path: string) => this.sys.getDirectories(path);
  realpath = (path: string) => (this.virtual.get(path) ? path : this.sys.realpath!(path));
  fileExists = (path: string) =>
    this.virtual.get(path) !== undefined || this.onDemand.text(path) !== undefined || this.sys.fileExists(path);
  readFile = (path: string) => this.virtual.get(path)?.text ?? this.onDemand.text(path) ?? this.sys.readFile(path);
  hasInvalidatedResolutions = (path: string) =>
    this.asksAgain && (this.unresolved.has(path) || this.onDemand.isOutdated(path));

  getScriptVersion(path: string): string {
    const file = this.virtual.get(path);
    if (file) return String(file.version);
    if (isFixed(path)) return '0';
    return String(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 'gone');
  }

  /** Asked for every file of the program after each change. */
  getScriptSnapshot(path: string): ts.IScriptSnapshot | undefined {
    const version = this.getScriptVersion(path);
    const known = this.snapshots.get(path);
    if (known?.version === version) return known.snapshot;
    const text = this.readFile(path);
    if (text === undefined) return undefined;
    if (!isFixed(path)) this.onDemand.note(text);
    const snapshot = typescript().ScriptSnapshot.fromString(text);
    this.snapshots.set(path, { version, snapshot });
    return snapshot;
  }

  resolveModuleNameLiterals(
    literals: readonly ts.StringLiteralLike[],
    containing: string,
    redirect: ts.ResolvedProjectReference | undefined,
    options: ts.CompilerOptions,
    source: ts.SourceFile,
  ): readonly ts.ResolvedModuleWithFailedLookupLocations[] {
    const compiler = typescript();
    const fixed = isFixed(containing);
    this.unresolved.delete(containing);
    return literals.map((literal) => {
      if (this.onDemand.canWait(containing, literal.text)) return { resolvedModule: undefined };
      const mode = compiler.getModeForUsageLocation(source, literal, options);
      const resolve = (from: string) =>
        compiler.resolveModuleName(
          literal.text,
          from,
          options,
          this,
          fixed ? this.packages : undefined,
          redirect,
          mode,
        );
      let found = resolve(containing);
      if (!found.resolvedModule && !fixed && !literal.text.startsWith('.'))
        found = resolve(join(this.folders.packageRoot, 'index.ts'));
      if (!found.resolvedModule && !fixed) this.unresolved.add(containing);
      return found;
    });
  }

  /**
   * A program of these files, whose checker reads declarations when it needs them.
   *
   * @param make makes a program, or returns one that is still up to date
   */
  program(make: () => ts.Program): ts.Program {
    this.asksAgain = true;
    for (const text of this.virtual.texts()) this.onDemand.note(text);
    try {
      return this.onDemand.connected(
        make,
        (name, from) => typescript().resolveModuleName(name, from, this.options, this, this.packages).resolvedModule,
      );
    } finally {
      this.asksAgain = false;
    }
  }

  /** Returns the files of a program, and those that were read for its checker. */
  sources(program: ts.Program): ts.SourceFile[] {
    return [...program.getSourceFiles(), ...this.onDemand.files];
  }

  /** Reads the documentation of a program's declarations, for those who show it. */
  loadDocumentation(program: ts.Program): void {
    this.documentation.load(this.sources(program));
  }

  /** Returns whether a file is the user's: neither a package's nor the kernel's, nor a cell. */
  isLocal(file: ts.SourceFile): boolean {
    return (
      !file.isDeclarationFile &&
      !isFixed(file.fileName) &&
      !this.cells.includes(file.fileName) &&
      file.fileName !== this.additions
    );
  }
}
