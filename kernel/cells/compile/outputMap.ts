import { SourceMap, type SourceMapPayload } from 'node:module';

/** A place in a cell. Line and column count from 1. */
export interface Place {
  line: number;
  column: number;
}

/** tslab puts this many lines before a cell's text. */
const PREFIX_LINES = 1;

/**
 * Maps the JavaScript of a cell to its TypeScript. It is made in two steps,
 * TypeScript → ES module → CommonJS, each with a source map.
 */
export class OutputMap {
  private readonly toModule: SourceMap;
  private readonly toCell: SourceMap | null;

  /**
   * @param module The ES module, with an inline source map.
   * @param sourceMap The map of the second step, as JSON.
   * @param shifts Columns by which lines of the module (counted from 0) were shifted between the steps.
   */
  constructor(
    module: string,
    sourceMap: string,
    private readonly shifts: Map<number, number>,
  ) {
    this.toModule = new SourceMap(JSON.parse(sourceMap));
    const inline = /\/\/# sourceMappingURL=data:application\/json;base64,(\S+)\s*$/.exec(module);
    this.toCell = inline && new SourceMap(JSON.parse(Buffer.from(inline[1], 'base64').toString('utf8')) as SourceMapPayload);
  }

  /** The place in the cell of a place in the output; both count from 1. `null`: code that the compiler added. */
  find(line: number, column: number): Place | null {
    const module = entry(this.toModule, line - 1, column - 1);
    const cell = module && (this.toCell ? entry(this.toCell, module.originalLine, module.originalColumn - (this.shifts.get(module.originalLine) ?? 0)) : module);
    if (!cell || cell.originalLine < PREFIX_LINES) return null;
    return { line: cell.originalLine - PREFIX_LINES + 1, column: cell.originalColumn + 1 };
  }
}

function entry(map: SourceMap, line: number, column: number): { originalLine: number; originalColumn: number } | null {
  const found = map.findEntry(line, Math.max(0, column));
  // Without an entry of its own, a line is the compiler's: the nearest entry before it is of no use.
  return 'originalLine' in found && found.originalLine !== undefined && found.generatedLine === line ? found : null;
}
