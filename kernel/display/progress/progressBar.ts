import { randomUUID } from 'node:crypto';
import { cellContext, type MimeBundle } from '../cellContext';
import { escapeHtml } from '../table';

/** Milliseconds between two updates of the output, in a notebook and in a terminal, where every update is a line. */
const NOTEBOOK_INTERVAL = 250;
const CONSOLE_INTERVAL = 10_000;

/** Progress of something measured in bytes: a bar under the running cell, lines in a terminal. */
export class ProgressBar {
  private readonly displayId = randomUUID();
  private readonly startedAt = Date.now();
  private shownAt = 0;
  private done = 0;
  /** Bytes that an earlier run did, which do not count for the speed. */
  private before = 0;

  /** @param title what is in progress: "Downloading model.onnx" @param total bytes in all */
  constructor(
    private readonly title: string,
    private readonly total: number,
  ) {}

  /** Counts bytes; `before`: bytes that an earlier run did. A negative number takes some back. */
  add(bytes: number, { before = false } = {}): void {
    this.done += bytes;
    if (before) this.before += bytes;
    const interval = cellContext().console ? CONSOLE_INTERVAL : NOTEBOOK_INTERVAL;
    if (Date.now() - this.shownAt >= interval) this.show(this.line());
  }

  /** Shows the last line, with the outcome. */
  end(text: string): void {
    this.show(`${this.title}: ${text}`);
  }

  private line(): string {
    const seconds = (Date.now() - this.startedAt) / 1000;
    const speed = (this.done - this.before) / Math.max(seconds, 0.001);
    const parts = [`${this.title}: ${formatBytes(this.done)} of ${formatBytes(this.total)}`];
    if (seconds > 1 && speed > 0)
      parts.push(`${formatBytes(speed)}/s`, `${Math.ceil((this.total - this.done) / speed)} s left`);
    return parts.join(', ');
  }

  private show(line: string): void {
    const first = this.shownAt === 0;
    this.shownAt = Date.now();
    const bundle: MimeBundle = { 'text/plain': line };
    if (!cellContext().console) {
      const bar = `<progress value="${this.done}" max="${this.total}" title="${escapeHtml(this.title)}" style="width:20em;vertical-align:middle"></progress>`;
      bundle['text/html'] = `<div>${bar} ${escapeHtml(line)}</div>`;
    }
    cellContext().display(bundle, { displayId: this.displayId, update: !first });
  }
}

/** Returns a size in words, in powers of 1000 bytes: "269 MB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.max(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 0), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power > 0 && value < 100 ? 1 : 0)} ${units[power]}`;
}
