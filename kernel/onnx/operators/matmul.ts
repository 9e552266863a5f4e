import { float, int } from '../graph';
import { sameShape, type Value } from '../value';
import { scale, single, sumTo } from './arithmetic';

/**
 * Returns x · wᵀ for rows x [rows, in] and a weight w [out, in], the layout of
 * checkpoints, plus `addend` (a bias [out], or rows [rows, out]), where there is one.
 * Throws when the widths differ.
 */
export function linear(x: Value, w: Value, addend?: Value): Value {
  if (x.dimension(-1) !== w.dimension(1)) {
    throw new Error(`rows of width ${x.dimension(-1)} do not fit a weight [${w.shape.join(', ')}]`);
  }
  return gemm(x, w, false, true, addend);
}

function gemm(a: Value, b: Value, transA: boolean, transB: boolean, addend?: Value): Value {
  const shape = [a.dimension(transA ? 1 : 0), b.dimension(transB ? 0 : 1)];
  return a.graph.node('Gemm', addend ? [a, b, addend] : [a, b], 'float32', shape, {
    attributes: { transA: int(transA ? 1 : 0), transB: int(transB ? 1 : 0) },
    vjps: [
      single((g) => (transA ? gemm(b, g, transB, true) : gemm(g, b, false, !transB))),
      single((g) => (transB ? gemm(g, a, true, transA) : gemm(a, g, !transA, false))),
      single((g) => sumTo(g, addend!.shape)),
    ],
  });
}

/** A low-rank update of a weight [out, in]: scaling · b [out, r] · a [r, in]. */
export interface LoraFactors {
  a: Value;
  b: Value;
  scaling: number;
}

/**
 * Returns x · mergedᵀ for rows x [rows, in] and a weight [out, in] that contains a
 * low-rank update already: forward, and backward to x, there is one product, and
 * gradients flow to the update's factors.
 */
export function loraLinear(x: Value, merged: Value, { a, b, scaling }: LoraFactors): Value {
  return x.graph.node('Gemm', [x, merged], 'float32', [x.dimension(0), merged.dimension(0)], {
    attributes: { transA: int(0), transB: int(1) },
    derivativeOf: [x, a, b],
    vjps: [
      single((g) => gemm(g, merged, false, false)),
      single((g) => gemm(scale(gemm(g, b, false, false), scaling), x, true, false)),
      single((g) => gemm(g, scale(gemm(x, a, false, true), scaling), true, false)),
    ],
  });
}

/**
 * Options of {@link product}: whether it reads its right operand transposed, a factor
 * of the product, and what is added to it (broadcast to its shape).
 */
export interface ProductOptions {
  transB?: boolean;
  alpha?: number;
  addend?: Value;
}

/** Returns the product of two matrices, a [m, k] · b [k, n] (b [n, k] with `transB`), of which no gradient is taken. */
export function product(a: Value, b: Value, { transB = false, alpha = 1, addend }: ProductOptions = {}): Value {
  // Of a Gemm without an addend whose result is transposed ONNX Runtime swaps the operands.
  if (!addend) return matMul(a, b, { transB, alpha });
  return a.graph.node('Gemm', [a, b, addend], 'float32', [a.dimension(0), b.dimension(transB ? 0 : 1)], {
    attributes: { transB: int(transB ? 1 : 0), alpha: float(alpha) },
  });
}

/** Options of {@link matMul}: whether it reads its operands transposed; `alpha` multiplies the product. */
export interface MatMulOptions {
  transA?: boolean;
  transB?: boolean;
  alpha?: number;
}

/**
 * Returns a batch of matrix products: a […, m, k] · b […, k, n] → […, m, n] with equal
 * leading dimensions; `transA` and `transB` read the last two axes swapped. Throws
 * when the shapes do not multiply.
 */
export function matMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  const batch = a.shape.slice(0, -2);
  if (!sameShape(batch, b.shape.slice(0, -2)) || a.dimension(transA ? -2 : -1) !== b.dimension(transB ? -1 : -2)) {
    throw new Error(`[${a.shape.join(', ')}] and [${b.shape.join(', ')}] do not multiply`);
  }
  const shape = [...batch, a.dimension(transA ? -1 : -2), b.dimension(transB ? -2 : -1)];
  return a.graph.node('FusedMatMul', [a, b], 'float32', shape, {
    domain: 'com.microsoft',
    attributes: { transA: int(transA ? 1 : 0), transB: int(transB ? 1 : 0), alpha: float(alpha) },
    vjps: [
      single((g) =>
        transA ? matMul(b, g, { transA: transB, transB: true, alpha }) : matMul(g, b, { transB: !transB, alpha }),
      ),
      single((g) =>
        transB ? matMul(g, a, { transA: true, transB: transA, alpha }) : matMul(a, g, { transA: !transA, alpha }),
      ),
    ],
  });
}
