import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import { hasJoylab } from '../cells/kernel';
import { cellKinds, type CellKind } from '../cells/kinds';

/** The category of all commands in the palette. */
export const CATEGORY = 'Joylab';

const INSERT: Array<{ id: string; kind: CellKind; label: string; caption: string }> = [
  {
    id: 'joylab:insert-environment-cell',
    kind: 'openenv',
    label: 'Insert Environment Cell',
    caption: 'Insert a cell that opens an environment and shows its card',
  },
  {
    id: 'joylab:insert-reward-cell',
    kind: 'reward',
    label: 'Insert Reward Cell',
    caption: 'Insert a cell with a reward function',
  },
  {
    id: 'joylab:insert-grpo-cell',
    kind: 'grpo',
    label: 'Insert GRPO Cell',
    caption: 'Insert a cell that trains with GRPO, and what the notebook lacks for it',
  },
];

/** Commands for cells, in the palette and, by schema/settings.json, in the menu "Kernel". */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:commands',
  description: 'Commands that insert and run environment, reward and GRPO cells.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette],
  activate({ commands }: JupyterFrontEnd, notebooks: INotebookTracker, palette: ICommandPalette | null): void {
    const add = (command: string, options: Parameters<typeof commands.addCommand>[1]): void => {
      commands.addCommand(command, options);
      palette?.addItem({ command, category: CATEGORY });
    };
    const current = () => (hasJoylab(notebooks.currentWidget) ? notebooks.currentWidget : null);
    for (const { id, kind, label, caption } of INSERT) {
      add(id, {
        label,
        caption,
        isEnabled: () => current() !== null,
        execute: async () => {
          // What is inserted is text that few sessions want.
          const { insertCell } = await import('./insert');
          const panel = current();
          if (panel) await insertCell(panel, kind);
        },
      });
    }
    const run = (cells: readonly Cell[]): Promise<boolean> | undefined => {
      const panel = current();
      return panel ? NotebookActions.runCells(panel.content, cells, panel.sessionContext) : undefined;
    };
    const active = () => [current()?.content.activeCell].filter(isReward);
    const all = () => (current()?.content.widgets ?? []).filter(isReward);
    add('joylab:run-reward-cell', {
      label: 'Run This Reward Cell Again',
      caption: 'Run the reward cell that is active: the rollouts already made are scored again',
      isEnabled: () => active().length > 0,
      execute: () => run(active()),
    });
    add('joylab:save-experiment', {
      label: 'Save Experiment',
      caption: 'Save settings, seeds, versions, reward functions and results of a run with its cell',
      isEnabled: () => current() !== null,
      execute: async () => {
        const { saveExperiments } = await import('../training/saveExperiment');
        const panel = current();
        if (panel) await saveExperiments(panel);
      },
    });
    add('joylab:run-reward-cells', {
      label: 'Run All Reward Cells Again',
      caption: 'Run all reward cells of the notebook: the rollouts already made are scored again',
      isEnabled: () => all().length > 0,
      execute: () => run(all()),
    });
  },
};

function isReward(cell: Cell | null | undefined): cell is Cell {
  return cell?.model.type === 'code' && cellKinds(cell.model.sharedModel.getSource()).includes('reward');
}
