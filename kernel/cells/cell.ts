import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import type { CellEvent, CellRun } from '../display/host';
import type { CellOutput } from '../jupyter/interpreter';

/** Time that code has to stop by itself once its signal is aborted, in milliseconds. */
const GRACE = 700;

/** One run of a cell. Code that the cell starts finds it again, however late: see {@link currentCell}. */
export class Cell implements CellRun {
  /** Number of the session's interrupts, with the one that was for this cell; 0: it was not interrupted. */
  interruptedAt = 0;
  /** True once the cell was replied to. */
  ended = false;
  /** The error that ended the cell from outside of its own code. */
  endedBy: { error: unknown } | null = null;
  /** Something in the cell looked at its signal, and so may stop by itself. */
  watchesSignal = false;
  /** Rejects when the cell was interrupted and had its time to stop, or was ended. */
  readonly stopped: Promise<never>;
  private stop!: (reason: unknown) => void;

  /** @param controller whose signal is the cell's */
  constructor(
    readonly output: CellOutput,
    private readonly controller = new AbortController(),
    readonly label = '',
    readonly id?: string,
  ) {
    this.stopped = new Promise((_, reject) => {
      this.stop = reject;
    });
    this.stopped.catch(() => {});
  }

  /** Node.js prints the cell with timers, sockets and processes that it started. */
  [inspect.custom](): string {
    return '';
  }

  get interrupted(): boolean {
    return this.interruptedAt > 0;
  }

  get signal(): AbortSignal {
    this.watchesSignal = true;
    return this.controller.signal;
  }

  /**
   * Tells the cell to stop: its signal is aborted, and code that began before
   * ends where it looks (see interrupt/guards.ts). Code that watches the signal
   * gets time to stop by itself, with its work in order.
   *
   * @param count of the session's interrupts, this one included
   */
  interrupt(count: number): void {
    if (this.interrupted) return;
    this.interruptedAt = count;
    this.controller.abort(new KeyboardInterrupt());
    setTimeout(this.stop, this.watchesSignal ? GRACE : 0, new KeyboardInterrupt());
  }

  /** Ends the cell with an error, whatever it awaits. */
  end(error: unknown): void {
    if (this.ended) return;
    this.endedBy ??= { error };
    this.stop(error);
  }
}

/** The error that stops an interrupted cell. */
export class KeyboardInterrupt extends Error {
  override name = 'KeyboardInterrupt';

  constructor() {
    super('The cell was interrupted.');
  }
}

const handlers: Array<(event: CellEvent) => void> = [];

/** Calls `handler` for what happens to cells. */
export function onCell(handler: (event: CellEvent) => void): void {
  handlers.push(handler);
}

/** Calls the handlers of {@link onCell}. */
export function emitCellEvent(event: CellEvent): void {
  for (const handler of handlers) handler(event);
}

const storage = new AsyncLocalStorage<Cell>();
let newest: Cell | null = null;

/** Runs `work` as part of `cell`: now, and whatever it starts. */
export function runIn<T>(cell: Cell, work: () => T): T {
  newest = cell;
  return storage.run(cell, work);
}

/** Runs `work` as part of `cell`, which does not become the newest cell. */
export function runBeside<T>(cell: Cell, work: () => T): T {
  return storage.run(cell, work);
}

/** Returns whether the running code is known to be a cell's. */
export function isInCell(): boolean {
  return storage.getStore() !== undefined;
}

/** The cell that the running code belongs to; the newest cell where that is unknown. */
export function currentCell(): Cell | null {
  return storage.getStore() ?? newest;
}
