import { int64Feed, type Feed } from '../../onnx/session';
import { HIDDEN } from './cache';
import type { ModelConfig } from '../config';

/** Keys [kv, headSize, tokens] and values [kv, tokens, headSize] of a prompt, per layer. */
export interface PromptKeys {
  length: number;
  keys: Float32Array[];
  values: Float32Array[];
}

/**
 * Keys and values of several prompts, each shared by the completions of its group:
 * [kv, groups, headSize, tokens] and [kv, groups, tokens, headSize], shorter prompts
 * padded. The rows of a batch lie group after group; for attention to the prompts they
 * are laid out as a rectangle [groups, places].
 */
export class PromptCache {
  private readonly length: number;
  private readonly keys: Float32Array[];
  private readonly values: Float32Array[];
  private mask: Float32Array;
  private groups: number;
  private layout: Record<string, Feed> = {};
  private fed: Record<string, Feed> | undefined;

  constructor(
    private readonly config: ModelConfig,
    prompts: readonly PromptKeys[],
  ) {
    this.groups = prompts.length;
    this.length = Math.max(...prompts.map((prompt) => prompt.length));
    const { headSize: size } = config;
    const layers = Array.from({ length: config.numLayers }, (_, layer) => layer);
    this.keys = layers.map((layer) =>
      this.join(
        prompts.map(({ keys, length }) => ({ data: keys[layer], run: length })),
        size,
        1,
      ),
    );
    this.values = layers.map((layer) =>
      this.join(
        prompts.map(({ values, length }) => ({ data: values[layer], run: length * size })),
        1,
        size,
      ),
    );
    this.mask = new Float32Array(this.groups * this.length).fill(HIDDEN);
    prompts.forEach(({ length }, g) => this.mask.fill(0, g * this.length, g * this.length + length));
  }

  /**
   * Joins the arrays of prompts. Those of one prompt are used without a copy. Several
   * are copied head by head, each `runs` runs of `unit` numbers per token, and padded to
   * the longest prompt.
   */
  private join(parts: readonly { data: Float32Array; run: number }[], runs: number, unit: number): Float32Array {
    if (parts.length === 1) return parts[0].data;
    const { numKeyValueHeads: kv } = this.config;
    const width = this.length * unit;
    const result = new Float32Array(kv * parts.length * runs * width);
    for (let head = 0, to = 0; head < kv; head++) {
      for (const { data, run } of parts) {
        for (let i = head * runs; i < (head + 1) * runs; i++, to += width)
          result.set(data.subarray(i * run, (i + 1) * run), to);
      }
    }
    return result;
  }

  /**
   * Sets the group of each row, in ascending order, and returns the new indices of the
   * groups: those without rows are dropped.
   */
  assign(groupOf: readonly number[]): readonly number[] {
    const kept = [...new Set(groupOf)];
    if (kept.length < this.groups) this.keep(kept);
    const rowGroups = groupOf.map((group) => kept.indexOf(group));
    const counts = new Array<number>(this.groups).fill(0);
    const place = rowGroups.map((group) => counts[group]++);
    const places = Math.max(...counts);
    const toGroups = new Array<number>(this.groups * places).fill(0);
    const fromGroups = rowGroups.map((group, row) => {
      const cell = group * places + place[row];
      toGroups[cell] = row;
      return cell;
    });
    this.layout = { to_groups: int64Feed(toGroups, [this.groups, places]), from_groups: int64Feed(fromGroups) };
    this.fed = undefined;
    return rowGroups;
  }

  private keep(groups: readonly number[]): void {
    const { numKeyValueHeads } = this.config;
    const compact = (data: Float32Array, heads: number) => {
      const stride = data.length / (heads * this.groups);
      let to = 0;
      for (let head = 0; head < heads; head++) {
        for (const group of groups) {
          const from = (head * this.groups + group) * stride;
          data.copyWithin(to, from, from + stride);
          to += stride;
        }
      }
      return data.subarray(0, to);
    };
    for (const tensors of [this.keys, this.values])
      tensors.forEach((data, layer) => (tensors[layer] = compact(data, numKeyValueHeads)));
    this.mask = compact(this.mask, 1);
    this.groups = groups.length;
  }

  /** Returns whether all rows belong to one prompt without padding: then the graph needs neither rectangle nor mask. */
  get isSingle(): boolean {
    return this.groups === 1 && this.mask[this.length - 1] === 0;
  }

  feeds(): Record<string, Feed> {
    return (this.fed ??= this.makeFeeds());
  }

  private makeFeeds(): Record<string, Feed> {
    const { numKeyValueHeads: kv, headSize: size } = this.config;
    const { groups, length } = this;
    const leading = this.isSingle ? [kv] : [kv, groups];
    const feeds: Record<string, Feed> = {
      prompt_mask: { shape: [groups, 1, length], data: this.mask },
      ...this.layout,
    };
    this.keys.forEach((data, layer) => {
      feeds[`prompt_keys.${layer}`] = { shape: [...leading, size, length], data };
      feeds[`prompt_values.${layer}`] = { shape: [...leading, length, size], data: this.values[layer] };
    });
    return feeds;
  }
}
