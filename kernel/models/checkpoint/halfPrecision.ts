/** Converts bfloat16 bits to float32, into `result` where it is given: bfloat16 is the upper half of a float32. */
export function bfloat16ToFloat32(
  bits: Uint16Array,
  result: Float32Array = new Float32Array(bits.length),
): Float32Array {
  const words = new Uint32Array(result.buffer, result.byteOffset, bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
  return result;
}

/** Converts float32 to bfloat16 bits, rounded to nearest, ties to even. */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i];
    // A NaN must not be rounded into an infinity.
    result[i] = (x & 0x7fffffff) > 0x7f800000 ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return result;
}

let table: Float32Array | undefined;

/** Converts float16 bits to float32, into `result` where it is given. */
export function float16ToFloat32(
  bits: Uint16Array,
  result: Float32Array = new Float32Array(bits.length),
): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, i) => decodeHalf(i));
  for (let i = 0; i < bits.length; i++) result[i] = table[bits[i]];
  return result;
}

function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * 2 ** -24 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

/** Converts float32 to float16 bits, rounded to nearest, ties to even; too large values become infinite. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const result = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) result[i] = encodeHalf(bits[i]);
  return result;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function encodeHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From 65520 on the nearest is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Normal: the exponent's bias falls from 127 to 15, the fraction is rounded to 10 bits; a carry moves into the exponent by itself.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  // Subnormal: next to 0.5 neighbours are as far apart as subnormal halves, so that adding it rounds.
  scratchBits[0] = magnitude;
  scratch[0] += 0.5;
  return sign | (scratchBits[0] - 0x3f000000);
}
