import type { Cell } from '@jupyterlab/cells';
import { describe, element, setText } from '../widgets/element';
import { cellKinds, type CellKind } from './kinds';

const LABELS: Record<CellKind, { text: string; name: string }> = {
  openenv: { text: 'env', name: 'Environment cell' },
  reward: { text: 'reward', name: 'Reward cell' },
  grpo: { text: 'GRPO', name: 'GRPO cell' },
};

/** The button below the number of a cell with a directive: it says what the cell is, and runs it. */
export class CellBadge {
  private readonly button = element('button', 'joylab-Badge');

  /** @param isShown whether the notebook shows badges */
  constructor(
    private readonly cell: Cell,
    private readonly isShown: () => boolean,
    run: () => void,
  ) {
    const { button } = this;
    button.type = 'button';
    // Enter presses the button; to the notebook it would be the key that edits the cell.
    button.dataset.lmSuppressShortcuts = 'true';
    button.addEventListener('click', run);
    cell.model.sharedModel.changed.connect(this.update, this);
    cell.disposed.connect(() => cell.model?.sharedModel.changed.disconnect(this.update, this));
    this.update();
  }

  /** Shows, changes or removes the button as the cell's text wants it. */
  update(): void {
    const { cell, button } = this;
    if (cell.isDisposed) return;
    const kinds = this.isShown() ? cellKinds(cell.model.sharedModel.getSource()) : [];
    cell.inputArea?.toggleClass('joylab-mod-badge', kinds.length > 0);
    if (kinds.length === 0) return button.remove();
    setText(button, LABELS[kinds[0]].text);
    button.dataset.kind = kinds[0];
    const names = kinds.map((kind) => LABELS[kind].name).join(', ');
    describe(button, `${names} (${kinds.map((kind) => `@${kind}`).join(', ')}): run it`);
    if (button.isConnected) return;
    // A cell out of view has no input area until it is drawn.
    if (cell.inputArea) cell.inputArea.node.insertBefore(button, cell.inputArea.editorWidget.node);
    else void cell.ready.then(() => this.update());
  }
}
