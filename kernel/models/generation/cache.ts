import type { Feed } from '../../onnx/session';
import type { ModelConfig } from '../config';

/**
 * Slots that are added at a time, or an eighth of them where that is more: the graph
 * attends to all slots, also to empty ones.
 */
const STEP = 16;

/** Slots that are allocated at first, at most. */
const MOST_ROOM = 8 * STEP;

/** What a mask adds to the score of a hidden token. */
export const HIDDEN = -1e9;

/** Returns a causal mask [length, past + length]: row i sees columns 0 … past + i. */
export function causalMask(length: number, past = 0): Feed {
  const width = past + length;
  const data = new Float32Array(length * width);
  for (let row = 0; row < length; row++) data.fill(HIDDEN, row * width + past + row + 1, (row + 1) * width);
  return { shape: [length, width], data };
}

/**
 * The key-value cache of completions that grow by a token each at a time, in the
 * layout of the decoding graph: [kv, rows, slots, headSize], per layer of the keys and
 * of the values.
 */
export class KeyValueCache {
  private slots = STEP;
  private length = 0;
  /** Keys and values of the first layer, of the second, and so on; allocated beyond their slots. */
  private tensors: Float32Array[];
  private mask: Float32Array = new Float32Array(STEP).fill(HIDDEN);
  private readonly kv: number;
  private readonly size: number;
  private fed: Record<string, Feed> | undefined;

  constructor(
    config: ModelConfig,
    private rows: number,
    /** Largest number of tokens of a row. */
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

  /** Number of elements of one tensor. */
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

  /** Adds slots: in place from the last row to the first, or in new memory where there is no room. */
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

/**
 * Copies vectors [heads, size] of `from`, beginning with head `first`, into a slot of
 * `to` [heads, slots, size], element by element: for so few a view costs more than the
 * copy.
 */
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
