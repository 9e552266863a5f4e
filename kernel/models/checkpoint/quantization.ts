import { sizeOf, type Tensor } from '../../onnx/tensor';

/*
 * The formats of 4 and 8 bits are those of bitsandbytes, which
 * transformers, PEFT and Unsloth use for load_in_4bit and load_in_8bit. Only
 * the weights of the blocks' linear layers are quantised; embedding, norms,
 * biases and head stay float32, and so does all arithmetic.
 */

/**
 * 4-bit NormalFloat ("QLoRA", arXiv 2305.14314): blocks of 64 values in reading
 * order, each value the nearest of 16 levels times the largest magnitude of its
 * block. 4.5 bits per weight.
 */
export interface Nf4Weight {
  format: 'nf4';
  /** [out, in]. */
  shape: number[];
  /** Two codes per byte, the earlier value in the upper half. */
  codes: Uint8Array;
  /** Largest magnitude of each block. */
  absmax: Float32Array;
}

/** 8 bits ("LLM.int8()", arXiv 2208.07339): each value is a whole multiple of 1/127 of the largest magnitude of its row. */
export interface Int8Weight {
  format: 'int8';
  /** [out, in]. */
  shape: number[];
  codes: Int8Array;
  /** Per row, the factor of its codes: 1/127 of the largest magnitude. */
  scales: Float32Array;
}

export type QuantizedWeight = Nf4Weight | Int8Weight;
export type QuantizedFormat = QuantizedWeight['format'];

/** Values of a block, which share a factor in {@link Nf4Weight}. */
export const NF4_BLOCK = 64;

/** Quantiles of a normal distribution between -1 and 1, from the paper. */
export const NF4_LEVELS = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** The borders between levels; a value on the border goes to the lower one. */
const NF4_BORDERS = Float32Array.from({ length: 15 }, (_, i) => Math.fround(NF4_LEVELS[i] + NF4_LEVELS[i + 1]) / 2);

/** Returns a weight quantised. Throws when it does not divide into blocks of `nf4`. */
export function quantize(weight: Tensor, format: QuantizedFormat): QuantizedWeight {
  return format === 'nf4' ? quantizeNf4(weight) : quantizeInt8(weight);
}

function quantizeNf4({ shape, data }: Tensor): Nf4Weight {
  if (data.length % NF4_BLOCK !== 0) {
    throw new Error(
      `a weight [${shape.join(', ')}] does not divide into blocks of ${NF4_BLOCK} values, which loadIn4bit needs; use loadIn8bit`,
    );
  }
  const codes = new Uint8Array(data.length / 2);
  const absmax = new Float32Array(data.length / NF4_BLOCK);
  for (let block = 0; block < absmax.length; block++) {
    const start = block * NF4_BLOCK;
    const end = start + NF4_BLOCK;
    absmax[block] = largest(data, start, end);
    const inverse = Math.fround(1 / Math.max(absmax[block], 1e-38));
    for (let i = start; i < end; i += 2) {
      codes[i >> 1] =
        (nearestLevel(Math.fround(data[i] * inverse)) << 4) | nearestLevel(Math.fround(data[i + 1] * inverse));
    }
  }
  return { format: 'nf4', shape, codes, absmax };
}

/** For x from −1 to 1 in steps of 1/32, none of which has two borders: the number of borders below the step. */
const BORDERS_BELOW = Uint8Array.from(
  { length: 65 },
  (_, step) => NF4_BORDERS.filter((border) => border < step / 32 - 1).length,
);

/** Returns the number of borders below x: the index of its nearest level. */
function nearestLevel(x: number): number {
  const below = BORDERS_BELOW[(x * 32 + 32) | 0];
  return x > NF4_BORDERS[below] ? below + 1 : below;
}

function quantizeInt8({ shape, data }: Tensor): Int8Weight {
  const [rows, width] = shape;
  const codes = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    const absmax = largest(data, start, start + width);
    const inverse = absmax > 0 ? 127 / absmax : 0;
    for (let i = start; i < start + width; i++) codes[i] = roundHalfToEven(data[i] * inverse);
    scales[row] = absmax / 127;
  }
  return { format: 'int8', shape, codes, scales };
}

function largest(data: Float32Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const magnitude = Math.abs(data[i]);
    if (magnitude > value) value = magnitude;
  }
  return value;
}

/** Rounds to the nearest whole number, ties to even: far from zero the step between neighbouring numbers is 1. */
function roundHalfToEven(x: number): number {
  return x + 6755399441055744 - 6755399441055744;
}

/** Returns the values of a quantised weight as a new float32 tensor. */
export function dequantize(weight: QuantizedWeight): Tensor {
  const data = new Float32Array(sizeOf(weight.shape));
  if (weight.format === 'int8') {
    const width = weight.shape[1];
    for (let i = 0; i < data.length; i++) data[i] = weight.codes[i] * weight.scales[Math.floor(i / width)];
  } else {
    const { codes, absmax } = weight;
    for (let i = 0; i < data.length; i++) {
      const code = i & 1 ? codes[i >> 1] & 15 : codes[i >> 1] >> 4;
      data[i] = NF4_LEVELS[code] * absmax[Math.floor(i / NF4_BLOCK)];
    }
  }
  return { shape: [...weight.shape], data };
}

/** Returns the bytes that a quantised weight takes in memory. */
export function quantizedBytes(weight: QuantizedWeight): number {
  return weight.codes.byteLength + (weight.format === 'nf4' ? weight.absmax : weight.scales).byteLength;
}
