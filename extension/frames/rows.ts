import type { FrameSequence } from './sequence';

/** Takes the inflated bytes of frames that `shiftedRows` has packed, and cuts them into frames. */
export class RowAssembler {
  private readonly header: Uint8Array;
  private readonly part: Uint8Array;
  private readonly before: Uint8Array;
  private readonly words: Uint32Array;
  private readonly delta: Uint8Array;
  private filled = 0;
  private begun = false;

  constructor(
    private readonly sequence: FrameSequence,
    private readonly frameCount: number,
  ) {
    const { width, height, words } = sequence;
    this.header = new Uint8Array(2 * height + width * height);
    this.part = new Uint8Array(height + width * height);
    this.before = this.header.subarray(2 * height);
    this.words = new Uint32Array(words);
    this.delta = new Uint8Array(this.words.buffer, 0, width * height);
  }

  /** Takes inflated bytes. Returns false once all frames are there. */
  write(bytes: Uint8Array): boolean {
    for (let offset = 0; offset < bytes.length; ) {
      const place = this.begun ? this.part : this.header;
      const taken = bytes.subarray(offset, offset + place.length - this.filled);
      place.set(taken, this.filled);
      this.filled += taken.length;
      offset += taken.length;
      if (this.filled < place.length) return true;
      this.filled = 0;
      this.append();
      if (this.sequence.count === this.frameCount) return false;
    }
    return true;
  }

  private append(): void {
    if (this.begun) this.followingFrame();
    else this.delta.set(this.before);
    this.begun = true;
    this.sequence.append(this.words);
  }

  /** Computes the difference to the frame before, and that frame. */
  private followingFrame(): void {
    const { width, height } = this.sequence;
    const { header, part, before, delta } = this;
    delta.fill(0);
    for (let y = 0; y < height; y++) {
      const from = y * width + header[y];
      const length = Math.min(width, header[height + y]) - header[y];
      if (length <= 0) continue;
      const move = (part[y] << 24) >> 24;
      const row = before.slice(from, from + length);
      for (let x = 0, of = ((-move % length) + length) % length; x < length; x++, of++) {
        if (of === length) of = 0;
        const now = part[height + from + x] ^ row[of];
        delta[from + x] = now ^ row[x];
        before[from + x] = now;
      }
    }
  }
}
