import { setTimeout as pause } from 'node:timers/promises';

/** First and longest pause between two tries in milliseconds; each is twice as long as the one before. */
const FIRST = 100;
const LONGEST = 3000;

/** Exponential back-off: a growing pause between tries, until a timeout. */
export class Backoff {
  /** Whether there was a pause. */
  waited = false;
  private since: number | undefined;
  private wait = FIRST;

  /** @param timeout milliseconds from the first failure on */
  constructor(
    private readonly timeout: number,
    private readonly options: { signal?: AbortSignal; onWait?: (line: string) => void },
  ) {}

  /** Waits for the next try. Resolves to `false` when the time is over; rejects with the signal's reason when it is aborted. */
  async next(what: string): Promise<boolean> {
    this.since ??= Date.now();
    const left = this.since + this.timeout - Date.now();
    if (left <= 0) return false;
    this.waited = true;
    this.options.onWait?.(`${what}, ${Math.ceil(left / 1000)} s at most …`);
    const { signal } = this.options;
    await pause(Math.min(left, this.wait), undefined, { signal }).catch((error) => {
      throw signal?.reason ?? error;
    });
    this.wait = Math.min(2 * this.wait, LONGEST);
    return true;
  }
}
