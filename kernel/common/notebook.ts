/** A notebook as nbformat 4 has it, as far as it is read here. */
export interface Notebook {
  cells: NotebookCell[];
  [field: string]: unknown;
}

export interface NotebookCell {
  id?: string;
  cell_type: string;
  source: string[];
  metadata: Record<string, unknown>;
  [field: string]: unknown;
}

/** Returns a notebook as if nobody had run it: without outputs, numbers and times. */
export function withoutOutputs(notebook: Notebook): Notebook {
  const cells = notebook.cells.map((cell) => {
    const { execution, ...metadata } = cell.metadata;
    const fresh = cell.cell_type === 'code' ? { execution_count: null, outputs: [] } : {};
    return { ...cell, metadata, ...fresh };
  });
  return { ...notebook, cells };
}

/** Returns the lines of a cell's source, as a notebook has them. */
export function sourceLines(source: string): string[] {
  return source.split(/(?<=\n)/);
}
