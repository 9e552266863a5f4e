import { randomUUID } from 'node:crypto';
import { host } from '../host';
import type { ProgressPlace, Stage } from './progress';
import { escapeHtml } from '../table';

/** A line under a cell that says what is being done: with a bar where it is known how far it is. */
export class CellLine implements ProgressPlace {
  readonly patience = 1000;
  private displayId = '';

  show(stage: Stage | null): void {
    const update = this.displayId !== '';
    if (!update) this.displayId = randomUUID();
    host().display(stage ? bundle(stage) : {}, { displayId: this.displayId, update });
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
