/**
 * Printed text on its way from the main thread to the wire thread, in a ring
 * buffer of shared memory: a message for each `console.log` would cost more
 * than the printing.
 *
 * Layout: a header of 32-bit numbers, then the bytes of the ring (UTF-8).
 */
const WRITTEN = 0;
const READ = 1;
const AWAKE = 2;
const POSTED = 3;
const HEADER_BYTES = 16;
const CAPACITY = 1 << 20;

/** Returns the shared memory of an empty ring of 1 MiB. */
export function createTextRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + CAPACITY);
}

/** Main thread: writes to the ring. */
export class TextWriter {
  private readonly header: Int32Array;
  private readonly bytes: Uint8Array;

  constructor(ring: SharedArrayBuffer) {
    this.header = new Int32Array(ring, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.bytes = new Uint8Array(ring, HEADER_BYTES);
  }

  /** Bytes written so far, modulo 2³². */
  get position(): number {
    return Atomics.load(this.header, WRITTEN) >>> 0;
  }

  /** Writes a text. Returns `false` when it does not fit; then nothing is written. */
  write(text: string): boolean {
    const encoded = Buffer.from(text);
    const position = this.position;
    const used = (position - Atomics.load(this.header, READ)) >>> 0;
    if (encoded.length > CAPACITY - used) return false;
    const start = position % CAPACITY;
    const first = encoded.subarray(0, CAPACITY - start);
    this.bytes.set(first, start);
    this.bytes.set(encoded.subarray(first.length), 0);
    Atomics.store(this.header, WRITTEN, (position + encoded.length) | 0);
    return true;
  }

  /** Returns whether the reader must be notified of text: it has not been since it last called `sleep`. */
  wake(): boolean {
    return Atomics.exchange(this.header, AWAKE, 1) === 0;
  }

  /** Counts a message that is about to be posted to the wire thread. */
  countMessage(): void {
    Atomics.add(this.header, POSTED, 1);
  }
}

/** Wire thread: reads from the ring. */
export class TextReader {
  private readonly header: Int32Array;
  private readonly bytes: Uint8Array;
  private handled = 0;

  constructor(ring: SharedArrayBuffer) {
    this.header = new Int32Array(ring, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.bytes = new Uint8Array(ring, HEADER_BYTES);
  }

  /** Counts a message that has arrived from the main thread. */
  countMessage(): void {
    this.handled = (this.handled + 1) | 0;
  }

  /** Asks the writer to notify of the next text. */
  sleep(): void {
    Atomics.store(this.header, AWAKE, 0);
  }

  /** Takes the text up to a position out of the ring and returns it. */
  readTo(position: number): string {
    const from = Atomics.load(this.header, READ) >>> 0;
    const length = (position - from) >>> 0;
    if (length === 0 || length > CAPACITY) return '';
    const start = from % CAPACITY;
    const joined = Buffer.allocUnsafe(length);
    const first = this.bytes.subarray(start, Math.min(start + length, CAPACITY));
    joined.set(first, 0);
    joined.set(this.bytes.subarray(0, length - first.length), first.length);
    Atomics.store(this.header, READ, position | 0);
    return joined.toString('utf8');
  }

  /**
   * Takes the text that comes before any message still to arrive, and returns
   * it. Empty while a message is on its way: its position says which text comes
   * before it.
   */
  readAll(): string {
    const position = Atomics.load(this.header, WRITTEN) >>> 0;
    return Atomics.load(this.header, POSTED) === this.handled ? this.readTo(position) : '';
  }
}
