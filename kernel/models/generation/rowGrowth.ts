import type { Row } from './generateBatch';
import type { Choice } from './sampling';
import type { Streamer } from './streamer';

/** What ends a completion, and its streamer. */
export interface GrowthSetting {
  decode: (ids: readonly number[]) => string;
  /** Tokens and texts that end a completion. */
  eos: readonly number[];
  stops: readonly string[];
  streamer?: Streamer;
}

/** Appends tokens to completions. */
export class RowGrowth {
  readonly eos: ReadonlySet<number>;
  private readonly tail: number;

  constructor(private readonly setting: GrowthSetting) {
    this.eos = new Set(setting.eos);
    // A token is at least a byte of text; tokens before spare the stop string from how a decoder treats the first one.
    this.tail = Math.max(0, ...setting.stops.map((stop) => Buffer.byteLength(stop))) + 8;
  }

  /** Appends the next token to a completion, which may be its last. */
  append(row: Row, choice: Choice): void {
    const { token, logprob, top } = choice;
    row.ids.push(token);
    row.logprobs.push(logprob);
    if (top) row.top.push(top);
    row.seen.add(token);
    this.setting.streamer?.put([token], [choice]);
    row.terminated = this.eos.has(token) || this.hasStop(row.ids);
  }

  /** Returns whether the newest token completes a stop string. Only the tokens that may contain it are decoded. */
  private hasStop(ids: readonly number[]): boolean {
    if (this.setting.stops.length === 0) return false;
    const text = this.setting.decode(ids.slice(-this.tail));
    return this.setting.stops.some((stop) => text.includes(stop));
  }
}
