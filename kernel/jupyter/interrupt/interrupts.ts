import { FLAG } from './flag';
import { SelfSignal } from './selfSignal';

/** Milliseconds that interrupted code has to see the flag before SIGINT is sent. */
const SIGNAL_AFTER = 150;
/** Milliseconds after which a message says why an interrupted cell goes on. */
const EXPLAIN_AFTER = 1500;
const UNINTERRUPTIBLE =
  'Interrupted, but what computes (a library, a regular expression, eval) cannot be stopped from outside: the cell ends when it returns. To end it now, restart the kernel.\n';

/** The same for a cell that trains, which ends at the next step of its computation: that is what an interrupt of it waits for. */
const EXPLAIN_PAUSE_AFTER = 10_000;
const PAUSING = 'Pausing: the run stops when the computation under way has ended. To end it now, restart the kernel.\n';

/** What an interrupt may be told in. */
export interface RunningCell {
  /** Whether it trains: an interrupt of it is a pause. */
  trains: boolean;
  /** Shows a text in the cell, as long as it runs. */
  show(name: 'stdout' | 'stderr', text: string): void;
}

/** The wire thread's part in an interrupt. */
export interface InterruptHandlers {
  /** Ends what the main thread awaits: its own work, an answer of the front end, a child process. */
  cancel(): void;
  /** Returns the cell that runs now; `null` when none runs. */
  runningCell(): RunningCell | null;
  /** Called when the next cell may begin. */
  settled(): void;
}

/** The interrupts of a session, as the wire thread raises them: see README.md. */
export class Interrupts {
  /** Number of signals that reached this process and ended no synchronous code of a cell. */
  signals = 0;
  private readonly selfSignal: SelfSignal;

  constructor(
    private readonly flag: Int32Array,
    private readonly handlers: InterruptHandlers,
  ) {
    this.selfSignal = new SelfSignal(flag, () => handlers.settled());
  }

  /** Whether a signal is on its way that could end a cell which begins now. */
  get pending(): boolean {
    return this.selfSignal.pending;
  }

  /**
   * Stops the running cell. The message to the main thread reaches code that
   * awaits; the flag reaches compiled code of cells, which reads it. SIGINT ends
   * anything synchronous, but arrives late on a busy machine: it is for code
   * that neither of them reaches.
   */
  raise(): void {
    Atomics.add(this.flag, FLAG.count, 1);
    Atomics.store(this.flag, FLAG.raised, 1);
    // A part that begins after this load sees the flag.
    const synchronous = Atomics.load(this.flag, FLAG.part);
    this.handlers.cancel();
    if (synchronous !== 0) setTimeout(() => this.selfSignal.end(synchronous), SIGNAL_AFTER);
    else this.explainLater(this.handlers.runningCell());
  }

  /** Handles a SIGINT that reached this process and ended no synchronous code of a cell. */
  onSignal(): void {
    this.signals++;
    if (!this.selfSignal.came()) this.raise();
  }

  /** Takes notice that a cell has ended, by a signal or without it. */
  cellEnded(): void {
    this.selfSignal.cellEnded();
  }

  /** Shows why an interrupted cell goes on, unless the main thread clears the flag until then. */
  private explainLater(cell: RunningCell | null): void {
    if (!cell) return;
    const explain = (): void => {
      if (Atomics.load(this.flag, FLAG.raised) === 0) return;
      if (cell.trains) cell.show('stdout', PAUSING);
      else cell.show('stderr', UNINTERRUPTIBLE);
    };
    setTimeout(explain, cell.trains ? EXPLAIN_PAUSE_AFTER : EXPLAIN_AFTER).unref();
  }
}
