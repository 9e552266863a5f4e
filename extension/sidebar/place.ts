import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { cellKinds } from '../cells/kinds';

/** Shows a cell of a notebook and makes it the active one. */
export async function goTo({ shell }: JupyterFrontEnd, panel: NotebookPanel, cell: Cell): Promise<void> {
  const { content } = panel;
  const index = content.widgets.indexOf(cell);
  if (index < 0) return;
  shell.activateById(panel.id);
  content.deselectAll();
  content.activeCellIndex = index;
  content.mode = 'command';
  await content.scrollToItem(index, 'smart');
  content.node.focus();
}

/** Returns the cell that a reward function names as its place: "Cell [5], line 2". */
export function cellOfSource({ content }: NotebookPanel, source: string): Cell | undefined {
  const count = Number(/^Cell \[(\d+)\]/.exec(source)?.[1]);
  return content.widgets.find(
    ({ model }) => model.type === 'code' && model.sharedModel.toJSON().execution_count === count,
  );
}

/** Returns the newest cell that declares one of the variables of an environment, or the class that is served as it. */
export function cellOfVariable({ content }: NotebookPanel, variables: readonly string[]): Cell | undefined {
  const names = variables.map((name) => name.replace(/\$/g, '\\$'));
  const declares = new RegExp(`\\b(?:const|let|var)\\b[^;=]*(?<![\\w$])(?:${names.join('|')})(?![\\w$])`);
  const classes = variables
    .map((name) => name.replace(/Client$/, ''))
    .map((name) => name[0].toUpperCase() + name.slice(1));
  return content.widgets.findLast(({ model }) => {
    if (model.type !== 'code') return false;
    const source = model.sharedModel.getSource();
    return (
      declares.test(source) ||
      (cellKinds(source).includes('openenv') && classes.some((name) => source.includes(`class ${name} `)))
    );
  });
}
