/** Version of the messages between kernel and worker; the worker's is in `joylab_worker/channel.py`. */
export const VERSION = 1;

/** Numbers, and bytes of files, that travel as they are. */
export type Part = Int32Array | Float32Array | Uint8Array;

/** A message: JSON, and parts of numbers by name. */
export interface Message {
  type: string;
  /** Of a request, and of its answer. */
  id?: number;
  [field: string]: unknown;
}

const DTYPES = { int32: Int32Array, float32: Float32Array, uint8: Uint8Array };
const LENGTHS = 8;
/** Longest frame that is read, in bytes: what claims to be longer is no frame. */
const LONGEST = 2 ** 28;

/** A message as a frame: two little-endian 32-bit lengths, the JSON, then the parts one after the other. */
export function encodeFrame(message: Message, parts: Record<string, Part> = {}): Buffer {
  const shapes = Object.entries(parts).map(([name, part]) => ({
    name,
    dtype: part instanceof Int32Array ? 'int32' : part instanceof Float32Array ? 'float32' : 'uint8',
    shape: [part.length],
  }));
  const text = Buffer.from(JSON.stringify({ ...message, parts: shapes }));
  const binary = Object.values(parts).map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
  const lengths = Buffer.alloc(LENGTHS);
  lengths.writeUInt32LE(text.length, 0);
  lengths.writeUInt32LE(
    binary.reduce((sum, { length }) => sum + length, 0),
    4,
  );
  return Buffer.concat([lengths, text, ...binary]);
}

/** Puts together the frames that a socket delivers in pieces. */
export class FrameReader {
  private pieces: Buffer[] = [];
  private bytes = 0;

  /**
   * Takes the next piece.
   *
   * @returns the messages that it completes
   * @throws where the bytes are no frames
   */
  push(piece: Buffer): Message[] {
    this.pieces.push(piece);
    this.bytes += piece.length;
    const messages: Message[] = [];
    for (;;) {
      const whole = this.needed();
      if (whole === null || this.bytes < whole) return messages;
      const joined = this.joined();
      messages.push(decodeFrame(joined.subarray(0, whole)));
      this.pieces = [joined.subarray(whole)];
      this.bytes -= whole;
    }
  }

  /** Bytes of the frame that is under way, or null where that is not known yet. */
  private needed(): number | null {
    if (this.bytes < LENGTHS) return null;
    const head = this.pieces[0].length >= LENGTHS ? this.pieces[0] : this.joined();
    const length = LENGTHS + head.readUInt32LE(0) + head.readUInt32LE(4);
    if (length > LONGEST) throw new Error(`a frame of ${length} bytes`);
    return length;
  }

  private joined(): Buffer {
    if (this.pieces.length > 1) this.pieces = [Buffer.concat(this.pieces)];
    return this.pieces[0];
  }
}

function decodeFrame(frame: Buffer): Message {
  const textEnd = LENGTHS + frame.readUInt32LE(0);
  const { parts = [], ...message } = JSON.parse(frame.toString('utf8', LENGTHS, textEnd));
  let offset = textEnd;
  for (const { name, dtype, shape } of parts as Array<{ name: string; dtype: keyof typeof DTYPES; shape: number[] }>) {
    const count = shape.reduce((product, size) => product * size, 1);
    // A copy: typed arrays begin at multiples of their elements.
    const length = DTYPES[dtype].BYTES_PER_ELEMENT * count;
    const bytes = Uint8Array.prototype.slice.call(frame, offset, offset + length);
    message[name] = new DTYPES[dtype](bytes.buffer, 0, count);
    offset += length;
  }
  return message as Message;
}

/** Lists of token ids as two parts: all ids in a row, and how many each list has. */
export function ragged(rows: readonly (readonly number[])[]): { ids: Int32Array; lengths: Int32Array } {
  return { ids: Int32Array.from(rows.flat()), lengths: Int32Array.from(rows, ({ length }) => length) };
}

/** The lists that {@link ragged} was given. */
export function unragged({ ids, lengths }: Record<string, unknown>): number[][] {
  let end = 0;
  return Array.from(lengths as Int32Array, (length) => {
    end += length;
    return Array.from((ids as Int32Array).subarray(end - length, end));
  });
}
