import { FLAG } from './flag';

/** Milliseconds that synchronous code has for its `finally` once it has seen the flag. */
const FINALLY_GRACE = 600;
/** Milliseconds after a cell's end in which a signal is still expected. */
const LOST = 2000;

/**
 * The SIGINT that the wire thread sends to its own process, for synchronous
 * code that nothing else ends. The code may end before the signal arrives.
 * Until it has arrived, no other cell begins, since the signal would end that.
 */
export class SelfSignal {
  private sent = false;
  private lost: NodeJS.Timeout | undefined;

  /** @param onSettled called when a signal that a cell did not end by has arrived, or counts as lost */
  constructor(
    private readonly flag: Int32Array,
    private readonly onSettled: () => void,
  ) {}

  /** Whether a signal is on its way. */
  get pending(): boolean {
    return this.sent;
  }

  /** Ends a synchronous part, if it still runs; one that has seen the flag may be in a `finally`, and has `grace` milliseconds for it. */
  end(part: number, grace = FINALLY_GRACE): void {
    if (this.sent || Atomics.load(this.flag, FLAG.part) !== part) return;
    if (grace > 0 && Atomics.load(this.flag, FLAG.raised) === 2) return void setTimeout(() => this.end(part, 0), grace);
    this.sent = true;
    process.kill(process.pid, 'SIGINT');
  }

  /** Takes notice of a signal that ended no synchronous code of a cell. Returns whether it was this one. */
  came(): boolean {
    if (!this.sent) return false;
    this.settle();
    return true;
  }

  /** Takes notice that the cell has ended, by the signal or without it. */
  cellEnded(): void {
    if (Atomics.exchange(this.flag, FLAG.ended, 0) === 1) this.sent = false;
    if (this.sent) this.lost = setTimeout(() => this.settle(), LOST).unref();
  }

  private settle(): void {
    clearTimeout(this.lost);
    this.sent = false;
    this.onSettled();
  }
}
