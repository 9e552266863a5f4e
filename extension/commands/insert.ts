import type { NotebookPanel } from '@jupyterlab/notebook';
import { cellKinds, type CellKind } from '../cells/kinds';
import { TEMPLATES, type Part } from './templates';

/** What training wants beside its own cell, in the order in which it is wanted. */
const BEFORE_TRAINING: Part[] = ['openenv', 'model', 'reward'];

/**
 * Inserts a cell of a kind below the active one, or in its place where that is empty,
 * and begins to edit it. A cell that trains comes with what the notebook lacks for it.
 */
export async function insertCell({ content }: NotebookPanel, kind: CellKind): Promise<void> {
  const cells = content.model?.sharedModel;
  if (!cells) return;
  const sources = cells.cells.map((cell) => (cell.cell_type === 'code' ? cell.getSource() : ''));
  const parts: Part[] = kind === 'grpo' ? [...BEFORE_TRAINING.filter((part) => !has(sources, part)), kind] : [kind];
  const active = cells.cells[content.activeCellIndex];
  const isEmpty = active?.cell_type === 'code' && active.getSource().trim() === '';
  const first = isEmpty ? content.activeCellIndex : content.activeCellIndex + 1;
  cells.transact(() => {
    const [head, ...rest] = parts.map((part) => TEMPLATES[part]);
    if (isEmpty) active.setSource(head);
    const inserted = (isEmpty ? rest : [head, ...rest]).map((source) => ({
      cell_type: 'code' as const,
      source,
      metadata: { trusted: true },
    }));
    cells.insertCells(isEmpty ? first + 1 : first, inserted);
  });
  content.deselectAll();
  content.activeCellIndex = first + parts.length - 1;
  // A new cell can be edited only once it is drawn.
  await content.activeCell?.ready;
  content.mode = 'edit';
  content.activeCell?.editor?.focus();
}

/** Returns whether a notebook has a cell for a part; an environment and a model may also come without a directive. */
function has(sources: string[], part: Part): boolean {
  if (part === 'model') return sources.some((source) => source.includes('fromPretrained('));
  return sources.some(
    (source) => (part === 'openenv' && source.includes('openenv(')) || cellKinds(source).includes(part),
  );
}
