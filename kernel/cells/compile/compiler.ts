import type { CompletionInfo, Converter, ConvertResult, Diagnostic } from 'tslab/dist/converter';
import type * as ts from '@tslab/typescript-for-tslab';
import { awaitsAtTopLevel } from './await';
import { mergeDeclarations } from './declarations';
import type { OutputMap, Place } from './outputMap';
import type { CellConverter } from './typescript';

/** The text of a cell on its way through the compiler. */
export interface CellSource {
  /** How errors name the cell: "Cell [3]". */
  label: string;
  /** What the user wrote. */
  code: string;
  /** Text that is put before the first line: imports that the cell leaves out. */
  preamble: string;
}

/** A compiled cell, kept to trace errors in functions that it declared. */
interface CompiledCell extends CellSource {
  map: OutputMap;
}

/** Stack frames name a cell's script so, followed by its number. */
const SCRIPT = 'joylab-cell-';

/**
 * What stands between tslab's executor and its converter: it keeps the
 * declarations of earlier cells, so that those of a failed cell survive, and
 * names each cell's script, so that its stack frames can be traced.
 */
export class CellCompiler implements Converter {
  /** Declarations of the cells so far, as TypeScript declares them. */
  declarations = '';
  /** Problems that the type checker found in the last cell. */
  diagnostics: Diagnostic[] = [];
  /** Declarations after the last cell, if it runs to its end. */
  private pending = '';
  private readonly compiled = new Map<string, CompiledCell>();
  private source: CellSource = { label: '', code: '', preamble: '' };
  private count = 0;

  /** @param onConverted Called just before the executor runs what was converted. */
  constructor(
    private readonly converter: CellConverter,
    private readonly onConverted: () => void,
  ) {}

  /** Announces the cell that the executor will convert next. */
  begin(source: CellSource): void {
    this.source = source;
    this.diagnostics = [];
    this.pending = this.declarations;
  }

  /** Keeps what the last cell declared. */
  commit(): void {
    this.declarations = this.pending;
  }

  /** Keeps what the last cell declared before it failed. */
  commitAssigned(isAssigned: (name: string) => boolean): void {
    this.declarations = mergeDeclarations(this.declarations, this.pending, isAssigned);
  }

  convert(_previous: string, text: string): ConvertResult {
    const result = this.converter.convert(this.declarations, text);
    this.diagnostics = result.diagnostics.map((diagnostic) => this.withoutPreamble(diagnostic));
    if (result.diagnostics.length > 0) return result;
    this.pending = result.declOutput ?? '';
    if (!result.output) return result;
    const script = `${SCRIPT}${++this.count}`;
    const map = this.converter.outputMap();
    if (map) this.compiled.set(script, { ...this.source, map });
    const hasToplevelAwait = result.hasToplevelAwait || awaitsAtTopLevel(text);
    this.onConverted();
    return { ...result, hasToplevelAwait, output: `${keepOldValues(result.output)}\n//# sourceURL=${script}` };
  }

  complete(_previous: string, code: string, position: number): CompletionInfo {
    return this.converter.complete(this.declarations, code, position);
  }

  inspect(_previous: string, code: string, position: number): ts.QuickInfo {
    return this.converter.inspect(this.declarations, code, position);
  }

  addModule: Converter['addModule'] = (name, content, meta) => this.converter.addModule(name, content, meta);

  close(): void {
    this.converter.close();
  }

  /** The cell and the place in it of a position in a script; `null` where it is not a cell's, or not the user's code. */
  trace(script: string, line: number, column: number): (CellSource & Place) | null {
    const cell = this.compiled.get(script);
    const place = cell?.map.find(line, column);
    if (!cell || !place) return null;
    const shift = place.line === 1 ? cell.preamble.length : 0;
    return { ...cell, line: place.line, column: Math.max(1, place.column - shift) };
  }

  private withoutPreamble(diagnostic: Diagnostic): Diagnostic {
    const shift = (position: Diagnostic['start']): Diagnostic['start'] =>
      position.line > 0 ? position : { ...position, character: Math.max(0, position.character - this.source.preamble.length) };
    return diagnostic.fileName ? diagnostic : { ...diagnostic, start: shift(diagnostic.start), end: shift(diagnostic.end) };
  }
}

/** Whether a stack frame's script is a cell. */
export function isCellScript(script: string): boolean {
  return script.startsWith(SCRIPT);
}

/** TypeScript first sets every exported name to undefined: a cell that fails would lose the values of earlier ones. */
function keepOldValues(output: string): string {
  return output.replace(/^(exports\.[\p{ID_Continue}$]+ = )+void 0;$/mu, '');
}
