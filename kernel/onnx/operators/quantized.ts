import { int } from '../graph';
import type { ElementType, Value } from '../value';
import { mul, single } from './arithmetic';

/*
 * Linear layers of quantised weights. A weight is expanded to float32 for the
 * one product that reads it and freed again, forward and backward, so that
 * never more than one layer is held expanded. For this the weights are inputs
 * (constants ONNX Runtime expands for good) and the expansion waits for the
 * rows that it is for (else it may be made with all others at the start, and
 * that of the forward pass is kept for the backward pass). The weights are not
 * trained: gradients flow to the rows.
 */

/** A weight [out, in] in blocks of 4-bit codes: value = level of the code · factor of its block. */
export interface Nf4Values {
  /** Codes, two in a byte, the earlier in the upper half; uint8, [out · in / 2]. */
  codes: Value;
  /** The factor of each block; float32, [out · in / blockSize]. */
  absmax: Value;
  /** The values of the 16 codes. */
  levels: Float32Array;
  /** [out, in]. */
  shape: readonly [number, number];
}

/** Returns x · wᵀ for rows x [rows, in] and a weight in bitsandbytes' NF4 format. */
export function linearNf4(x: Value, weight: Nf4Values): Value {
  const [N, K] = weight.shape;
  return x.graph.node('MatMulBnb4', [x, weight.codes, weight.absmax], 'float32', [x.dimension(0), N], {
    domain: 'com.microsoft',
    attributes: { K: int(K), N: int(N), block_size: int(blockSize(weight)), quant_type: int(1) },
    // With transB = 0 the operator reads wrong memory on the CPU.
    vjps: [single((g) => product(g, expandNf4(weight, g))), null, null],
  });
}

function blockSize({ absmax, shape: [out, width] }: Nf4Values): number {
  return (out * width) / (absmax.dimension(0) as number);
}

function expandNf4(weight: Nf4Values, rows: Value): Value {
  const { codes, absmax, levels, shape } = weight;
  const { graph } = codes;
  const pairs = Float32Array.from({ length: 512 }, (_, i) => levels[i & 1 ? (i >> 1) & 15 : i >> 5]);
  const table = graph.shared('nf4 pairs', () => graph.constant('float32', [256, 2], pairs));
  const indices = graph.node('Cast', [waiting(codes, rows)], 'int32', codes.shape, { attributes: { to: int(6) } });
  const values = graph.node('Gather', [table, indices], 'float32', [codes.dimension(0), 2], {
    attributes: { axis: int(0) },
  });
  const size = blockSize(weight);
  const blocks = graph.node('Reshape', [values, graph.int64([-1, size])], 'float32', [absmax.dimension(0), size]);
  const factors = graph.node('Reshape', [absmax, graph.int64([-1, 1])], 'float32', [absmax.dimension(0), 1]);
  return graph.node('Reshape', [mul(blocks, factors), graph.int64(shape)], 'float32', shape);
}

/** A weight [out, in] in 8 bits: value = code · scale of its row. */
export interface Int8Values {
  /** int8, [out, in]. */
  codes: Value;
  /** float32, [out]. */
  scales: Value;
}

/** Returns x · wᵀ for rows x [rows, in] and a weight in 8 bits. */
export function linearInt8(x: Value, weight: Int8Values): Value {
  return x.graph.node('Gemm', [x, expandInt8(weight, x)], 'float32', [x.dimension(0), weight.codes.dimension(0)], {
    attributes: { transB: int(1) },
    vjps: [single((g) => product(g, expandInt8(weight, g))), null],
  });
}

function expandInt8({ codes, scales }: Int8Values, rows: Value): Value {
  return codes.graph.node('DequantizeLinear', [codes, waiting(scales, rows)], 'float32', codes.shape, {
    attributes: { axis: int(0) },
  });
}

/** Returns a vector that is made only after `rows`: with none of their elements appended. */
function waiting(vector: Value, rows: Value): Value {
  const { graph } = rows;
  const nothing = graph.shared(`no ${vector.type} of ${rows.name}`, () => {
    const zero = graph.int64([0]);
    const slice = graph.node('Slice', [rows, zero, zero, zero], 'float32', [0, rows.dimension(1)]);
    const flat = graph.node('Reshape', [slice, zero], 'float32', [0], { attributes: { allowzero: int(1) } });
    const types: Partial<Record<ElementType, number>> = { float32: 1, uint8: 2 };
    return graph.node('Cast', [flat], vector.type, [0], { attributes: { to: int(types[vector.type]!) } });
  });
  return graph.node('Concat', [vector, nothing], vector.type, vector.shape, { attributes: { axis: int(0) } });
}

/** Returns a · b, of which no gradient is taken. */
function product(a: Value, b: Value): Value {
  return a.graph.node('Gemm', [a, b], 'float32', [a.dimension(0), b.dimension(1)]);
}
