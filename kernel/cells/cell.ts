import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import type { CellEvent, CellRun } from '../display/cellContext';
import type { CellOutput } from '../jupyter/interpreter';

/** Milliseconds that code has to stop by itself once its signal is aborted. */
const GRACE = 700;

/** One run of a cell. Code that the cell starts finds it again, however late: see {@link currentCell}. */
export class Cell implements CellRun {
  /** The count of the session's interrupts at which it was interrupted; 0: it was not. */
  interruptedAt = 0;
  /** Whether its reply was sent. */
  ended = false;
  /** The error that ended the cell from outside of its own code. */
  endedBy: { error: unknown } | null = null;
  /** Whether something in the cell has read its signal, and so may stop by itself. */
  watchesSignal = false;
  /** The error that an interrupt ends it with; `null`: a {@link KeyboardInterrupt}. */
  interruption: Error | null = null;
  /** Rejects after an interrupt, once the cell has had its time to stop, and when the cell is ended. */
  readonly stopped: Promise<never>;
  private stop!: (reason: unknown) => void;
  /** Works under way that admit cells beside this one. */
  private admitting = 0;

  /** @param controller the controller of the cell's signal */
  constructor(
    readonly output: CellOutput,
    private readonly controller = new AbortController(),
    readonly label = '',
    readonly id?: string,
    readonly beside = false,
  ) {
    this.stopped = new Promise((_, reject) => {
      this.stop = reject;
    });
    this.stopped.catch(() => {});
  }

  /** Returns an empty text: Node.js prints the cell inside of timers, sockets and processes that it started. */
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

  /** Lets reward cells run beside this one, until it is called with `false` as often as with `true`. */
  admit(on: boolean): void {
    this.admitting += on ? 1 : -1;
    if (this.admitting === Number(on)) this.output.admit(on);
  }

  /**
   * Stops the cell: aborts its signal, and code that began before the interrupt
   * ends at its next guard (see interrupt/guards.ts). Code that watches the signal
   * has {@link GRACE} to stop by itself.
   *
   * @param count number of the session's interrupts, with this one
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

/** The error that stops an interrupted cell. The name is ipykernel's. */
export class KeyboardInterrupt extends Error {
  override name = 'KeyboardInterrupt';

  constructor() {
    super('The cell was interrupted.');
  }
}

const handlers: Array<(event: CellEvent) => void> = [];

/** Calls `handler` for each event of a cell. */
export function onCell(handler: (event: CellEvent) => void): void {
  handlers.push(handler);
}

/** Calls the handlers of {@link onCell}. */
export function emitCellEvent(event: CellEvent): void {
  for (const handler of handlers) handler(event);
}

const storage = new AsyncLocalStorage<Cell>();
let newest: Cell | null = null;

/** Runs `work`, and whatever it starts, as part of `cell`, which becomes the newest cell. */
export function runIn<T>(cell: Cell, work: () => T): T {
  newest = cell;
  return storage.run(cell, work);
}

/** Runs `work`, and whatever it starts, as part of `cell`, which does not become the newest cell. */
export function runBeside<T>(cell: Cell, work: () => T): T {
  return storage.run(cell, work);
}

/** Returns whether the running code is known to be a cell's. */
export function isInCell(): boolean {
  return storage.getStore() !== undefined;
}

/** Returns the cell that the running code belongs to; the newest cell when that is unknown, and `null` before the first. */
export function currentCell(): Cell | null {
  return storage.getStore() ?? newest;
}
