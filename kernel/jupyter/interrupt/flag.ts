/*
 * Numbers in memory that the main thread and the wire thread share: by them an
 * interrupt reaches code that computes (see README.md), and the wire thread
 * sees that the main thread is alive.
 */

/** Indices of the numbers. */
export const FLAG = {
  /** 1 while what runs is to stop, 2 once something has stopped: what runs then may be a `finally`. The main thread sets it back to 0 when it handles the interrupt. */
  raised: 0,
  /** While a synchronous part of a cell runs, which SIGINT can end, that part's own number; else 0. */
  part: 1,
  /** Counts the interrupts of the session. */
  count: 2,
  /** 1 when SIGINT has ended a synchronous part. */
  ended: 3,
  /** The number of the newest request that the main thread has begun. */
  taken: 4,
  /** Counts the seconds in which the main thread's event loop has run. */
  seconds: 5,
} as const;

/** Returns the shared memory of the numbers, all 0. */
export function createInterruptFlag(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(Object.keys(FLAG).length * Int32Array.BYTES_PER_ELEMENT));
}
