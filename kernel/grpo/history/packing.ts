import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { parseExact, stringifyExact } from '../../common/exactJson';
import type { EpisodeRecord } from '../../episodes/episode';

/** Bytes of a dictionary, at most: deflate looks back no further. */
const WINDOW = 32_768;

/** Deflates bytes. @param dictionary what they have in common with others */
export function deflated(bytes: Uint8Array, dictionary?: Uint8Array): Buffer {
  return deflateRawSync(bytes, { level: 6, ...(dictionary && { dictionary }) });
}

export function inflated(bytes: Uint8Array, dictionary?: Uint8Array): Buffer {
  return inflateRawSync(bytes, dictionary && { dictionary });
}

/** Returns a dictionary of texts; the end of it, which deflate finds cheapest, is of the first ones. */
export function dictionaryOf(texts: readonly string[]): Buffer {
  const distinct = [...new Set(texts)];
  const bytes = Buffer.from(distinct.reverse().join('\n'));
  return bytes.subarray(Math.max(0, bytes.length - WINDOW));
}

/** An episode without what a replay gives back: its named state. */
export type CompactEpisode = Omit<EpisodeRecord, 'states'> & { states?: EpisodeRecord['states'] };

/** Returns an episode as bytes: a header in JSON, then its columns. */
export function packEpisode({ actions, rewards, lives, states, ...header }: CompactEpisode): Buffer {
  const names = Object.keys(states ?? {});
  const text = Buffer.from(stringifyExact({ ...header, states: names }));
  const columns = [actions, rewards, lives, ...names.map((name) => states![name])];
  const packed = new Packer();
  packed.whole(text.length);
  packed.raw(text);
  for (const column of columns) packed.column(column);
  return Buffer.from(packed.bytes);
}

export function unpackEpisode(bytes: Uint8Array): CompactEpisode {
  const reader = new Unpacker(bytes);
  const header = parseExact(reader.text(reader.whole()), 'a kept episode') as Omit<EpisodeRecord, 'states'> & {
    states: string[];
  };
  const [actions, rewards, lives] = [reader.column(), reader.column(), reader.column()];
  const states = Object.fromEntries(header.states.map((name) => [name, reader.column()]));
  return { ...header, actions, rewards, lives, states };
}

/** Tokens of a completion; of one that was sampled elsewhere the log-probabilities are not known. */
export interface CompletionTokens {
  ids: number[];
  /** In nats, to a thousandth. */
  logprobs: number[] | null;
}

/** Thousandths of a nat that the log-probability of a token may have: 65 nats are 10⁻²⁸. */
const LEAST = 65_535;

export function packTokens(ids: ArrayLike<number>, logprobs: ArrayLike<number>): Buffer {
  const packed = new Packer();
  packed.whole(ids.length);
  packed.whole(logprobs.length);
  for (let i = 0; i < ids.length; i++) packed.whole(ids[i]);
  const parts = Array.from(logprobs, (logprob) => Math.min(LEAST, Math.max(0, Math.round(-logprob * 1000))));
  // High and low bytes apart: the high ones are mostly zeros.
  for (const part of parts) packed.bytes.push(part >> 8);
  for (const part of parts) packed.bytes.push(part & 255);
  return deflated(Buffer.from(packed.bytes));
}

export function unpackTokens(bytes: Uint8Array): CompletionTokens {
  const reader = new Unpacker(inflated(bytes));
  const [count, known] = [reader.whole(), reader.whole()];
  const ids = Array.from({ length: count }, () => reader.whole());
  if (known === 0) return { ids, logprobs: null };
  const [high, low] = [reader.raw(known), reader.raw(known)];
  return { ids, logprobs: Array.from(high, (byte, i) => -((byte << 8) | low[i]) / 1000 + 0) };
}

/** Writes numbers of a varying number of bytes. */
class Packer {
  readonly bytes: number[] = [];

  /** Writes a whole number from 0. */
  whole(value: number): void {
    for (; value > 127; value = Math.floor(value / 128)) this.bytes.push((value % 128) | 128);
    this.bytes.push(value);
  }

  raw(bytes: Uint8Array): void {
    for (const byte of bytes) this.bytes.push(byte);
  }

  /** Writes a column: whole numbers as differences, others as doubles. */
  column(values: readonly number[]): void {
    const isWhole = values.every(
      (value) => Number.isInteger(value) && Math.abs(value) < 2 ** 46 && !Object.is(value, -0),
    );
    this.whole(values.length * 2 + (isWhole ? 0 : 1));
    if (!isWhole) this.raw(new Uint8Array(Float64Array.from(values).buffer));
    else
      for (let i = 0; i < values.length; i++) {
        const difference = values[i] - (i > 0 ? values[i - 1] : 0);
        this.whole(difference < 0 ? -difference * 2 - 1 : difference * 2);
      }
  }
}

class Unpacker {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  whole(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      if (byte === undefined) throw new RangeError('it is cut off');
    }
  }

  text(length: number): string {
    return Buffer.from(this.raw(length)).toString();
  }

  raw(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new RangeError('it is cut off');
    return this.bytes.subarray(this.at, (this.at += length));
  }

  column(): number[] {
    const head = this.whole();
    const length = Math.floor(head / 2);
    if (head % 2 === 1) return Array.from(new Float64Array(Uint8Array.from(this.raw(length * 8)).buffer));
    let last = 0;
    return Array.from({ length }, () => {
      const coded = this.whole();
      return (last += coded % 2 === 1 ? -(coded + 1) / 2 : coded / 2);
    });
  }
}
