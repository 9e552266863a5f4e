import type { Feed } from '../onnx/session';
import type { ModelConfig } from './config';

/** Slots are added so many at a time: the graph attends to all slots, also to empty ones. */
const STEP = 32;

/** What a mask adds to the score of a token that is not to be seen. */
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
 * layout that the decoding graph reads: [rows, kv, slots, headSize].
 */
export class KeyValueCache {
  private slots = STEP;
  private length = 0;
  private keys: Float32Array[];
  private values: Float32Array[];
  private mask: Float32Array = new Float32Array(STEP).fill(HIDDEN);
  private readonly kv: number;
  private readonly size: number;

  constructor(
    config: ModelConfig,
    private rows: number,
  ) {
    this.kv = config.numKeyValueHeads;
    this.size = config.headSize;
    const make = () => new Float32Array(rows * this.kv * this.size * STEP);
    this.keys = Array.from({ length: config.numLayers }, make);
    this.values = Array.from({ length: config.numLayers }, make);
  }

  feeds(): Record<string, Feed> {
    const { rows, kv, size, slots } = this;
    const elements = rows * kv * size * slots;
    const feeds: Record<string, Feed> = { mask: { shape: [slots], data: this.mask } };
    this.keys.forEach((keys, layer) => {
      feeds[`own_keys.${layer}`] = { shape: [rows, kv, slots, size], data: keys.subarray(0, elements) };
      feeds[`own_values.${layer}`] = { shape: [rows, kv, slots, size], data: this.values[layer].subarray(0, elements) };
    });
    return feeds;
  }

  /** Adds one token's keys and values, [rows, kv · headSize] per layer. */
  append(keys: readonly Float32Array[], values: readonly Float32Array[]): void {
    if (this.length === this.slots) this.grow();
    const { rows, kv, size, slots, length } = this;
    for (let layer = 0; layer < keys.length; layer++) {
      place(keys[layer], this.keys[layer], { heads: rows * kv, size, slots, slot: length });
      place(values[layer], this.values[layer], { heads: rows * kv, size, slots, slot: length });
    }
    this.mask[length] = 0;
    this.length++;
  }

  /** Keeps only the given rows, in ascending order. */
  keep(rows: readonly number[]): void {
    const stride = this.kv * this.size * this.slots;
    for (const tensor of [...this.keys, ...this.values]) {
      rows.forEach((from, to) => tensor.copyWithin(to * stride, from * stride, (from + 1) * stride));
    }
    this.rows = rows.length;
  }

  private grow(): void {
    const { rows, kv, size, slots } = this;
    const wider = slots + STEP;
    this.keys = this.keys.map((keys) => stretch(keys, rows * kv, slots * size, wider * size));
    this.values = this.values.map((values) => stretch(values, rows * kv, slots * size, wider * size));
    this.mask = stretch(this.mask, 1, slots, wider, HIDDEN);
    this.slots = wider;
  }
}

/** Puts one token's vectors [heads, size] into a slot of [heads, slots, size]. For so few elements a view to copy from costs more than the copy. */
function place(from: Float32Array, to: Float32Array, { heads, size, slots, slot }: { heads: number; size: number; slots: number; slot: number }): void {
  for (let head = 0; head < heads; head++) {
    const source = head * size;
    const target = (head * slots + slot) * size;
    for (let i = 0; i < size; i++) to[target + i] = from[source + i];
  }
}

/** Copies `rows` runs of `before` elements into runs of `after`, the rest filled. */
function stretch(data: Float32Array, rows: number, before: number, after: number, fill = 0): Float32Array {
  const result = new Float32Array(rows * after);
  if (fill !== 0) result.fill(fill);
  for (let row = 0; row < rows; row++) result.set(data.subarray(row * before, (row + 1) * before), row * after);
  return result;
}
