import { SourceMap } from 'node:module';

/** A place in a text. Line and column count from 1. */
export interface Place {
  line: number;
  column: number;
}

/** Maps JavaScript to the TypeScript that it was made from. */
export class OutputMap {
  private parsed: SourceMap | null = null;

  /**
   * @param json the source map, read when it is first needed
   * @param prefixLines lines before the part of the JavaScript that the map is about
   */
  constructor(
    private readonly json: string,
    private readonly prefixLines = 0,
  ) {}

  /** The place in the TypeScript of a place in the JavaScript; `null`: code that the compiler added. */
  find(line: number, column: number): Place | null {
    this.parsed ??= new SourceMap(JSON.parse(this.json));
    const generated = line - 1 - this.prefixLines;
    if (generated < 0) return null;
    const found = this.parsed.findEntry(generated, Math.max(0, column - 1));
    // Without an entry of its own, a line is the compiler's: the nearest entry before it is of no use.
    if (!('originalLine' in found) || found.originalLine === undefined || found.generatedLine !== generated)
      return null;
    return { line: found.originalLine + 1, column: found.originalColumn + 1 };
  }
}
