import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds between two tries: each time twice as long, up to the last. */
const FIRST = 100;
const LONGEST = 3000;

/** Tries with a growing pause between them, until a time is over. */
export class Waiting {
  /** True where there was a pause at all. */
  waited = false;
  private since: number | undefined;
  private wait = FIRST;

  /** @param timeout milliseconds from the first failure on */
  constructor(
    private readonly timeout: number,
    private readonly options: { signal?: AbortSignal; onWait?: (line: string) => void },
  ) {}

  /** Waits for the next try; gives `false` when the time is over. Fails with the signal's reason when it is aborted. */
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
