import type * as ts from 'typescript';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { declareIn, replaceSibling, symbolOnDemand } from '../../patches/typescript';
import { globalIndex, globalsIn, libraryFolder, nodeTypes, type GlobalIndex, type Part } from './globalIndex';

/** Between the path of a file and the place in it where a part begins. */
const MARK = '#';

/** Statements of a file, read as one, and what they declare globally. */
interface OpenPart {
  file: ts.SourceFile;
  globals: Map<string, ts.Symbol>;
}

/**
 * Globals and ambient modules, those of the language and of Node.js: each is
 * read when the checker first asks what it is. A cell names few of them, and
 * reading all takes longer than anything else that a start does.
 *
 * #### Notes
 * TypeScript's library and `@types/node` are empty files in programs, one of
 * which has a symbol for each name that they declare, see {@link GlobalIndex};
 * the declarations of a symbol are read as files of their own, which have the
 * statements that belong to it.
 */
export class GlobalsOnDemand {
  /** Folders of the files. */
  readonly folders: readonly string[];
  private readonly index: GlobalIndex;
  private readonly covered: ReadonlySet<string>;
  /** Files that have symbols, by path. */
  private readonly tables = new Map<string, Map<string, ts.Symbol>>();
  /** By their names, as TypeScript escapes them. */
  readonly symbols = new Map<string, ts.Symbol>();
  /** Parts that were read, by path. */
  private readonly opened = new Map<string, OpenPart>();
  private readonly texts = new Map<string, string>();

  /**
   * @param libraries names of library files
   * @param read makes a bound file of a text
   */
  constructor(
    libraries: readonly string[],
    private readonly read: (path: string, text: string) => ts.SourceFile,
  ) {
    this.index = globalIndex(libraries);
    this.covered = new Set(this.index.files.map(({ path }) => path));
    this.folders = [libraryFolder(), dirname(nodeTypes)];
    const first = `${libraryFolder()}/${libraries[0]}`;
    for (const [name, { flags, parts }] of Object.entries(this.index.names)) {
      // Without declarations where a file has changed since it was indexed.
      const read = () => parts.flatMap((part) => this.open(part).globals.get(name) ?? []);
      const symbol = symbolOnDemand(name, flags, read);
      this.symbols.set(name, symbol);
      // A program merges what else it has of the library before what Node.js adds.
      const file = parts.every((part) => !this.origin(part).startsWith(`${libraryFolder()}/`)) ? nodeTypes : first;
      this.tables.set(file, (this.tables.get(file) ?? new Map()).set(name, symbol));
    }
  }

  /** Returns whether programs have nothing of a file but what is read on demand. */
  covers(path: string): boolean {
    return this.covered.has(path);
  }

  /** Returns whether there is an ambient module of this name. */
  hasModule(name: string): boolean {
    return Object.hasOwn(this.index.names, `"${name}"`);
  }

  /** Gives a file that is being taken into a program the symbols that are its. */
  declare(file: ts.SourceFile): void {
    const table = this.tables.get(file.fileName);
    if (table) declareIn(file, table);
  }

  /** Returns a part that was read, by its path. */
  part(path: string): ts.SourceFile | undefined {
    return this.opened.get(path)?.file;
  }

  /** All parts that were read. */
  get files(): ts.SourceFile[] {
    return [...this.opened.values()].map(({ file }) => file);
  }

  private origin([file]: Part): string {
    return this.index.files[file].path;
  }

  private open(part: Part): OpenPart {
    const [, ...places] = part;
    const origin = this.origin(part);
    // Its end says that it has declarations.
    const path = `${origin}${MARK}${places[0]}.d.ts`;
    return this.opened.get(path) ?? this.readPart(origin, path, places);
  }

  private readPart(origin: string, path: string, places: number[]): OpenPart {
    const whole = this.text(origin);
    const starts = places.filter((_, i) => i % 2 === 0);
    const text = starts.map((start, i) => whole.slice(start, places[2 * i + 1])).join('\n');
    const file = this.read(path, text);
    const globals = globalsIn(file);
    for (const [name, declared] of globals) replaceSibling(declared, this.symbols.get(name) ?? declared);
    const part = { file, globals };
    this.opened.set(path, part);
    return part;
  }

  private text(path: string): string {
    const text = this.texts.get(path) ?? readFileSync(path, 'utf8');
    this.texts.set(path, text);
    return text;
  }
}
