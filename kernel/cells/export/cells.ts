import { existsSync, readFileSync } from 'node:fs';

/** A code cell of a notebook file. */
export interface NotebookCell {
  source: string;
  tags: readonly string[];
}

/** The code cells of a notebook file, in their order. */
export function readCells(path: string): NotebookCell[] {
  if (!existsSync(path)) throw new Error(`there is no notebook at ${path}`);
  const cells = parsed(path)?.cells;
  if (!Array.isArray(cells)) throw new Error(`${path} is no notebook: it has no cells`);
  return cells
    .filter(({ cell_type }) => cell_type === 'code')
    .map(({ source, metadata }) => ({
      source: Array.isArray(source) ? source.join('') : String(source ?? ''),
      tags: Array.isArray(metadata?.tags) ? metadata.tags : [],
    }));
}

function parsed(path: string): { cells?: any[] } | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} is no notebook: ${(error as Error).message}`);
  }
}
