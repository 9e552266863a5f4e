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
  private frames = 0;

  /** @param pixels pixels of a frame */
  constructor(pixels: number) {
    const words = Math.ceil(pixels / 4);
    this.shown = new Uint32Array(words);
    this.bytes = new Uint8Array(words * 4);
  }

  get count(): number {
    return this.frames;
  }

  /** Adds a frame, which is not kept. */
  add(frame: Uint8Array): void {
    const { shown, bytes, parts } = this;
    bytes.set(frame);
    const words = new Uint32Array(bytes.buffer);
    if (parts.length === 0) {
      parts.push(words.slice());
    } else {
      const changes = changesOf(shown, words);
      parts.push(new Uint32Array([changes.length / 2]), changes);
    }
    this.frames++;
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

/** Room for the changes that are being found. */
let found = new Uint32Array(0);

/** Returns what changes from one frame to another: index of a word of four pixels, its XOR, index, XOR, … */
export function changesOf(before: Uint32Array, after: Uint32Array): Uint32Array {
  if (found.length < 2 * after.length) found = new Uint32Array(2 * after.length);
  let length = 0;
  for (let i = 0; i < after.length; i++) {
    if (after[i] === before[i]) continue;
    found[length++] = i;
    found[length++] = after[i] ^ before[i];
  }
  return found.slice(0, length);
}
