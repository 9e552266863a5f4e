/** The differences between two frames, by words of 4 pixels: index of the word, XOR of its pixels, index, XOR, … */
export type Change = Uint32Array;

/**
 * The frames of an episode in memory: the first one, and the differences from each to
 * the next. A few percent of the pixels differ, so a thousand frames take about a
 * megabyte instead of 33. XOR is its own inverse, so that playing backwards costs the
 * same as forwards.
 */
export class FrameSequence {
  private readonly changes: Change[] = [];
  private first: Uint32Array | null = null;

  /**
   * @param palette 3 bytes (red, green, blue) per colour
   * @param aspect width divided by height of the picture, see {@link EpisodeData.aspect}
   */
  constructor(
    readonly width: number,
    readonly height: number,
    readonly palette: Uint8Array,
    readonly aspect?: number,
  ) {}

  get count(): number {
    return this.first ? this.changes.length + 1 : 0;
  }

  /** Number of words of 4 pixels in a frame; the last may be padded with zeros. */
  get words(): number {
    return Math.ceil((this.width * this.height) / 4);
  }

  /**
   * Appends a frame.
   *
   * @param delta its XOR with the frame before it; the first frame itself. `words`
   *   words, not kept
   */
  append(delta: Uint32Array): void {
    if (!this.first) this.first = delta.slice();
    else this.changes.push(compress(delta));
  }

  /** Appends a frame by what changes from the one before. The change is kept. */
  appendChange(change: Change): void {
    this.changes.push(change);
  }

  /**
   * Appends frames as `ChangedFrames` packs them. The words are kept.
   *
   * @throws Error when they are cut off
   */
  appendChanges(words: Uint32Array, frameCount: number): void {
    this.first = words.subarray(0, this.words);
    let at = this.words;
    while (this.count < frameCount) {
      const end = at + 1 + 2 * words[at];
      if (!(end <= words.length)) throw new Error(`its frames are cut off after ${this.count} of ${frameCount}`);
      this.changes.push(words.subarray(at + 1, end));
      at = end;
    }
  }

  /** Returns a reader with its own position: several views can show one sequence. Throws when there are no frames. */
  cursor(): FrameCursor {
    if (!this.first) throw new Error('There are no frames.');
    return new FrameCursor(this.first, this.changes);
  }
}

/** Holds the pixels of one frame and moves to others. */
export class FrameCursor {
  /** `height × width` palette indices of the frame at `index`, padded to a multiple of 4. */
  readonly pixels: Uint8Array;
  private readonly words: Uint32Array;
  private at = 0;

  constructor(
    first: Uint32Array,
    private readonly changes: Change[],
  ) {
    this.words = first.slice();
    this.pixels = new Uint8Array(this.words.buffer);
  }

  get index(): number {
    return this.at;
  }

  /**
   * Moves to the frame `index`, from 0 to count − 1. Returns whether a pixel may differ.
   *
   * @param changed called with what has changed, which may be the same pixels several times
   */
  seek(index: number, changed?: (change: Change) => void): boolean {
    if (index === this.at) return false;
    const passed: Change[] = [];
    while (this.at < index) passed.push(this.changes[this.at++]);
    while (this.at > index) passed.push(this.changes[--this.at]);
    for (const change of passed) apply(this.words, change);
    if (changed) for (const change of passed) changed(change);
    return true;
  }
}

function compress(delta: Uint32Array): Change {
  let changed = 0;
  for (let i = 0; i < delta.length; i++) if (delta[i] !== 0) changed++;
  const change = new Uint32Array(changed * 2);
  let next = 0;
  for (let i = 0; i < delta.length; i++) {
    if (delta[i] === 0) continue;
    change[next++] = i;
    change[next++] = delta[i];
  }
  return change;
}

function apply(words: Uint32Array, change: Change): void {
  for (let i = 0; i < change.length; i += 2) words[change[i]] ^= change[i + 1];
}
