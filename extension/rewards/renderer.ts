import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { RewardsData } from '../../kernel/display/rewardsMime';
import { rewardsBundle } from '../../kernel/display/training/rewardsBundle';
import { problem } from '../widgets/problem';
import { rewardsComm, type RewardsComm } from './connection';
import { RewardsPanel } from './panel';

/** Renders the panel of reward functions, live where the kernel knows them. */
export class RewardsRenderer extends Widget implements IRenderMime.IRenderer {
  private connection: RewardsComm | null = null;
  private model: IRenderMime.IMimeModel | null = null;
  /** What is shown, where that is newer than the notebook's. */
  private newer: RewardsData | null = null;

  /** @param context the notebook; `null` where outputs are shown without one */
  constructor(
    private readonly mimeType: string,
    private readonly context: DocumentRegistry.Context | null,
  ) {
    super();
    this.addClass('joylab-Output');
    context?.saveState.connect(this.onSaveState, this);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[this.mimeType] as unknown as RewardsData;
    // Written by this view itself.
    if (this.newer && isSame(data, this.newer)) return Promise.resolve();
    this.model = model;
    this.newer = null;
    this.connection?.dispose();
    this.connection = null;
    const wrong = checkRewards(data);
    if (wrong) {
      this.node.replaceChildren(
        problem('These rewards cannot be shown.', `In the saved data, ${wrong}. Run the cell again.`),
      );
      return Promise.resolve();
    }
    const panel = new RewardsPanel(data, (request) => this.connection?.send(request));
    this.node.replaceChildren(panel.node);
    if (this.context)
      this.connection = rewardsComm(this.context.sessionContext, data.id, {
        message: (message) => {
          if (message.type === 'error') return panel.refuse(message.text);
          panel.show(message.data);
          this.newer = message.data;
        },
        connected: (connected) => panel.enable(connected),
      });
    return Promise.resolve();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.context?.saveState.disconnect(this.onSaveState, this);
    this.connection?.dispose();
    this.connection = null;
    super.dispose();
  }

  /** Writes what is shown into the notebook before that is saved, with its forms for other viewers. */
  private onSaveState(_: unknown, state: DocumentRegistry.SaveState): void {
    const { model, newer } = this;
    if (state !== 'started' || !model || !newer || isSame(model.data[this.mimeType], newer)) return;
    model.setData({ data: { ...model.data, ...rewardsBundle(newer) } as never });
  }
}

/** Whether the notebook's data are as new as what is shown. */
function isSame(kept: unknown, newer: RewardsData): boolean {
  return JSON.stringify(kept) === JSON.stringify(newer);
}

/** Returns what is wrong with the data, in words; `null` when it can be shown. */
function checkRewards(data: RewardsData): string | null {
  if (typeof data !== 'object' || data === null) return 'it is not an object';
  if (data.version !== 1) return `it has version ${data.version}, this panel knows version 1`;
  if (!Array.isArray(data.rows) || !data.rows.every((row) => Array.isArray(row?.notes))) return 'its rows are broken';
  return Array.isArray(data.notes) ? null : 'its notes are missing';
}
