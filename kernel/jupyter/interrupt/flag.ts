/*
 * Numbers in memory that the main thread and the wire thread have: by them an
 * interrupt reaches code that computes (see README.md), and the wire thread
 * sees that the main thread lives.
 */

/** Entries of the flag. */
export const FLAG = {
  /** 1 while what runs shall stop, 2 once something was stopped: what runs then may be a `finally`. Back to 0 when the main thread has heard of it. */
  raised: 0,
  /** A number of its own for each synchronous part of a cell, which SIGINT ends, and 0 elsewhere. */
  part: 1,
  /** Counts the interrupts of the session. */
  count: 2,
  /** 1 when SIGINT has ended a synchronous part. */
  ended: 3,
  /** The number of the newest request that the main thread has begun with. */
  taken: 4,
  /** Counts the seconds in which the main thread was not busy with something else. */
  seconds: 5,
} as const;

export function createInterruptFlag(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(Object.keys(FLAG).length * Int32Array.BYTES_PER_ELEMENT));
}
