import * as fs from 'node:fs';
import * as path from 'node:path';

/** An output of a code cell, by MIME type. */
export type Bundle = Record<string, unknown>;

/** A saved code cell. */
export interface SavedCell {
  source: string;
  outputs?: Bundle[];
}

/**
 * Saves a notebook of code cells.
 *
 * @param kernel name of its kernelspec
 */
export function writeNotebook(folder: string, name: string, cells: SavedCell[], kernel = 'joylab'): void {
  const notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: kernel, display_name: kernel, language: 'typescript' } },
    cells: cells.map(({ source, outputs = [] }, i) => ({
      cell_type: 'code',
      id: `cell-${i}`,
      metadata: {},
      execution_count: null,
      source,
      outputs: outputs.map((data) => ({ output_type: 'display_data', metadata: {}, data })),
    })),
  };
  fs.writeFileSync(path.join(folder, name), JSON.stringify(notebook));
}
