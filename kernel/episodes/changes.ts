import { deflateSync } from 'node:zlib';

/** The frames of an episode, packed for a view: see {@link ChangedFrames}. */
export interface PackedFrames {
  count: number;
  bytes: Uint8Array;
}

/**
 * Packs frames as they come, by what changes: a few percent of the pixels, so that a
 * whole group of rollouts can be kept, sent and played at once.
 *
 * #### Notes
 * The packed bytes are zlib-deflated little-endian words of 32 bits: the first frame,
 * four pixels in a word, then for each further frame the number of its changes and, for
 * each of these, the index of a word and its XOR with the frame before.
 */
export class ChangedFrames {
  private readonly shown: Uint32Array;
  private readonly bytes: Uint8Array;
  private readonly parts: Uint32Array[] = [];
  private readonly found: Uint32Array;

  /** @param pixels pixels of a frame */
  constructor(pixels: number) {
    const words = Math.ceil(pixels / 4);
    this.shown = new Uint32Array(words);
    this.bytes = new Uint8Array(words * 4);
    this.found = new Uint32Array(1 + 2 * words);
  }

  get count(): number {
    return this.parts.length;
  }

  /** Adds a frame, which is not kept. */
  add(frame: Uint8Array): void {
    const { shown, bytes, found } = this;
    bytes.set(frame);
    const words = new Uint32Array(bytes.buffer);
    if (this.parts.length === 0) {
      this.parts.push(words.slice());
    } else {
      let length = 1;
      for (let i = 0; i < words.length; i++) {
        if (words[i] === shown[i]) continue;
        found[length++] = i;
        found[length++] = words[i] ^ shown[i];
      }
      found[0] = (length - 1) / 2;
      this.parts.push(found.slice(0, length));
    }
    shown.set(words);
  }

  pack(): PackedFrames {
    const all = new Uint32Array(this.parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return { count: this.count, bytes: deflateSync(new Uint8Array(all.buffer), { level: 3 }) };
  }
}
