import { FLAG } from '../interrupt/flag';

/** Seconds of {@link FLAG.seconds} after which a request that the main thread has not taken is given up. */
const GIVE_UP_AFTER = 4;

/**
 * Wire thread: calls `giveUp` when the main thread does not take a request
 * although its event loop runs: a cell has broken the way of messages to it.
 *
 * @param isOpen whether the request is still to be answered
 */
export function watchUntaken(flag: Int32Array, id: number, isOpen: () => boolean, giveUp: () => void): void {
  const until = Atomics.load(flag, FLAG.seconds) + GIVE_UP_AFTER;
  const look = (): void => {
    if (!isOpen() || Atomics.load(flag, FLAG.taken) >= id) return clearInterval(timer);
    if (Atomics.load(flag, FLAG.seconds) < until) return;
    clearInterval(timer);
    giveUp();
  };
  const timer = setInterval(look, 1000).unref();
}
