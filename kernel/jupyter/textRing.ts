/**
 * Printed text on its way from the main thread to the wire thread, in shared
 * memory: a message for each `console.log` would cost more than the printing.
 *
 * Layout: a header of 32-bit numbers, then the bytes (UTF-8), used in a circle.
 */
const WRITTEN = 0;
const READ = 1;
const AWAKE = 2;
const POSTED = 3;
const HEADER_BYTES = 16;
const CAPACITY = 1 << 20;

export function createTextRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + CAPACITY);
}

/** Main thread: the end that text is written to. */
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

  /** Returns `false`, having written nothing, where the text does not fit. */
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

  /** Returns whether the reader has to be notified of text: it has not been since it last went to sleep. */
  wake(): boolean {
    return Atomics.exchange(this.header, AWAKE, 1) === 0;
  }

  /** Counts a message that is about to be posted to the wire thread. */
  countMessage(): void {
    Atomics.add(this.header, POSTED, 1);
  }
}

/** Wire thread: the end that text is read from. */
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

  /** From now on the writer notifies of new text. */
  sleep(): void {
    Atomics.store(this.header, AWAKE, 0);
  }

  /** The text up to a position. */
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
   * The text that is known to come before any message still to arrive. Empty
   * while a message is on its way: it says up to where the text comes first.
   */
  readAll(): string {
    const position = Atomics.load(this.header, WRITTEN) >>> 0;
    return Atomics.load(this.header, POSTED) === this.handled ? this.readTo(position) : '';
  }
}
