import * as fs from 'node:fs';

/** Milliseconds between two checks that count, at most: when more have passed, this thread or the whole process was held up. */
const BETWEEN_CHECKS = 1000;

/** Cells of a {@link BlockedThread}: the pipe that its thread waits for, 0 where it does not; how often it has waited; 1 once it was notified. */
const CELLS = { pipe: 0, count: 1, notified: 2, length: 3 };

/** Cells in which a thread writes what it waits for. They can be sent to it. */
export type WaitCells = Int32Array;

/** Runs something that blocks the thread until a pipe has something to read. */
export function blocked<Result>(cells: WaitCells, pipe: number, run: () => Result): Result {
  Atomics.add(cells, CELLS.count, 1);
  Atomics.store(cells, CELLS.pipe, pipe);
  try {
    return run();
  } finally {
    Atomics.store(cells, CELLS.pipe, 0);
  }
}

/** Returns whether the thread is to wait no more. There may be a byte in its pipe that belongs to no answer. */
export function wasNotified(cells: WaitCells): boolean {
  return Atomics.load(cells, CELLS.notified) === 1;
}

/**
 * Watches a thread of this process that blocks until answers come through a
 * pipe. Nothing else can end such a wait: not a timer, and not `terminate`.
 */
export class BlockedThread {
  readonly cells: WaitCells = new Int32Array(new SharedArrayBuffer(4 * CELLS.length));
  private seen = 0;
  private waited = 0;
  private checkedAt = performance.now();

  /** `timeout`: milliseconds that it may wait at a time. */
  constructor(private readonly timeout: number) {}

  /** To be called often. Notifies the thread when it has waited too long. */
  check(): void {
    const now = performance.now();
    this.waited += Math.min(now - this.checkedAt, BETWEEN_CHECKS);
    this.checkedAt = now;
    const count = Atomics.load(this.cells, CELLS.count);
    if (count !== this.seen || Atomics.load(this.cells, CELLS.pipe) === 0) [this.seen, this.waited] = [count, 0];
    else if (this.waited > this.timeout) this.notify();
  }

  /** Ends the wait of the thread, and lets it wait no more: there comes a byte, and {@link wasNotified}. */
  notify(): void {
    Atomics.store(this.cells, CELLS.notified, 1);
    const pipe = Atomics.load(this.cells, CELLS.pipe);
    if (pipe === 0) return;
    try {
      // The end that writes, of the pipe that the thread reads.
      const end = fs.openSync(`/proc/self/fd/${pipe}`, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
      try {
        // The wait may have ended and the pipe been closed: what has its number now may be a file.
        if (fs.fstatSync(end).isFIFO()) fs.writeSync(end, '.');
      } finally {
        fs.closeSync(end);
      }
    } catch {
      // It was closed.
    }
  }
}
