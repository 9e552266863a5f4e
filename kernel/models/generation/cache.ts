import type { Feed } from '../../onnx/session';
import type { ModelConfig } from '../config';

/** Slots are added so many at a time, or an eighth where that is more: the graph attends to all slots, also to empty ones. */
const STEP = 16;

/** Room is made at first for as many slots as are needed, up to so many. */
const MOST_ROOM = 8 * STEP;

/** Added by a mask to the score of a token that is not to be seen. */
export const HIDDEN = -1e9;

/** A lower triangle after `past` columns that all rows see: row i sees columns 0 … past + i. */
export function causalMask(length: number, past = 0): Feed {
  const width = past + length;
  const data = new Float32Array(length * width);
  for (let row = 0; row < length; row++) data.fill(HIDDEN, row * width + past + row + 1, (row + 1) * width);
  return { shape: [length, width], data };
}

/**
 * Keys and values of completions that grow by a token each at a time, in the
 * layout that the decoding graph reads: [kv, rows, slots, headSize], per layer
 * of the keys and of the values.
 */
export class KeyValueCache {
  private slots = STEP;
  private length = 0;
  /** Keys and values of the first layer, of the second, and so on; longer than they are filled. */
  private tensors: Float32Array[];
  private mask: Float32Array = new Float32Array(STEP).fill(HIDDEN);
  private readonly kv: number;
  private readonly size: number;
  private fed: Record<string, Feed> | undefined;

  constructor(
    config: ModelConfig,
    private rows: number,
    /** Tokens that a row may grow to. */
    limit: number,
  ) {
    this.kv = config.numKeyValueHeads;
    this.size = config.headSize;
    const room = Math.min(STEP * Math.ceil(limit / STEP), MOST_ROOM);
    this.tensors = Array.from(
      { length: 2 * config.numLayers },
      () => new Float32Array(this.kv * rows * room * this.size),
    );
  }

  /** Elements of one tensor. */
  private get elements(): number {
    return this.kv * this.rows * this.slots * this.size;
  }

  feeds(): Record<string, Feed> {
    return (this.fed ??= this.makeFeeds());
  }

  private makeFeeds(): Record<string, Feed> {
    const { rows, kv, size, slots, elements } = this;
    const feeds: Record<string, Feed> = { mask: { shape: [slots], data: this.mask } };
    this.tensors.forEach((tensor, i) => {
      const name = `${i % 2 === 0 ? 'own_keys' : 'own_values'}.${i >> 1}`;
      feeds[name] = { shape: [kv, rows, slots, size], data: tensor.subarray(0, elements) };
    });
    return feeds;
  }

  /** Adds one token's keys and values, as the decoding graph gives them: [2 · layers · kv, rows, headSize]. */
  append(newest: Float32Array): void {
    if (this.length === this.slots) this.grow();
    const heads = this.kv * this.rows;
    this.tensors.forEach((tensor, i) => place(newest, i * heads, tensor, heads, this.slots, this.length, this.size));
    this.mask[this.length] = 0;
    this.length++;
  }

  /** Keeps only the given rows, in ascending order. */
  keep(rows: readonly number[]): void {
    const { kv, size, slots } = this;
    const stride = size * slots;
    for (const tensor of this.tensors) {
      for (let head = 0, to = 0; head < kv; head++) {
        for (const row of rows) {
          const from = (head * this.rows + row) * stride;
          tensor.copyWithin(to, from, from + stride);
          to += stride;
        }
      }
    }
    this.rows = rows.length;
    this.fed = undefined;
  }

  /** Makes the runs of slots longer: in place from the last to the first, in new memory where there is no room. */
  private grow(): void {
    const { slots, size } = this;
    const runs = this.kv * this.rows;
    this.slots += STEP * Math.max(1, Math.floor(slots / (8 * STEP)));
    this.tensors = this.tensors.map((tensor) => {
      const wider = tensor.length < this.elements ? new Float32Array(2 * runs * slots * size) : tensor;
      for (let run = runs - 1; run >= 0; run--) {
        const [from, to] = [run * slots * size, run * this.slots * size];
        if (wider === tensor) tensor.copyWithin(to, from, from + slots * size);
        else wider.set(tensor.subarray(from, from + slots * size), to);
      }
      return wider;
    });
    const mask = new Float32Array(this.slots).fill(HIDDEN);
    mask.set(this.mask);
    this.mask = mask;
    this.fed = undefined;
  }
}

/** Puts vectors from [heads, size], beginning with head `first`, into a slot of [heads, slots, size]. For so few elements a view to copy from costs more than the copy. */
function place(
  from: Float32Array,
  first: number,
  to: Float32Array,
  heads: number,
  slots: number,
  slot: number,
  size: number,
): void {
  for (let head = 0; head < heads; head++) {
    const source = (first + head) * size;
    const target = (head * slots + slot) * size;
    for (let i = 0; i < size; i++) to[target + i] = from[source + i];
  }
}
