/**
 * An answer to `input_request`, handed from the wire thread to the main thread,
 * which blocks until it arrives, so that `prompt` can return a string. Of the
 * 32-bit header, entry 0 is the state, entry 1 the length of the text in bytes;
 * the text follows in UTF-8.
 */
const WAITING = 0;
const ANSWERED = 1;
const CANCELLED = 2;
const TOO_LONG = 3;
const HEADER_BYTES = 8;
const MAXIMUM_BYTES = 1 << 20;

/** Returns the memory of an answer that has not arrived. */
export function createAnswer(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + MAXIMUM_BYTES);
}

/**
 * Main thread: blocks until the answer arrives, and returns it; `null` when it was cancelled.
 *
 * @throws RangeError when the answer has more than 1 MiB
 */
export function awaitAnswer(answer: SharedArrayBuffer): string | null {
  const state = new Int32Array(answer, 0, 2);
  Atomics.wait(state, 0, WAITING);
  const arrived = Atomics.load(state, 0);
  if (arrived === TOO_LONG)
    throw new RangeError(
      `The answer has ${state[1]} bytes; an input takes ${MAXIMUM_BYTES} at most. Read what is longer from a file.`,
    );
  if (arrived !== ANSWERED) return null;
  return Buffer.from(new Uint8Array(answer, HEADER_BYTES, state[1])).toString('utf8');
}

/** Wire thread: wakes the main thread with the text, or with `null` to cancel. */
export function giveAnswer(answer: SharedArrayBuffer, text: string | null): void {
  const state = new Int32Array(answer, 0, 2);
  const bytes = Buffer.from(text ?? '');
  const fits = bytes.length <= MAXIMUM_BYTES;
  if (fits) new Uint8Array(answer, HEADER_BYTES).set(bytes);
  state[1] = bytes.length;
  Atomics.store(state, 0, text === null ? CANCELLED : fits ? ANSWERED : TOO_LONG);
  Atomics.notify(state, 0);
}
