import { bfloat16ToFloat32, float16ToFloat32 } from '../checkpoint/halfPrecision';
import { TYPES, type TypeName } from './types';

/*
 * Blocks of ggml's types → float32. In the comments a block's parts in their
 * order, and which of them belongs to value i.
 */

/** The values of one block. */
type Dequantizer = (block: Uint8Array, out: Float32Array) => void;

const BLOCKS: Partial<Record<TypeName, Dequantizer>> = {
  Q4_0: (block, out) => nibbles(block, out, 2, (code) => (code - 8) * half(block, 0)),
  Q4_1: (block, out) => nibbles(block, out, 4, (code) => Math.fround(half(block, 0) * code) + half(block, 2)),
  Q5_0: (block, out) => nibbles(block, out, 6, (code, i) => ((code | fifth(block, 2, i)) - 16) * half(block, 0)),
  Q5_1: (block, out) =>
    nibbles(block, out, 8, (code, i) => Math.fround(half(block, 0) * (code | fifth(block, 4, i))) + half(block, 2)),
  Q8_0: (block, out) => {
    const factor = half(block, 0);
    for (let i = 0; i < 32; i++) out[i] = signed(block[2 + i]) * factor;
  },
  Q2_K: q2K,
  Q3_K: q3K,
  Q4_K: (block, out) => q45K(block, out, null),
  Q5_K: (block, out) => q45K(block, out, 16),
  Q6_K: q6K,
  IQ4_NL: (block, out) => nibbles(block, out, 2, (code) => LEVELS[code] * half(block, 0)),
  IQ4_XS: iq4Xs,
  TQ1_0: tq10,
  TQ2_0: tq20,
  MXFP4: (block, out) => {
    const exponent = block[0];
    const factor = 2 ** (exponent - 128);
    nibbles(block, out, 1, (code) => FOUR_BITS[code] * factor);
  },
};

/** Returns whether a type can be read as float32. */
export function isDequantized(type: TypeName): boolean {
  return ['F32', 'F16', 'BF16'].includes(type) || type in BLOCKS;
}

/** Dequantises blocks of a type into `out`. Throws when the type cannot be read. */
export function dequantizeInto(type: TypeName, raw: Buffer, out: Float32Array): void {
  if (type === 'F32') new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(raw);
  else if (type === 'F16') float16ToFloat32(words(raw), out);
  else if (type === 'BF16') bfloat16ToFloat32(words(raw), out);
  else {
    const block = BLOCKS[type];
    if (!block)
      throw new Error(
        `${type} cannot be read as float32 here (readable: F32, F16, BF16, ${Object.keys(BLOCKS).join(', ')})`,
      );
    const { values, bytes } = TYPES[type];
    for (let i = 0; i * values < out.length; i++)
      block(raw.subarray(i * bytes, (i + 1) * bytes), out.subarray(i * values, (i + 1) * values));
  }
}

function words(raw: Buffer): Uint16Array {
  return new Uint16Array(new Uint8Array(raw).buffer);
}

let halves: Float32Array | undefined;

function half(block: Uint8Array, at: number): number {
  halves ??= float16ToFloat32(Uint16Array.from({ length: 65536 }, (_, i) => i));
  return halves[block[at] | (block[at + 1] << 8)];
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** Reads 32 codes of four bits: those of value i and of value i + 16 in a byte. */
function nibbles(block: Uint8Array, out: Float32Array, at: number, value: (code: number, i: number) => number): void {
  for (let i = 0; i < 16; i++) {
    out[i] = value(block[at + i] & 15, i);
    out[i + 16] = value(block[at + i] >> 4, i + 16);
  }
}

/** Returns the fifth bit of value i, shifted to its position. */
function fifth(block: Uint8Array, at: number, i: number): number {
  return ((block[at + (i >> 3)] >> (i & 7)) & 1) << 4;
}

/** Returns two bits of value i of 256: a byte has those of four values that are 32 apart. */
function twoBits(block: Uint8Array, at: number, i: number): number {
  return (block[at + (i >> 7) * 32 + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
}

/** Reads Q2_K: factors and offsets of 16 values each in 4 bits, codes, factor and offset of the block. */
function q2K(block: Uint8Array, out: Float32Array): void {
  const [factor, offset] = [half(block, 80), half(block, 82)];
  for (let i = 0; i < 256; i++) {
    const scale = block[i >> 4];
    out[i] = Math.fround(factor * (scale & 15)) * twoBits(block, 16, i) - Math.fround(offset * (scale >> 4));
  }
}

/** Reads Q3_K: upper bits, lower two bits, factors of 16 values each in 6 bits, factor of the block. */
function q3K(block: Uint8Array, out: Float32Array): void {
  const factor = half(block, 108);
  for (let i = 0; i < 256; i++) {
    const group = i >> 4;
    const low = (block[96 + (group & 7)] >> (group < 8 ? 0 : 4)) & 15;
    const high = (block[104 + (group & 3)] >> (2 * (group >> 2))) & 3;
    const code = twoBits(block, 32, i) - ((block[i & 31] >> (i >> 5)) & 1 ? 0 : 4);
    out[i] = Math.fround(factor * ((low | (high << 4)) - 32)) * code;
  }
}

/** Reads Q4_K and Q5_K: factor and offset of the block, those of 32 values each in 6 bits, upper bits (Q5_K), lower four bits. */
function q45K(block: Uint8Array, out: Float32Array, upper: number | null): void {
  const [factor, offset] = [half(block, 0), half(block, 2)];
  const codes = upper === null ? 16 : 48;
  for (let group = 0; group < 8; group++) {
    const { scale, least } = sixBits(block, 4, group);
    const [by, minus] = [Math.fround(factor * scale), Math.fround(offset * least)];
    for (let i = 0; i < 32; i++) {
      let code = (block[codes + (group >> 1) * 32 + i] >> (group & 1 ? 4 : 0)) & 15;
      if (upper !== null) code |= ((block[upper + i] >> group) & 1) << 4;
      out[32 * group + i] = Math.fround(by * code) - minus;
    }
  }
}

/**
 * Returns factor and offset of a group of 32: the first four in 6 bits of a byte each,
 * the others in the remaining bits and four more bytes.
 */
function sixBits(block: Uint8Array, at: number, group: number): { scale: number; least: number } {
  if (group < 4) return { scale: block[at + group] & 63, least: block[at + 4 + group] & 63 };
  const rest = block[at + 4 + group];
  return {
    scale: (rest & 15) | ((block[at + group - 4] >> 2) & 48),
    least: (rest >> 4) | ((block[at + group] >> 2) & 48),
  };
}

/** Reads Q6_K: lower four bits, upper two, factors of 16 values each in 8 bits, factor of the block. */
function q6K(block: Uint8Array, out: Float32Array): void {
  const factor = half(block, 208);
  for (let i = 0; i < 256; i++) {
    const low = (block[(i >> 7) * 64 + (i & 63)] >> ((i >> 6) & 1 ? 4 : 0)) & 15;
    const code = (low | (twoBits(block, 128, i) << 4)) - 32;
    out[i] = Math.fround(factor * signed(block[192 + (i >> 4)])) * code;
  }
}

const LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** Twice the values of four-bit floating point: a sign, two bits of exponent, one of fraction. */
const FOUR_BITS = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/** Reads IQ4_XS: factor of the block, upper and lower bits of the factors of 32 values each, then the codes of each 32 values. */
function iq4Xs(block: Uint8Array, out: Float32Array): void {
  const factor = half(block, 0);
  const upper = block[2] | (block[3] << 8);
  for (let group = 0; group < 8; group++) {
    const low = (block[4 + (group >> 1)] >> (group & 1 ? 4 : 0)) & 15;
    const by = Math.fround(factor * ((low | (((upper >> (2 * group)) & 3) << 4)) - 32));
    nibbles(block, out.subarray(32 * group), 8 + 16 * group, (code) => by * LEVELS[code]);
  }
}

const POWERS = [1, 3, 9, 27, 81];

/** Reads TQ1_0: digits of base 3, five in a byte: 160 values in 32 bytes, 80 in 16, 16 in 4; factor of the block. */
function tq10(block: Uint8Array, out: Float32Array): void {
  const factor = half(block, 52);
  for (let i = 0; i < 256; i++) {
    const [from, step, byte] = i < 160 ? [0, 32, 0] : i < 240 ? [160, 16, 32] : [240, 4, 48];
    const power = POWERS[Math.floor((i - from) / step)];
    const fraction = (block[byte + ((i - from) % step)] * power) & 255;
    out[i] = (((fraction * 3) >> 8) - 1) * factor;
  }
}

function tq20(block: Uint8Array, out: Float32Array): void {
  const factor = half(block, 64);
  for (let i = 0; i < 256; i++) out[i] = (twoBits(block, 0, i) - 1) * factor;
}
