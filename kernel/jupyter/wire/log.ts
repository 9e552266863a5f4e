import { writeSync } from 'node:fs';

/** The kernel's log: standard error of the process, where Jupyter shows it. */
export class Log {
  private readonly written = new Set<string>();

  /**
   * Writes to the process's standard error itself: the stream of a thread
   * passes the main thread, where it would be taken for a cell's output.
   */
  write(text: string): void {
    try {
      writeSync(2, `joylab: ${text}\n`);
    } catch {
      // Nobody reads the log: the kernel goes on without it.
    }
  }

  /** Writes a text the first time only: a broken client repeats its mistakes. */
  once(text: string): void {
    if (this.written.has(text) || this.written.size >= MAXIMUM) return;
    this.written.add(text);
    this.write(`${text} (said once)`);
  }
}

/** Different texts that are written, at most. */
const MAXIMUM = 100;
