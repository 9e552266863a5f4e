import { float32ToBfloat16, float32ToFloat16 } from '../checkpoint/halfPrecision';
import { TYPES, type TypeName } from './types';

/*
 * float32 → blocks of ggml's types, to the bit what llama.cpp's reference code
 * makes of the same values: so every step is rounded to float32.
 */

/** Writes the codes of a block, and its factor and offset into `scales`. */
type Quantizer = (x: Float32Array, codes: Uint8Array, scales: Float32Array) => void;

interface Layout {
  quantize: Quantizer;
  /** Byte positions in a block of its factor, of its offset where it has one, and of its codes. */
  factor: number;
  offset?: number;
  codes: number;
}

const { fround } = Math;

const LAYOUTS: Partial<Record<TypeName, Layout>> = {
  Q4_0: { quantize: symmetric(4), factor: 0, codes: 2 },
  Q4_1: { quantize: withOffset(4), factor: 0, offset: 2, codes: 4 },
  Q5_0: { quantize: symmetric(5), factor: 0, codes: 2 },
  Q5_1: { quantize: withOffset(5), factor: 0, offset: 2, codes: 4 },
  Q8_0: { quantize: eightBits, factor: 0, codes: 2 },
  TQ1_0: { quantize: ternaryInFifths, factor: 52, codes: 0 },
  TQ2_0: { quantize: ternaryInPairs, factor: 64, codes: 0 },
};

/** Returns the bytes of values in a type; the number of values is a multiple of its block. */
export function quantize(type: TypeName, data: Float32Array): Uint8Array {
  if (type === 'F32') return bytesOf(data);
  if (type === 'F16') return bytesOf(float32ToFloat16(data));
  if (type === 'BF16') return bytesOf(float32ToBfloat16(data));
  const layout = LAYOUTS[type];
  if (!layout) throw new Error(`nothing is quantised to ${type} here`);
  const { values, bytes } = TYPES[type];
  const count = data.length / values;
  const result = new Uint8Array(count * bytes);
  const scales = new Float32Array(2 * count);
  for (let block = 0; block < count; block++) {
    const codes = result.subarray(block * bytes + layout.codes, (block + 1) * bytes);
    layout.quantize(
      data.subarray(block * values, (block + 1) * values),
      codes,
      scales.subarray(2 * block, 2 * block + 2),
    );
  }
  const halves = bytesOf(float32ToFloat16(scales));
  for (let block = 0; block < count; block++) {
    result.set(halves.subarray(4 * block, 4 * block + 2), block * bytes + layout.factor);
    if (layout.offset !== undefined)
      result.set(halves.subarray(4 * block + 2, 4 * block + 4), block * bytes + layout.offset);
  }
  return result;
}

function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function inverse(factor: number): number {
  return factor === 0 ? 0 : fround(1 / factor);
}

/** Returns a quantiser with codes around the middle: the value of the largest magnitude, with its sign, is the lowest code. */
function symmetric(bits: 4 | 5): Quantizer {
  const middle = 2 ** (bits - 1);
  return (x, codes, scales) => {
    let extreme = 0;
    for (const value of x) if (Math.abs(value) > Math.abs(extreme)) extreme = value;
    scales[0] = extreme / -middle;
    const factor = inverse(scales[0]);
    const code = (value: number) => {
      const whole = Math.trunc(fround(fround(value * factor) + middle + 0.5));
      return Math.min(2 * middle - 1, Math.max(0, whole));
    };
    pack(x, codes, code, bits);
  };
}

/** Returns a quantiser with codes from the smallest value to the largest. */
function withOffset(bits: 4 | 5): Quantizer {
  const last = 2 ** bits - 1;
  return (x, codes, scales) => {
    let [least, most] = [x[0], x[0]];
    for (const value of x) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
    scales[0] = fround(most - least) / last;
    scales[1] = least;
    const factor = inverse(scales[0]);
    const code = (value: number) => Math.min(last, Math.trunc(fround(fround(fround(value - least) * factor) + 0.5)));
    pack(x, codes, code, bits);
  };
}

/** Writes 32 codes: the fifth bits in four bytes, then the lower four of value i and of value i + 16 in a byte. */
function pack(x: Float32Array, codes: Uint8Array, code: (value: number) => number, bits: 4 | 5): void {
  const start = bits === 5 ? 4 : 0;
  for (let i = 0; i < 16; i++) {
    const [low, high] = [code(x[i]), code(x[i + 16])];
    codes[start + i] = (low & 15) | ((high & 15) << 4);
    if (bits === 4) continue;
    codes[i >> 3] |= (low >> 4) << (i & 7);
    codes[2 + (i >> 3)] |= (high >> 4) << (i & 7);
  }
}

function largest(x: Float32Array): number {
  let value = 0;
  for (const one of x) if (Math.abs(one) > value) value = Math.abs(one);
  return value;
}

/** Rounds to the nearest whole number, ties away from zero. */
function round(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}

function eightBits(x: Float32Array, codes: Uint8Array, scales: Float32Array): void {
  scales[0] = largest(x) / 127;
  const factor = inverse(scales[0]);
  for (let i = 0; i < 32; i++) codes[i] = round(fround(x[i] * factor));
}

/**
 * Returns a function that gives value i the code 0, 1 or 2, for about minus the
 * largest magnitude, 0, and the largest magnitude.
 */
function ternary(x: Float32Array, scales: Float32Array): (i: number) => number {
  scales[0] = largest(x);
  const factor = inverse(scales[0]);
  return (i) => round(fround(x[i] * factor)) + 1;
}

/** Layout of digits of base 3, five in a byte: values [from, 5, step], one byte for each step; at the end four in a byte. */
const FIFTHS = [
  { from: 0, step: 32, digits: 5, byte: 0 },
  { from: 160, step: 16, digits: 5, byte: 32 },
  { from: 240, step: 4, digits: 4, byte: 48 },
];

function ternaryInFifths(x: Float32Array, codes: Uint8Array, scales: Float32Array): void {
  const digit = ternary(x, scales);
  for (const { from, step, digits, byte } of FIFTHS)
    for (let i = 0; i < step; i++) {
      let number = 0;
      for (let n = 0; n < 5; n++) number = 3 * number + (n < digits ? digit(from + n * step + i) : 0);
      // A fraction of 256, so that multiplying by 3 brings out a digit.
      codes[byte + i] = Math.floor((number * 256 + 242) / 243);
    }
}

function ternaryInPairs(x: Float32Array, codes: Uint8Array, scales: Float32Array): void {
  const digit = ternary(x, scales);
  for (let i = 0; i < 64; i++) {
    const from = (i >> 5) * 128 + (i & 31);
    for (let n = 0; n < 4; n++) codes[i] |= digit(from + 32 * n) << (2 * n);
  }
}
