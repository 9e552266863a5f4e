import type * as ts from 'typescript';
import { statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { CacheEntry } from '../../../common/cache';
import { blockGlobals, boundFile, declarationsOf } from '../../patches/typescript';
import { typescript } from '../typescript';

/** Of the form of an index: another number, and nothing of before is used. */
const EDITION = 2;

/** An ambient module and what is in it, which nobody has to read for an index: the files are formatted. */
const MODULE = /^(declare module ["'][^"']+["'] \{\n)([^]*?)^\}$/gm;
const DECLARES_GLOBALS = /^\s+global \{$/m;

/** A file, as it was when it was read. */
interface IndexedFile {
  path: string;
  size: number;
  changed: number;
}

/** Statements of a file that are read together: the number of the file, then where each of them begins and ends. */
export type Part = [file: number, ...places: number[]];

/** What a name means outside of modules. */
export interface IndexedName {
  flags: ts.SymbolFlags;
  parts: Part[];
}

/** Where the globals and the ambient modules of TypeScript's library and of `@types/node` are declared. */
export interface GlobalIndex {
  files: IndexedFile[];
  names: Record<string, IndexedName>;
}

/** The file of `@types/node` that refers to all others, as TypeScript writes its path. */
export const nodeTypes = join(dirname(require.resolve('@types/node/package.json')), 'index.d.ts').replaceAll(sep, '/');

/** Returns the folder of TypeScript's library, as TypeScript writes its path. */
export function libraryFolder(): string {
  return dirname(typescript().getDefaultLibFilePath({}));
}

/**
 * Returns the index that an earlier process has made, else makes it, for which
 * all files are read once.
 *
 * @param libraries names of library files: `lib.es2023.d.ts`
 */
export function globalIndex(libraries: readonly string[]): GlobalIndex {
  const entry = new CacheEntry('declarations', [EDITION, typescript().version, libraryFolder(), nodeTypes, libraries]);
  const kept = entry.read();
  const known = kept && (JSON.parse(kept.toString()) as GlobalIndex);
  if (known?.files.every(isUnchanged)) return known;
  const made = makeIndex(libraries);
  entry.write(JSON.stringify(made));
  return made;
}

function isUnchanged({ path, size, changed }: IndexedFile): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.size === size && stats.mtimeMs === changed;
}

function makeIndex(libraries: readonly string[]): GlobalIndex {
  const sources = readAll(libraries);
  const names = new Map<string, IndexedName>();
  // As TypeScript merges them: what modules declare globally comes last.
  for (const find of [topLevel, inModules]) {
    for (const [i, source] of sources.entries()) {
      for (const { name, flags, statements } of find(source)) {
        const known: IndexedName = names.get(name) ?? { flags: 0, parts: [] };
        names.set(name, known);
        known.flags |= flags;
        const places = statements.flatMap(({ pos, end }) => [pos, end]);
        known.parts.push([i, ...places]);
      }
    }
  }
  return { files: sources.map(({ fileName }) => fileNow(fileName)), names: Object.fromEntries(names) };
}

function fileNow(path: string): IndexedFile {
  const { size, mtimeMs } = statSync(path);
  return { path, size, changed: mtimeMs };
}

/** Returns all files, in the order in which their declarations are merged, and bound. */
function readAll(libraries: readonly string[]): readonly ts.SourceFile[] {
  const compiler = typescript();
  const options: ts.CompilerOptions = { lib: [...libraries], types: [], libReplacement: false };
  const host = compiler.createCompilerHost(options);
  const { ParseNone } = compiler.JSDocParsingMode;
  host.getSourceFile = (name) => {
    const text = host
      .readFile(name)
      ?.replace(MODULE, (all, head: string, body: string) =>
        DECLARES_GLOBALS.test(body) ? all : `${head}${' '.repeat(body.length)}}`,
      );
    return text === undefined ? undefined : boundFile({ name, text, options, jsDocParsingMode: ParseNone });
  };
  // References are followed alone: what is imported is no global.
  return compiler.createProgram([nodeTypes], options, host).getSourceFiles();
}

/** A name, and statements that declare it and are read together. */
interface Found {
  name: string;
  flags: ts.SymbolFlags;
  statements: ts.TextRange[];
}

function topLevel(file: ts.SourceFile): Found[] {
  if (typescript().isExternalModule(file)) return [];
  return declarationsOf(file).flatMap(([name, { flags, declarations }]) => {
    const statements = [...new Set(declarations!.map(statementAround))];
    // An ambient module is read alone: what it declares globally names it, too.
    return name.startsWith('"')
      ? statements.map((it) => ({ name, flags, statements: [it] }))
      : [{ name, flags, statements }];
  });
}

function inModules(file: ts.SourceFile): Found[] {
  // What a module declares globally means what is beside it: the module is read as a whole.
  const found = (symbols: Map<string, ts.Symbol>, whole: ts.TextRange): Found[] =>
    [...symbols].map(([name, { flags }]) => ({ name, flags, statements: [whole] }));
  if (typescript().isExternalModule(file)) return found(globalsIn(file), { pos: 0, end: file.text.length });
  return file.statements.flatMap((statement) => found(ambientGlobals(statement), statement));
}

/** Returns what an ambient module declares globally. */
function ambientGlobals(statement: ts.Statement): Map<string, ts.Symbol> {
  const compiler = typescript();
  if (!compiler.isModuleDeclaration(statement) || !statement.body || !compiler.isModuleBlock(statement.body))
    return new Map();
  return new Map(statement.body.statements.flatMap(blockGlobals));
}

/** Returns the statement at the top level that contains a node. */
function statementAround(node: ts.Node): ts.Node {
  return typescript().isSourceFile(node.parent) ? node : statementAround(node.parent);
}

/** Returns what a bound file that is a {@link Part} of another declares globally. */
export function globalsIn(file: ts.SourceFile): Map<string, ts.Symbol> {
  if (typescript().isExternalModule(file)) return new Map(file.statements.flatMap(blockGlobals));
  return new Map([...declarationsOf(file), ...file.statements.flatMap((it) => [...ambientGlobals(it)])]);
}
