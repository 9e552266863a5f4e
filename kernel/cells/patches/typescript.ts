import type * as ts from 'typescript';
import { typescript } from '../compile/typescript';

/*
 * All that the kernel uses of TypeScript and that TypeScript does not declare:
 * no other file reaches into it. A test asks the TypeScript that is installed
 * for each of these names; versions.ts says which versions were tried.
 */

/** A source file with all that TypeScript keeps in it. */
interface InternalFile extends ts.SourceFile {
  path: string;
  resolvedPath: string;
  originalFileName: string;
  /** Its declarations, by name; there once it is bound. */
  locals?: Map<string, ts.Symbol>;
  /** The file as a module. */
  symbol?: ts.Symbol;
  imports?: readonly ts.StringLiteralLike[];
  moduleAugmentations: readonly ts.StringLiteral[];
  ambientModuleNames: readonly string[];
  externalModuleIndicator?: unknown;
  parseDiagnostics: ts.Diagnostic[];
  jsDocParsingMode: ts.JSDocParsingMode;
}

/** A node with documentation. */
type Documented = ts.Node & { jsDoc?: ts.JSDoc[] };

/** A node that declares something. */
type Declaring = ts.Node & { symbol?: InternalSymbol; localSymbol?: { exportSymbol?: ts.Symbol } };

interface InternalSymbol extends ts.Symbol {
  parent?: ts.Symbol;
  /** Of a namespace: whether there is nothing but `const enum` in it. */
  constEnumOnlyModule?: boolean;
}

interface InternalCompiler {
  objectAllocator: { getSymbolConstructor(): new (flags: ts.SymbolFlags, name: ts.__String) => ts.Symbol };
  bindSourceFile(file: ts.SourceFile, options: ts.CompilerOptions): void;
  parseIsolatedJSDocComment(text: string): { jsDoc: ts.JSDoc } | undefined;
}

interface InternalProgram extends ts.Program {
  getResolvedModule(
    file: ts.SourceFile,
    name: string,
    mode: ts.ResolutionMode,
  ): { resolvedModule?: ts.ResolvedModuleFull } | undefined;
}

interface InternalChecker extends ts.TypeChecker {
  resolveName(name: string, location: undefined, meaning: ts.SymbolFlags, excludeGlobals: boolean): ts.Symbol;
  getDiagnostics(file: ts.SourceFile, cancellation: undefined, nodes: ts.Node[] | undefined): ts.Diagnostic[];
  getTypeOnlyAliasDeclaration(symbol: ts.Symbol): ts.Node | undefined;
}

/** The flag of a node that is documented as deprecated. */
const DEPRECATED = 1 << 29;

const internals = (): InternalCompiler => typescript() as unknown as InternalCompiler;
const inside = (file: ts.SourceFile): InternalFile => file as InternalFile;

/** The errors of syntax in a file that belongs to no program. */
export function syntaxErrors(file: ts.SourceFile): readonly ts.Diagnostic[] {
  return inside(file).parseDiagnostics;
}

/** Parses one comment of documentation. */
export function parseDocumentation(comment: string): ts.JSDoc | undefined {
  return internals().parseIsolatedJSDocComment(comment)?.jsDoc;
}

/** A file to be bound outside of any program. */
export interface FileText {
  name: string;
  text: string;
  /** The path from which its imports are resolved; by default its name. */
  path?: string;
  /** Of the program whose checker will see the file. */
  options: ts.CompilerOptions;
  jsDocParsingMode?: ts.JSDocParsingMode;
  /** Reads a file without imports and exports as a module, too. */
  isModule?: boolean;
}

/** Returns a source file beside a program, which the program's checker can see as one of its own. */
export function boundFile({ name, text, path = name, options, jsDocParsingMode, isModule }: FileText): ts.SourceFile {
  const file = typescript().createSourceFile(name, text, {
    languageVersion: options.target!,
    jsDocParsingMode,
    ...(isModule && { setExternalModuleIndicator: (it) => void (inside(it).externalModuleIndicator = true) }),
  });
  Object.assign(file, {
    path,
    resolvedPath: path,
    originalFileName: name,
    imports: [],
    moduleAugmentations: [],
    ambientModuleNames: [],
  } satisfies Partial<InternalFile>);
  internals().bindSourceFile(file, options);
  return file;
}

/** Returns the path from which the imports of a file are resolved. */
export function resolvingPath(file: ts.SourceFile): string {
  return inside(file).path;
}

/** The specifiers that a program has found in one of its files. */
export function importsOf(file: ts.SourceFile): readonly ts.StringLiteralLike[] {
  return inside(file).imports ?? [];
}

/** Returns the declarations at the top level of a bound file, with its exports. */
export function declarationsOf(file: ts.SourceFile): Array<[name: string, symbol: ts.Symbol]> {
  const { locals, symbol } = inside(file);
  return [...(locals ?? []), ...(symbol?.exports ?? [])].map(([name, it]) => [String(name), it]);
}

/** Returns what a name means in a bound file. */
export function declarationIn(file: ts.SourceFile, name: string): ts.Symbol | undefined {
  const { locals, symbol } = inside(file);
  return symbol?.exports?.get(name as ts.__String) ?? locals?.get(name);
}

/** Returns whether a bound file declares a symbol at its top level. */
export function isDeclaredIn(file: ts.SourceFile, declared: ts.Symbol): boolean {
  const { locals, symbol } = inside(file);
  return locals?.get(declared.name) === declared || symbol?.exports?.get(declared.escapedName) === declared;
}

/** Removes a name from what a bound file declares. */
export function hideDeclaration(file: ts.SourceFile, name: string): void {
  const { locals, symbol } = inside(file);
  locals?.delete(name);
  symbol?.exports?.delete(name as ts.__String);
}

/** Makes a file the scope around another: TypeScript looks a name up in a file, then in the file's parent. */
export function setScopeAround(file: ts.SourceFile, scope: ts.SourceFile | undefined): void {
  (file as { parent?: ts.Node }).parent = scope;
}

export function scopeAround(file: ts.SourceFile): ts.SourceFile | undefined {
  return (file as { parent?: ts.Node }).parent as ts.SourceFile | undefined;
}

/** Returns what a statement declares as `declare global`: nothing where it is another one. */
export function blockGlobals(statement: ts.Statement): Array<[name: string, symbol: ts.Symbol]> {
  const compiler = typescript();
  if (!compiler.isModuleDeclaration(statement) || !(statement.flags & compiler.NodeFlags.GlobalAugmentation)) return [];
  const { exports } = (statement as Declaring).symbol!;
  return [...(exports ?? [])].map(([name, it]) => [String(name), it]);
}

/** What of a symbol comes from its declarations. */
const DECLARED = [
  'declarations',
  'valueDeclaration',
  'members',
  'exports',
  'parent',
  'constEnumOnlyModule',
] as const satisfies ReadonlyArray<keyof InternalSymbol>;

/** Reads the declarations of a symbol on demand. */
const READ = Symbol('read');

type SymbolOnDemand = InternalSymbol & { [READ](): ts.Symbol[] };

/**
 * Returns a symbol whose declarations are read when something first asks for
 * them; its name and its flags are known before.
 *
 * @param name as TypeScript escapes it
 * @param read returns the symbols that it stands for, of bound files
 */
export function symbolOnDemand(name: string, flags: ts.SymbolFlags, read: () => ts.Symbol[]): ts.Symbol {
  const symbol = Object.create(onDemandPrototype()) as SymbolOnDemand;
  return Object.assign(symbol, { flags, escapedName: name as ts.__String, id: 0, mergeId: 0, [READ]: read });
}

let prototype: object | null = null;

function onDemandPrototype(): object {
  const field = (name: (typeof DECLARED)[number]): PropertyDescriptor & ThisType<SymbolOnDemand> => ({
    get() {
      readDeclarations(this);
      return this[name];
    },
    set(value) {
      readDeclarations(this);
      Object.assign(this, { [name]: value });
    },
  });
  return (prototype ??= Object.create(internals().objectAllocator.getSymbolConstructor().prototype, {
    ...Object.fromEntries(DECLARED.map((name) => [name, field(name)])),
    // TypeScript's own looks at the declarations: the name may be a private one of a class.
    name: {
      get(this: SymbolOnDemand) {
        return typescript().unescapeLeadingUnderscores(this.escapedName);
      },
    },
  }));
}

function readDeclarations(symbol: SymbolOnDemand): void {
  const value = undefined;
  for (const field of DECLARED)
    Object.defineProperty(symbol, field, { value, writable: true, enumerable: true, configurable: true });
  for (const source of symbol[READ]() as InternalSymbol[]) {
    symbol.parent ??= source.parent;
    takeOver(symbol, source);
  }
}

/** Makes what looks a name up beside a declaration of it find another symbol: one that means more. */
export function replaceSibling(declared: ts.Symbol, symbol: ts.Symbol): void {
  (declared as InternalSymbol).parent?.exports?.set(declared.escapedName, symbol);
}

/** Makes one symbol mean what another one means, too, as the checker does with those of several files. */
function takeOver(target: InternalSymbol, source: InternalSymbol): void {
  const isFirst = target.declarations === undefined;
  target.flags |= source.flags;
  if (isFirst || !source.constEnumOnlyModule) target.constEnumOnlyModule = source.constEnumOnlyModule;
  for (const declaration of (source.declarations ?? []) as Declaring[]) {
    declaration.symbol = target;
    if (declaration.localSymbol?.exportSymbol === source) declaration.localSymbol.exportSymbol = target;
  }
  target.declarations = [...(target.declarations ?? []), ...(source.declarations ?? [])];
  const { valueDeclaration } = target;
  // A value of its own comes before a namespace.
  if (!valueDeclaration || (typescript().isModuleDeclaration(valueDeclaration) && source.valueDeclaration))
    target.valueDeclaration = source.valueDeclaration;
  for (const table of ['members', 'exports'] as const) {
    if (!source[table]) continue;
    const members: ts.SymbolTable = (target[table] ??= new Map());
    for (const [name, symbol] of source[table]) takeMember(members, name, symbol, target);
  }
}

function takeMember(table: ts.SymbolTable, name: ts.__String, symbol: InternalSymbol, parent: ts.Symbol): void {
  const known = table.get(name);
  if (known) return takeOver(known, symbol);
  symbol.parent = parent;
  table.set(name, symbol);
}

/** Makes a file that is not bound one that declares these symbols. */
export function declareIn(file: ts.SourceFile, symbols: ReadonlyMap<string, ts.Symbol>): void {
  inside(file).locals = new Map(symbols);
}

/** Files for a program's checker that the program does not have; `undefined`: they are not there either. */
export interface Declarations {
  resolve(name: string, from: string): ts.ResolvedModuleFull | undefined;
  open(path: string): ts.SourceFile | undefined;
}

/** Lets the checker of a program see files that are no part of the program. */
export function extendProgram(program: ts.Program, { resolve, open }: Declarations): void {
  const extended = program as InternalProgram;
  const { getResolvedModule, getSourceFile } = extended;
  extended.getResolvedModule = (file, name, mode) => {
    const found = getResolvedModule(file, name, mode);
    const resolvedModule = found?.resolvedModule ?? resolve(name, file.fileName);
    return resolvedModule ? { ...found, resolvedModule } : found;
  };
  extended.getSourceFile = (path) => getSourceFile(path) ?? open(path);
}

/**
 * Lets a checker do without the declarations of all symbols on demand where it
 * looks at each: for the properties of `globalThis`, and for a name that is
 * like one that does not exist.
 */
export function spareDeclarations(checker: ts.TypeChecker, symbols: Iterable<ts.Symbol>): void {
  const { BlockScopedVariable, FunctionScopedVariable, Module, ValueModule } = typescript().SymbolFlags;
  const globalThis = (checker as InternalChecker).resolveName('globalThis', undefined, Module, false);
  const globals = globalThis.exports!;
  const value = () => Array.from(Map.prototype.values.call(globals), nameAlone).values();
  // Cells may have frozen what maps have.
  Object.defineProperty(globals, 'values', { value });
  // Ambient modules are no properties, namespaces are. So are other kinds of symbols, whose declarations are not looked at.
  const modules = [...symbols]
    .filter(({ flags }) => flags & ValueModule)
    .map((symbol) => [symbol, symbol.flags] as const);
  for (const [symbol] of modules)
    symbol.flags = String(symbol.escapedName).startsWith('"') ? BlockScopedVariable : FunctionScopedVariable;
  try {
    checker.getPropertiesOfType(checker.getTypeOfSymbol(globalThis));
  } finally {
    for (const [symbol, flags] of modules) symbol.flags = flags;
  }
}

/** Returns a symbol with the name and the flags of one whose declarations were not read. */
function nameAlone(symbol: ts.Symbol): ts.Symbol {
  const { flags, escapedName } = symbol;
  const { getSymbolConstructor } = internals().objectAllocator;
  return Object.hasOwn(symbol, 'declarations') ? symbol : new (getSymbolConstructor())(flags, escapedName);
}

/** Leaves some names out of those in scope that a checker tells. */
export function limitNames(checker: ts.TypeChecker, isWanted: (name: string) => boolean): void {
  const { getSymbolsInScope } = checker;
  checker.getSymbolsInScope = (location, meaning) =>
    getSymbolsInScope(location, meaning).filter(({ escapedName }) =>
      isWanted(typescript().unescapeLeadingUnderscores(escapedName)),
    );
}

/** Returns whether a file was read without its documentation. */
export function isUndocumented(file: ts.SourceFile): boolean {
  return inside(file).jsDocParsingMode === typescript().JSDocParsingMode.ParseNone;
}

/** Copies the documentation in a text from one reading of it to another. */
export function copyDocumentation(from: Documented, to: Documented): void {
  const compiler = typescript();
  for (const comment of from.jsDoc ?? []) {
    Object.assign(comment, { parent: to });
    (to.jsDoc ??= []).push(comment);
  }
  Object.assign(to, { flags: to.flags | (from.flags & DEPRECATED) });
  const children: ts.Node[] = [];
  compiler.forEachChild(to, (child) => void children.push(child));
  let i = 0;
  compiler.forEachChild(from, (child) => copyDocumentation(child, children[i++]));
}

/** Checks some statements of a file; all of them where none are given. */
export function checkStatements(
  checker: ts.TypeChecker,
  file: ts.SourceFile,
  statements: ts.Node[] | undefined,
): ts.Diagnostic[] {
  return (checker as InternalChecker).getDiagnostics(file, undefined, statements);
}

/** Runs `work` while a type has one of its signatures only. `signatures`: the array in which its checker keeps them. */
export function withOnly<T>(signatures: ts.Signature[], one: ts.Signature, work: () => T): T {
  const all = signatures.splice(0, signatures.length, one);
  try {
    return work();
  } finally {
    signatures.splice(0, signatures.length, ...all);
  }
}

/** Returns whether a name was imported from an `export type { … }`. */
export function isTypeOnly(checker: ts.TypeChecker, symbol: ts.Symbol): boolean {
  return (checker as InternalChecker).getTypeOnlyAliasDeclaration(symbol) !== undefined;
}
