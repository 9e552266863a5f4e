import { FLAG } from './flag';

/** Time that synchronous code has for its `finally` once it noticed an interrupt, in milliseconds. */
const TIDY = 600;
/** Time after which nothing says any more that a signal has come, in milliseconds. */
const LOST = 2000;

/**
 * The SIGINT that the wire thread sends to its own process, for synchronous
 * code that nothing else ends. The code may end before the signal comes: until
 * it is known where it came no other cell may begin, which would be hit in its
 * place.
 */
export class SelfSignal {
  private sent = false;
  private lost: NodeJS.Timeout | undefined;

  /** @param onSettled called when it is known at last where a signal came, other than by {@link cellEnded} */
  constructor(
    private readonly flag: Int32Array,
    private readonly onSettled: () => void,
  ) {}

  /** Returns whether a signal is under way. */
  get pending(): boolean {
    return this.sent;
  }

  /** Ends a synchronous part that did not see the flag; one that did may be putting things in order, and has a moment. */
  end(part: number, patience = TIDY): void {
    if (this.sent || Atomics.load(this.flag, FLAG.part) !== part) return;
    if (patience > 0 && Atomics.load(this.flag, FLAG.raised) === 2)
      return void setTimeout(() => this.end(part, 0), patience);
    this.sent = true;
    process.kill(process.pid, 'SIGINT');
  }

  /** A signal has reached this process, and no synchronous code of a cell. Returns whether it was this one. */
  came(): boolean {
    if (!this.sent) return false;
    this.settle();
    return true;
  }

  /** The cell has ended, by the signal or without it. */
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
