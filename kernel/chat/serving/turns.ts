import { raceAbort } from '../../common/raceAbort';
import { ApiError } from './protocol';

/** Requests that wait for the model, at most. */
const MOST_WAITING = 256;

/** Gives requests the model, one after another: they would only share its cores. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /**
   * Resolves as `work` does, which begins when those before it have ended.
   *
   * @throws ApiError 429 where too many wait; the signal's reason when aborted
   */
  async take<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (this.waiting >= MOST_WAITING)
      throw new ApiError(429, `${MOST_WAITING} requests wait already. Try again later.`, null, 'rate_limit_exceeded');
    this.waiting++;
    const mine = this.last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.last = mine.catch(() => {}).finally(() => this.waiting--);
    return raceAbort(mine, signal);
  }
}
