import { randomUUID } from 'node:crypto';
import { cellContext } from '../cellContext';
import type { ProgressPlace, Stage } from './progress';
import { escapeHtml } from '../table';

/** A line under the running cell with the current stage, and with a bar when its share is known. */
export class CellLine implements ProgressPlace {
  readonly delay = 1000;
  private displayId = '';

  show(stage: Stage | null): void {
    if (!stage) {
      cellContext().withdraw?.(this.displayId);
      this.displayId = '';
      return;
    }
    const update = this.displayId !== '';
    if (!update) this.displayId = randomUUID();
    cellContext().display(bundle(stage), { displayId: this.displayId, update });
  }
}

function bundle({ text, share }: Stage): Record<string, string> {
  const line = escapeHtml(text);
  const bar =
    share === undefined
      ? ''
      : `<progress value="${share.toFixed(3)}" max="1" title="${line}" style="width:20em;vertical-align:middle"></progress> `;
  return { 'text/html': `<div>${bar}${line}</div>`, 'text/plain': text };
}
