import type { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';

const ours = new WeakSet<NotebookPanel>();

/** Emitted when a notebook that is followed gets Joylab as its kernel, or another instead. */
export const joylabChanged = new Signal<typeof hasJoylab, NotebookPanel>(hasJoylab);

/** Returns whether the kernel of a notebook that is followed is Joylab. */
export function hasJoylab(panel: NotebookPanel | null): panel is NotebookPanel {
  return panel !== null && ours.has(panel);
}

/** Follows the kernel of a notebook. */
export function followKernel(panel: NotebookPanel): void {
  const { sessionContext } = panel;
  const look = async (): Promise<void> => {
    const kernel = sessionContext.session?.kernel ?? null;
    // A kernel that dies before it has said what it is, is none.
    const info = await kernel?.info.catch(() => null);
    if (panel.isDisposed || kernel !== (sessionContext.session?.kernel ?? null)) return;
    const isOurs = info?.implementation === 'joylab';
    if (isOurs === ours.has(panel)) return;
    if (isOurs) ours.add(panel);
    else ours.delete(panel);
    joylabChanged.emit(panel);
  };
  sessionContext.kernelChanged.connect(() => void look());
  void look();
}
