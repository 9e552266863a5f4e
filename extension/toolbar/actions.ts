import type { Cell } from '@jupyterlab/cells';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { pauseIcon, refreshIcon, runIcon, stopIcon, tableRowsIcon, type LabIcon } from '@jupyterlab/ui-components';
import type { TrainingControl } from '../../kernel/display/mime';
import { cellState, switched, type CellState } from '../cells/state';
import { controlRun } from '../training/control';
import { describe, element, setText } from '../widgets/element';
import type { Execute } from './index';
import { gameIcon, offIcon, onIcon } from './icons';

/** A button: its name and icon, which the state of the cell decides; `null` where there is none. */
interface Action {
  show(state: CellState): { label: string; icon: LabIcon } | null;
  run(): void;
}

/** What an environment, reward or GRPO cell can do, as buttons of JupyterLab's toolbar of the cell. */
export class CellActions {
  readonly node = element('div', 'joylab-Actions-list');
  private readonly state = element('span', 'joylab-Actions-state');
  private readonly buttons: ActionButton[];

  constructor(
    private readonly cell: Cell,
    private readonly panel: NotebookPanel,
    private readonly execute: Execute,
  ) {
    this.state.setAttribute('role', 'status');
    this.buttons = this.actions().map((action) => new ActionButton(action));
    this.node.append(this.state, ...this.buttons.map(({ node }) => node));
    this.update();
  }

  /** Shows the buttons that the cell's text, its outputs and the kernel want. */
  update(): void {
    const state = cellState(this.cell, this.panel.sessionContext.session?.kernel?.status === 'busy');
    for (const button of this.buttons) button.show(state);
    setText(this.state, words(state));
  }

  private actions(): Action[] {
    const { cell, panel } = this;
    const run = () => void NotebookActions.runCells(panel.content, [cell], panel.sessionContext);
    const control = (what: TrainingControl) => () => {
      const { run: shown } = cellState(cell, true);
      if (shown) controlRun(panel.sessionContext, shown.runId, what);
    };
    return [
      {
        show: ({ plays }) => (plays ? { label: 'Play it by keyboard', icon: gameIcon } : null),
        run: () => cell.node.querySelector<HTMLElement>('.joylab-Environment-play')?.click(),
      },
      {
        show: ({ kinds }) => {
          if (kinds.includes('openenv')) return { label: 'Open the environment anew: run the cell', icon: refreshIcon };
          if (kinds.includes('reward')) return { label: 'Score again: run the cell', icon: refreshIcon };
          return null;
        },
        run,
      },
      {
        show: ({ kinds, isOff }) =>
          kinds.includes('reward')
            ? isOff
              ? { label: 'Turn the rewards of this cell on', icon: offIcon }
              : { label: 'Turn the rewards of this cell off', icon: onIcon }
            : null,
        run: () => {
          const { sharedModel } = cell.model;
          sharedModel.setSource(switched(sharedModel.getSource()));
          run();
        },
      },
      {
        show: ({ kinds, run: shown, runs }) =>
          kinds.includes('grpo') && !runs
            ? { label: shown?.status === 'paused' ? 'Resume: run the cell' : 'Train: run the cell', icon: runIcon }
            : null,
        run,
      },
      {
        show: ({ runs }) =>
          runs ? { label: 'Pause: the cell ends, and the run can be resumed', icon: pauseIcon } : null,
        run: control('pause'),
      },
      {
        show: ({ run: shown, runs }) =>
          runs || shown?.status === 'paused' ? { label: 'Stop: the run ends after this step', icon: stopIcon } : null,
        run: control('stop'),
      },
      {
        show: ({ run: shown }) => (shown?.rollouts ? { label: 'Show the rollouts', icon: tableRowsIcon } : null),
        run: () => {
          const { run: shown } = cellState(cell, true);
          if (!shown) return;
          const { rollouts: database, runId } = shown;
          this.execute('joylab:open-rollouts', { notebook: panel.context.path, database, run: runId });
        },
      },
    ];
  }
}

/** A button that looks like the others of the toolbar. */
class ActionButton {
  /** JupyterLab's own element for buttons. */
  readonly node = document.createElement('jp-button');
  private shown: LabIcon | null = null;

  constructor(private readonly action: Action) {
    this.node.className = 'jp-ToolbarButtonComponent';
    this.node.setAttribute('appearance', 'stealth');
    this.node.addEventListener('click', () => action.run());
    // A pressed mouse button would select the cell's text.
    this.node.addEventListener('mousedown', (event) => event.preventDefault());
    // Enter presses the button; to the notebook it would be the key that edits the cell.
    this.node.dataset.lmSuppressShortcuts = 'true';
  }

  show(state: CellState): void {
    const look = this.action.show(state);
    this.node.hidden = look === null;
    if (!look) return;
    describe(this.node, look.label);
    if (look.icon === this.shown) return;
    this.shown = look.icon;
    this.node.replaceChildren(look.icon.element({ stylesheet: 'toolbarButton' }));
  }
}

function words({ run, runs, isOff }: CellState): string {
  if (runs) return 'Training';
  if (run?.status === 'paused') return 'Paused';
  return isOff ? 'Off' : '';
}
