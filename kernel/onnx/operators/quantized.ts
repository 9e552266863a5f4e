import { int, type Graph } from '../graph';
import type { Value } from '../value';
import { mul, single } from './arithmetic';

/*
 * Linear layers of quantised weights. A weight is expanded to float32 for the
 * one product that reads it and freed again, forward and backward, so that
 * never more than one layer is held expanded. The weights are inputs: constant
 * ones ONNX Runtime would expand for good. They are not trained: gradients flow
 * to the rows alone.
 */

/** A weight [out, in] in 4-bit blocks: codes, two in a byte, the earlier in the upper half, and each block's factor. */
export interface FourBitWeight {
  /** uint8, [out · in / 2]. */
  codes: Value;
  /** float32, [out · in / blockSize]. */
  absmax: Value;
  blockSize: number;
  out: number;
  in: number;
}

/** x · wᵀ for rows x [rows, in] and a weight in bitsandbytes' NF4 format. */
export function linearNf4(x: Value, weight: FourBitWeight): Value {
  return nf4Product(x, weight, true);
}

function nf4Product(x: Value, weight: FourBitWeight, transposed: boolean): Value {
  const { codes, absmax, blockSize } = weight;
  return x.graph.node('MatMulBnb4', [x, codes, absmax], 'float32', [x.dimension(0), transposed ? weight.out : weight.in], {
    domain: 'com.microsoft',
    attributes: {
      K: int(weight.in),
      N: int(weight.out),
      block_size: int(blockSize),
      quant_type: int(1),
      transB: int(transposed ? 1 : 0),
    },
    vjps: [single((g) => nf4Product(g, weight, !transposed)), null, null],
  });
}

/** A weight [out, in] in 8 bits: value = code · scale of its row. */
export interface EightBitWeight {
  /** int8, [out, in]. */
  codes: Value;
  /** float32, [out]. */
  scales: Value;
}

/** x · wᵀ for rows x [rows, in] and a weight in 8 bits. */
export function linearInt8(x: Value, { codes, scales }: EightBitWeight): Value {
  const { graph } = x;
  const [out, width] = codes.shape;
  const expanded = graph.node('DequantizeLinear', [codes, scales], 'float32', codes.shape, { attributes: { axis: int(0) } });
  return graph.node('Gemm', [x, expanded], 'float32', [x.dimension(0), out], {
    attributes: { transB: int(1) },
    derivativeOf: [x],
    vjps: [
      // Another node than the forward one: equal nodes become one, and its result would be held from forward to backward.
      single((g) => plainProduct(graph, mul(g, scales), graph.node('Cast', [codes], 'float32', codes.shape, { attributes: { to: int(1) } }), width)),
    ],
  });
}

function plainProduct(graph: Graph, x: Value, w: Value, width: Value['shape'][number]): Value {
  return graph.node('Gemm', [x, w], 'float32', [x.dimension(0), width], { attributes: { transB: int(0) } });
}
