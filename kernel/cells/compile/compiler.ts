import type * as ts from 'typescript';
import { join } from 'node:path';
import { inKernel } from '../../common/intrinsics';
import { explain, type Explanation } from './problems/explain';
import { emitCell, PREFIX_LINES } from './emit/emit';
import { NotebookProgram } from './program/notebook';
import { OutputMap, type Place } from './emit/outputMap';
import type { Folders } from './program/options';
import { typescript } from './typescript';
import type { CompletionInfo, Converter, ConvertResult } from '../patches/tslab';

/** The text of a cell on its way through the compiler. */
export interface CellSource {
  /** The name of the cell in errors: "Cell [3]". */
  label: string;
  /** The user's own text. */
  code: string;
  /** Text that is put before the code: lines with imports that it leaves out. */
  preamble: string;
  /** Text that is put after the last line. */
  postamble?: string;
}

/** Something that the compiler says about a cell, or about a file that it imports. */
export interface Problem {
  /** The text it is about: the cell's, or a file's with its path. */
  text: string;
  path: string | null;
  /** Offsets into the text. */
  start: number;
  length: number;
  code: number;
  message: string;
}

/** A compiled cell, kept to trace errors in functions that it declared. */
interface CompiledCell extends CellSource {
  map: OutputMap;
}

/** Stack frames name a cell's script so, followed by its number. */
const SCRIPT = 'joylab-cell-';

/** Compiled cells that are kept: an error in an older one has no place. */
const MAXIMUM_COMPILED = 2000;

const UNUSED = 'The kernel asks the notebook program instead.';

/**
 * The compiler as tslab's executor calls it. It names each cell's script, so
 * that its stack frames can be traced.
 */
export class CellCompiler implements Converter {
  /** Problems of the last cell. */
  private problems: Problem[] = [];
  readonly notebook: NotebookProgram;
  private readonly compiled = new Map<string, CompiledCell>();
  private source: CellSource = { label: '', code: '', preamble: '' };
  private count = 0;
  /** The last cell's text, if it could be compiled. */
  private pending: string | null = null;

  /**
   * @param onConverted called just before the executor runs what was converted
   * @param onModule called with a module that a cell declares with `@module`
   */
  constructor(
    private readonly folders: Folders,
    private readonly onConverted: () => void,
    private readonly onModule: (path: string, text: string) => void,
  ) {
    this.notebook = new NotebookProgram(folders);
  }

  /** Announces the cell that the executor will convert next. */
  begin(source: CellSource): void {
    this.source = source;
    this.problems = [];
    this.pending = null;
  }

  /** Returns the problems of the cell that was converted, and its text, if the notebook is to keep what it declares once it has run. */
  end(): { problems: Problem[]; pending: string | null } {
    return { problems: this.problems, pending: this.pending };
  }

  convert(_previous: string, text: string): ConvertResult {
    return inKernel(() => this.compile(text));
  }

  private compile(text: string): ConvertResult {
    const cell = this.notebook.read(text);
    const { program, file } = cell;
    this.problems = [...this.notebook.diagnostics(cell), ...reexports(file)]
      .flatMap((diagnostic) => explain(program, diagnostic))
      .map((it) => this.problem(it));
    // Problems are reported by us: for tslab it is enough that there are some.
    if (this.problems.length > 0) return { diagnostics: this.problems as never };
    const { output, map, isAsync } = emitCell(program, file, (it) => this.notebook.isCell(it));
    const script = `${SCRIPT}${++this.count}`;
    this.compiled.set(script, { ...this.source, map: new OutputMap(map, PREFIX_LINES) });
    if (this.compiled.size > MAXIMUM_COMPILED) this.compiled.delete(this.compiled.keys().next().value!);
    this.pending = text;
    this.onConverted();
    return { diagnostics: [], hasToplevelAwait: isAsync, output: `${output}\n//# sourceURL=${script}` };
  }

  addModule: Converter['addModule'] = (name, content, meta) => {
    const path = join(this.folders.folder, `${name}${meta?.jsx ? '.tsx' : '.ts'}`);
    this.problems = this.notebook
      .addModule(path, content)
      .flatMap((diagnostic) => explain(this.notebook.service.getProgram()!, diagnostic))
      .map((it) => this.problem(it));
    this.onModule(path, content);
    return this.problems as never;
  };

  complete(): CompletionInfo {
    throw new Error(UNUSED);
  }

  inspect(): never {
    throw new Error(UNUSED);
  }

  close(): void {
    this.notebook.service.dispose();
  }

  /** The cell and the place in it of a position in a script; `null` where it is not a cell's, or not the user's code. */
  trace(script: string, line: number, column: number): (CellSource & Place) | null {
    const cell = this.compiled.get(script);
    const place = cell?.map.find(line, column);
    if (!cell || !place) return null;
    const before = cell.preamble.split('\n');
    const ownLine = place.line - (before.length - 1);
    if (ownLine < 1) return null;
    const shift = ownLine === 1 ? before.at(-1)!.length : 0;
    return { ...cell, line: ownLine, column: Math.max(1, place.column - shift) };
  }

  private problem({ file, start, length, code, message }: Explanation): Problem {
    if (file && !this.notebook.isDraft(file))
      return { text: file.text, path: file.fileName, start, length, code, message };
    const shift = this.source.preamble.length;
    return { text: this.source.code, path: null, start: Math.max(0, start - shift), length, code, message };
  }
}

/** `export … from` in a cell: a notebook is no module that others import. */
function reexports(file: ts.SourceFile): ts.Diagnostic[] {
  const compiler = typescript();
  const messageText = 'A cell cannot export what another module has. Import the names: later cells see them.';
  return file.statements
    .filter((statement) => compiler.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined)
    .map((statement) => ({
      file,
      start: statement.getStart(file),
      length: statement.getWidth(file),
      code: 1474,
      messageText,
      category: compiler.DiagnosticCategory.Error,
    }));
}

/** Returns whether a stack frame's script is a cell. */
export function isCellScript(script: string): boolean {
  return script.startsWith(SCRIPT);
}
