import { int } from '../graph';
import type { Value } from '../value';
import { mul, single } from './arithmetic';

/*
 * Linear layers of quantised weights. A weight is expanded to float32 for the
 * one product that reads it and freed again, forward and backward, so that
 * never more than one layer is held expanded. That has two conditions: the
 * weights are inputs, as ONNX Runtime expands constants for good; and forward
 * and backward expand by different nodes, as equal ones become one whose result
 * is held in between. The weights are not trained: gradients flow to the rows.
 */

/** A weight [out, in] in 4-bit blocks. */
export interface Nf4Values {
  /** Codes, two in a byte, the earlier in the upper half; uint8, [out · in / 2]. */
  codes: Value;
  /** The factor of each block; float32, [out · in / blockSize]. */
  absmax: Value;
  /** What the 16 codes mean. */
  levels: Float32Array;
  /** [out, in]. */
  shape: readonly [number, number];
}

/** x · wᵀ for rows x [rows, in] and a weight in bitsandbytes' NF4 format. */
export function linearNf4(x: Value, weight: Nf4Values): Value {
  const [N, K] = weight.shape;
  return x.graph.node('MatMulBnb4', [x, weight.codes, weight.absmax], 'float32', [x.dimension(0), N], {
    domain: 'com.microsoft',
    attributes: { K: int(K), N: int(N), block_size: int(blockSize(weight)), quant_type: int(1) },
    // With transB = 0 the operator reads wrong memory on the CPU.
    vjps: [single((g) => product(g, expandNf4(weight))), null, null],
  });
}

function blockSize({ absmax, shape: [out, width] }: Nf4Values): number {
  return (out * width) / (absmax.dimension(0) as number);
}

function expandNf4(weight: Nf4Values): Value {
  const { codes, absmax, levels, shape } = weight;
  const { graph } = codes;
  const pairs = Float32Array.from({ length: 512 }, (_, i) => levels[i & 1 ? (i >> 1) & 15 : i >> 5]);
  const table = graph.shared('nf4 pairs', () => graph.constant('float32', [256, 2], pairs));
  const indices = graph.node('Cast', [codes], 'int32', codes.shape, { attributes: { to: int(6) } });
  const values = graph.node('Gather', [table, indices], 'float32', [codes.dimension(0), 2], { attributes: { axis: int(0) } });
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

/** x · wᵀ for rows x [rows, in] and a weight in 8 bits. */
export function linearInt8(x: Value, { codes, scales }: Int8Values): Value {
  const { graph } = x;
  const expanded = graph.node('DequantizeLinear', [codes, scales], 'float32', codes.shape, { attributes: { axis: int(0) } });
  return graph.node('Gemm', [x, expanded], 'float32', [x.dimension(0), codes.dimension(0)], {
    attributes: { transB: int(1) },
    derivativeOf: [x],
    vjps: [single((g) => product(mul(g, scales), graph.node('Cast', [codes], 'float32', codes.shape, { attributes: { to: int(1) } })))],
  });
}

/** a · b, of which no gradient is taken. */
function product(a: Value, b: Value): Value {
  return a.graph.node('Gemm', [a, b], 'float32', [a.dimension(0), b.dimension(1)]);
}
