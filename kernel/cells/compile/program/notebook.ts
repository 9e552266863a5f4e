import type * as ts from 'typescript';
import { join } from 'node:path';
import { neededCells, type ChainCell } from './chain';
import { NotebookFiles } from './files';
import { declarationIn, declarationsOf, hideDeclaration, importsOf, setScopeAround } from '../../patches/typescript';
import { guestFile, reachesOut } from './guest';
import { isValueImport } from '../emit/imports';
import { jsxProblem } from '../problems/jsx';
import type { Folders } from './options';
import { typescript } from '../typescript';

/** A cell that stays in the program, because it declared something. */
interface KeptCell extends ChainCell {
  path: string;
  /** Names that the cell declared and never assigned, because it failed. */
  hidden: ReadonlySet<string>;
}

/** A cell in a program that can check and emit it. */
export interface OpenCell {
  program: ts.Program;
  file: ts.SourceFile;
}

/** Places for cells that are made at once. */
const PLACES = 64;
/** Cells that one program checks as its guests: its checker remembers each. */
const MAXIMUM_GUESTS = 200;
/** Numbers of guests begin here: cells that are kept have smaller ones. */
const GUEST_NUMBERS = 1_000_000;

/**
 * The notebook as TypeScript sees it: each cell is a module, and the scope
 * around a module is the cell before it. So a name means what the newest cell
 * that declares it says, with its type, documentation and overloads; and a
 * cell may declare a name again, as another type.
 *
 * #### Notes
 * TypeScript looks a name up in a source file, then in the scope around the
 * file: setting that one is all that it takes. tslab's compiler does the same
 * with one file of declarations.
 */
export class NotebookProgram {
  readonly service: ts.LanguageService;
  /** Path of the cell that is being compiled or edited. */
  readonly draft: string;
  private readonly files: NotebookFiles;
  private kept: KeptCell[] = [];
  private linked: ts.Program | null = null;
  /** The cell that was compiled last, if the program did without it, and how many there were. */
  private guest: OpenCell | null = null;
  private guests = 0;
  /** Local files without problems: path and version. */
  private readonly sound = new Map<string, string>();

  constructor(folders: Folders) {
    this.files = new NotebookFiles(folders);
    this.draft = join(folders.folder, '__cell__.ts');
    this.files.virtual.set(this.draft, '');
    this.addPlaces(folders.folder);
    this.service = typescript().createLanguageService(this.files, this.files.documentation.registry);
  }

  /** Makes `text` the draft; returns the program and the draft's file in it. */
  open(text: string): OpenCell {
    this.files.virtual.set(this.draft, text);
    const program = this.link();
    return { program, file: program.getSourceFile(this.draft)! };
  }

  /** Opens `text` to be edited: with the documentation of what it names. */
  edit(text: string): void {
    this.files.loadDocumentation(this.open(text).program);
  }

  /**
   * Returns what can stand at a position of the draft.
   *
   * @param part names without it may be missing
   */
  completions(position: number, part: string): ts.CompletionInfo | undefined {
    const options = { includeCompletionsWithInsertText: true, includeCompletionsForImportStatements: false };
    return this.files.onDemand.withNames(part, () =>
      this.service.getCompletionsAtPosition(this.draft, position, options),
    );
  }

  /** Opens `text` to be compiled: where it can be, as a guest of the program that is there. */
  read(text: string): OpenCell {
    this.guest = null;
    if (reachesOut(text)) return this.open(text);
    const last = this.files.virtual.get(this.draft)!.text;
    // Another draft makes another program, without what the last one declared and without its guests.
    if (reachesOut(last) || this.guests >= MAXIMUM_GUESTS) this.files.virtual.set(this.draft, last === '' ? ';' : '');
    const program = this.link();
    const path = join(this.draft, '..', `__cell_${GUEST_NUMBERS + ++this.guests}__.ts`);
    const file = guestFile(program, path, text);
    setScopeAround(file, this.newest(program));
    return (this.guest = { program, file });
  }

  /** All files that were read, with declarations on demand. */
  get sources(): ts.SourceFile[] {
    return this.files.sources(this.link());
  }

  /** Does beforehand what the next cell would wait for. */
  prepare(): void {
    this.link();
  }

  /**
   * Keeps a cell as the newest one.
   *
   * @param holds whether a value that it declares was assigned
   */
  keep(text: string, holds: (name: string) => boolean): void {
    const { program, file } = this.guest?.file.text === text ? this.guest : this.open(text);
    const names = declaredKeys(file, program.getTypeChecker());
    const hidden = new Set(
      [...names].filter((key) => key.startsWith('v:') && !holds(key.slice(2))).map((key) => key.slice(2)),
    );
    const declares = new Set([...names].filter((key) => !hidden.has(key.slice(2))));
    if (declares.size > 0) this.append(file.text, { hidden, declares, mentions: mentions(file) });
  }

  /** Keeps a text that declares a value and a namespace of this name, and nothing else. */
  redeclare(name: string, text: string): void {
    this.append(text, { hidden: new Set(), declares: new Set([`v:${name}`, `t:${name}`]), mentions: new Set() });
  }

  /** Replaces what the notebook adds to joylab's types: the text of a module. */
  addTypes(text: string): void {
    this.files.virtual.set(this.files.additions, text);
  }

  /** A class that the newest cell declares which declares the name, and a checker to which `null` is a type of its own. */
  findClass(name: string): { checker: ts.TypeChecker; symbol: ts.Symbol } | null {
    const { symbol } = this.find(name) ?? {};
    if (!symbol || !(symbol.flags & typescript().SymbolFlags.Class)) return null;
    return { symbol, checker: this.nullChecker() };
  }

  /**
   * A checker with `strictNullChecks`, whether cells are checked so or not:
   * without, `number | null` is `number`. Files are those of the program, so
   * that cells keep the scope around them.
   */
  private nullChecker(): ts.TypeChecker {
    const compiler = typescript();
    const program = this.link();
    const options = program.getCompilerOptions();
    if (options.strictNullChecks ?? options.strict) return program.getTypeChecker();
    const { files } = this;
    const host: ts.CompilerHost = {
      ...compiler.createCompilerHost(options),
      getSourceFile: (path) => program.getSourceFile(path),
      fileExists: files.fileExists,
      readFile: files.readFile,
      resolveModuleNameLiterals: (literals, containing, redirect, own, source) =>
        files.resolveModuleNameLiterals(literals, containing, redirect, own, source),
    };
    const strict = {
      rootNames: program.getRootFileNames(),
      options: { ...options, strictNullChecks: true },
      host,
      oldProgram: program,
    };
    return files.program(() => compiler.createProgram(strict)).getTypeChecker();
  }

  /** The class of a variable that no cell assigns again, with its type arguments: "Map<string, any>". */
  constantType(name: string): string | null {
    const { symbol, checker } = this.find(name) ?? {};
    const declaration = symbol?.valueDeclaration;
    if (!symbol || !checker || !declaration || this.isLet(declaration)) return null;
    const type = checker.getTypeOfSymbol(symbol);
    const { target } = type as ts.TypeReference;
    const args = target
      ? checker.getTypeArguments(type as ts.TypeReference).slice(0, target.typeParameters?.length)
      : [];
    return `${type.symbol?.name}<${args.map((it) => checker.typeToString(it)).join(', ')}>`;
  }

  private isLet(declaration: ts.Declaration): boolean {
    const { NodeFlags, getCombinedNodeFlags } = typescript();
    return (getCombinedNodeFlags(declaration) & NodeFlags.BlockScoped) === NodeFlags.Let;
  }

  /** Returns what a name means in the newest cell that declares it. */
  private find(name: string): { checker: ts.TypeChecker; symbol: ts.Symbol } | null {
    const program = this.link();
    const checker = program.getTypeChecker();
    for (const { path } of [...this.kept].reverse()) {
      const symbol = declarationIn(program.getSourceFile(path)!, name);
      if (symbol) return { checker, symbol };
    }
    return null;
  }

  /** Makes a text the newest cell. */
  private append(text: string, cell: Omit<KeptCell, 'path'>): void {
    const path = this.freePlace();
    this.files.virtual.set(path, text);
    this.files.virtual.set(this.draft, '');
    const kept = neededCells([...this.kept, { path, ...cell }]);
    for (const it of this.kept) if (!kept.includes(it)) this.files.virtual.set(it.path, '');
    this.kept = kept;
    this.linked = null;
  }

  /** Names of values and types that cells have declared. */
  names(): Set<string> {
    return new Set(this.kept.flatMap(({ declares }) => [...declares].map((key) => key.slice(2))));
  }

  /** Makes a module that cells import as `./name`. */
  addModule(path: string, text: string): ts.Diagnostic[] {
    this.files.virtual.set(path, text);
    this.files.modules.add(path);
    const program = this.link();
    return fileDiagnostics(program, program.getSourceFile(path)!);
  }

  /** The problems of a cell, and of local files that it imports and that changed since they were found sound. */
  diagnostics({ program, file: cell }: OpenCell): ts.Diagnostic[] {
    const local = this.localImports(program, cell).filter(
      ({ fileName }) => this.sound.get(fileName) !== this.files.getScriptVersion(fileName),
    );
    const found = local.flatMap((file) => {
      const problems = fileDiagnostics(program, file);
      if (problems.length === 0) this.sound.set(file.fileName, this.files.getScriptVersion(file.fileName));
      return problems;
    });
    return [...fileDiagnostics(program, cell), ...found];
  }

  /** Returns whether a file is the cell that is being compiled or edited. */
  isDraft(file: ts.SourceFile): boolean {
    return file.fileName === this.draft || file === this.guest?.file;
  }

  /** Returns whether a file is a cell: the draft or an earlier one. */
  isCell(file: ts.SourceFile): boolean {
    return this.isDraft(file) || this.kept.some(({ path }) => path === file.fileName);
  }

  /** The program, each cell with the one before it as its scope. */
  private link(): ts.Program {
    const program = this.files.program(() => this.service.getProgram()!);
    if (program === this.linked) return program;
    // The checker binds all files as it is made.
    program.getTypeChecker();
    let before: ts.SourceFile | undefined;
    for (const { path, hidden } of this.kept) {
      const file = program.getSourceFile(path)!;
      for (const name of hidden) hideDeclaration(file, name);
      setScopeAround(file, before);
      before = file;
    }
    setScopeAround(program.getSourceFile(this.draft)!, before);
    this.guests = 0;
    return (this.linked = program);
  }

  /** The newest cell that is kept. */
  private newest(program: ts.Program): ts.SourceFile | undefined {
    const last = this.kept.at(-1);
    return last && program.getSourceFile(last.path);
  }

  private localImports(program: ts.Program, file: ts.SourceFile): ts.SourceFile[] {
    const found = new Set([file]);
    const checker = program.getTypeChecker();
    for (const next of found) {
      for (const specifier of importsOf(next)) {
        const module = checker.getSymbolAtLocation(specifier)?.declarations?.find(typescript().isSourceFile);
        if (module && this.files.isLocal(module)) found.add(module);
      }
    }
    return [...found].slice(1);
  }

  private freePlace(): string {
    const used = new Set(this.kept.map(({ path }) => path));
    const isFree = (path: string) =>
      path !== this.draft && this.files.virtual.get(path)!.text === '' && !used.has(path);
    const free = this.files.cells.find(isFree);
    if (free) return free;
    this.addPlaces(join(this.draft, '..'));
    return this.files.cells.find(isFree)!;
  }

  private addPlaces(folder: string): void {
    const first = this.files.cells.length;
    const places = Array.from({ length: PLACES }, (_, i) => join(folder, `__cell_${first + i}__.ts`));
    for (const path of places) this.files.virtual.set(path, '');
    this.files.cells = [...this.files.cells.filter((path) => path !== this.draft), ...places, this.draft];
  }
}

/** Problems of one file; while there are errors of syntax, those alone. */
function fileDiagnostics(program: ts.Program, file: ts.SourceFile): ts.Diagnostic[] {
  const syntactic = program.getSyntacticDiagnostics(file);
  const jsx = syntactic.length > 0 ? jsxProblem(file) : null;
  if (jsx) return [jsx];
  return syntactic.length > 0 ? [...syntactic] : [...program.getSemanticDiagnostics(file)];
}

/** Returns what a file declares, see {@link ChainCell}. */
function declaredKeys(file: ts.SourceFile, checker: ts.TypeChecker): Set<string> {
  const { SymbolFlags } = typescript();
  const keys = new Set<string>();
  const add = (name: string, symbol: ts.Symbol): void => {
    const { flags } = symbol;
    if (flags & (SymbolFlags.Value | SymbolFlags.ExportValue) || isValueImport(checker, symbol)) keys.add(`v:${name}`);
    if (flags & (SymbolFlags.Type | SymbolFlags.Namespace | SymbolFlags.Alias)) keys.add(`t:${name}`);
  };
  for (const [name, symbol] of declarationsOf(file)) add(name, symbol);
  for (const name of globalNames(file)) keys.add(`g:${name}`);
  return keys;
}

/** Names that a file declares in `declare global` and `declare module "…"`. */
function globalNames(file: ts.SourceFile): string[] {
  const compiler = typescript();
  return file.statements.filter(compiler.isModuleDeclaration).flatMap(({ name, body }) => {
    if (compiler.isStringLiteral(name)) return [`"${name.text}"`];
    if (name.text !== 'global' || !body || !compiler.isModuleBlock(body)) return [];
    return body.statements.map((statement) => statement.getText(file).slice(0, 80));
  });
}

function mentions(file: ts.SourceFile): Set<string> {
  const compiler = typescript();
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (compiler.isIdentifier(node)) names.add(node.text);
    compiler.forEachChild(node, visit);
  };
  visit(file);
  return names;
}
