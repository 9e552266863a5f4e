import { randomUUID } from 'node:crypto';
import { cellContext } from '../cellContext';

/** Milliseconds between two updates of the output, in a notebook and in a terminal, where every update is a line. */
const NOTEBOOK_INTERVAL = 250;
const CONSOLE_INTERVAL = 10_000;

/** A line under the running cell with what the program waits for, and for how many seconds. */
export class StatusLine {
  private readonly displayId = randomUUID();
  private readonly startedAt = Date.now();
  private text: string;
  private shown = '';
  private readonly timer: NodeJS.Timeout;

  /** @param title what the program waits for: "Starting ./echo_env" */
  constructor(private readonly title: string) {
    this.text = title;
    this.timer = setInterval(
      () => this.show(this.line()),
      cellContext().console ? CONSOLE_INTERVAL : NOTEBOOK_INTERVAL,
    ).unref();
  }

  /** Sets the text after the title, which the next update shows. */
  update(text: string): void {
    this.text = `${this.title}: ${text.slice(0, 200)}`;
  }

  /** Shows the last line, unless the wait was too short to show one before. */
  end(text = `${this.title}: done`): void {
    clearInterval(this.timer);
    if (this.shown) this.show(`${text} (${this.seconds()} s)`);
  }

  private line(): string {
    return `${this.text} (${this.seconds()} s)`;
  }

  private seconds(): string {
    return ((Date.now() - this.startedAt) / 1000).toFixed(0);
  }

  private show(line: string): void {
    if (line === this.shown) return;
    cellContext().display({ 'text/plain': line }, { displayId: this.displayId, update: this.shown !== '' });
    this.shown = line;
  }
}
