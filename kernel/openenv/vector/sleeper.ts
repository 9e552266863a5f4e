import * as fs from 'node:fs';

/** Milliseconds between two looks, at most: when more have passed, this thread or the whole process was held up. */
const BETWEEN_LOOKS = 1000;

/** Cells of a {@link Sleeper}: the pipe that its thread waits for, 0 where it does not; how often it has waited; 1 once it was woken. */
const CELLS = { pipe: 0, count: 1, woken: 2, length: 3 };

/** Cells in which a thread tells of its sleep. They can be sent to it. */
export type SleepCells = Int32Array;

/** Runs something that makes the thread sleep until a pipe has something to read. */
export function asleep<Result>(cells: SleepCells, pipe: number, run: () => Result): Result {
  Atomics.add(cells, CELLS.count, 1);
  Atomics.store(cells, CELLS.pipe, pipe);
  try {
    return run();
  } finally {
    Atomics.store(cells, CELLS.pipe, 0);
  }
}

/** Whether the thread was told to wait no more. There may be a byte in its pipe that is no answer's. */
export function wasWoken(cells: SleepCells): boolean {
  return Atomics.load(cells, CELLS.woken) === 1;
}

/**
 * Watches a thread of this process that sleeps until answers come through a
 * pipe. Nothing else can end a thread that sleeps: not a timer, and not `terminate`.
 */
export class Sleeper {
  readonly cells: SleepCells = new Int32Array(new SharedArrayBuffer(4 * CELLS.length));
  private seen = 0;
  private slept = 0;
  private lookedAt = performance.now();

  /** `timeout`: milliseconds that it may sleep at a time. */
  constructor(private readonly timeout: number) {}

  /** To be called often. Wakes the thread when it has slept too long. */
  look(): void {
    const now = performance.now();
    this.slept += Math.min(now - this.lookedAt, BETWEEN_LOOKS);
    this.lookedAt = now;
    const count = Atomics.load(this.cells, CELLS.count);
    if (count !== this.seen || Atomics.load(this.cells, CELLS.pipe) === 0) [this.seen, this.slept] = [count, 0];
    else if (this.slept > this.timeout) this.wake();
  }

  /** Wakes the thread where it sleeps, and lets it sleep no more: there comes a byte, and {@link wasWoken}. */
  wake(): void {
    Atomics.store(this.cells, CELLS.woken, 1);
    const pipe = Atomics.load(this.cells, CELLS.pipe);
    if (pipe === 0) return;
    try {
      // The end that writes, of the pipe that the thread reads.
      const end = fs.openSync(`/proc/self/fd/${pipe}`, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
      try {
        // It may have woken by itself and closed the pipe: what has its number now may be a file.
        if (fs.fstatSync(end).isFIFO()) fs.writeSync(end, '.');
      } finally {
        fs.closeSync(end);
      }
    } catch {
      // It was closed.
    }
  }
}
