import { FLAG } from '../interrupt/flag';

/** Seconds without other work in which the main thread does not take a request, before it is given up. */
const PATIENCE = 4;

/**
 * Wire thread: calls `giveUp` where the main thread does not take a request
 * although it is not busy: a cell broke what brings it there.
 *
 * @param isOpen whether the request is still to be answered
 */
export function watchUntaken(flag: Int32Array, id: number, isOpen: () => boolean, giveUp: () => void): void {
  const until = Atomics.load(flag, FLAG.seconds) + PATIENCE;
  const look = (): void => {
    if (!isOpen() || Atomics.load(flag, FLAG.taken) >= id) return clearInterval(timer);
    if (Atomics.load(flag, FLAG.seconds) < until) return;
    clearInterval(timer);
    giveUp();
  };
  const timer = setInterval(look, 1000).unref();
}
