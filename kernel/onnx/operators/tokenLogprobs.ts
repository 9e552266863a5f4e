import { float, int } from '../graph';
import type { Value } from '../value';
import { lessOrEqual, mul, neg, sub, sum, toFloat } from './arithmetic';
import { exp } from './elementwise';
import { gatherElements } from './gather';
import { matMul } from './matmul';
import { reshape } from './shape';
import { logSoftmax } from './softmax';

/** The log-probability (in nats) of one token for each row. */
export interface TokenLogprobs {
  /** Logarithm of the token's probability, [rows]. */
  logprobs: Value;
  /** Entropy of the softmax in nats, [rows]. */
  entropies: Value;
  /**
   * Returns 1 for tokens that no other is likelier than, else 0, [rows]; a constant to
   * gradients. Each call adds nodes to the graph.
   */
  isTop1(): Value;
}

/**
 * Returns log-probabilities of tokens (int64, [rows]) under logits [rows, vocabulary].
 *
 * @param entropyGradients whether gradients flow through the entropies
 */
export function logprobsOfLogits(logits: Value, tokens: Value, entropyGradients: boolean): TokenLogprobs {
  const { graph } = logits;
  const [rows] = logits.shape;
  const all = logSoftmax(logits);
  const entropies = () => neg(sum(mul(exp(all), all), [-1], false));
  const logprobs = reshape(gatherElements(all, reshape(tokens, [rows, 1])), [rows]);
  return {
    logprobs,
    isTop1: () => isLargest(logprobs, all),
    entropies: entropyGradients ? entropies() : graph.withoutRecording(entropies),
  };
}

/**
 * Returns log-probabilities of tokens under the logits x · wᵀ. The entropies are
 * constants to gradients.
 *
 * @param x [rows, width]
 * @param w [vocabulary, width]
 * @param tokens int64, [rows]
 * @param tokenRows the rows of w at `tokens`, [rows, width]. The gradient of the
 *   tokens' own rows of w arrives here: it is sparse, the rest (in w) is not.
 *
 * #### Notes
 * With p the softmax and g the gradient of the result, the gradients are g (w[token] −
 * p w) for x, −pᵀ (g x) for w and g x for `tokenRows`: beside the softmax nothing is
 * as large as the logits, and the backward pass has matrix products only.
 */
export function tokenLogprobs(x: Value, w: Value, tokens: Value, tokenRows: Value): TokenLogprobs {
  const { graph } = x;
  const rows = x.dimension(0);
  const perRow = [rows, 1];
  const { all, p } = graph.withoutRecording(() => {
    const logits = gemm(x, w, { transB: true });
    const all = graph.node('LogSoftmax', [logits], 'float32', logits.shape, { attributes: { axis: int(-1) } });
    return { all, p: graph.node('Exp', [all], 'float32', logits.shape) };
  });
  const own = graph.node('GatherElements', [all, reshape(tokens, perRow)], 'float32', perRow, {
    attributes: { axis: int(1) },
    derivativeOf: [x, w, tokenRows],
    vjps: [
      ([g]) => mul(sub(tokenRows, gemm(p, w)), g!),
      ([g]) => gemm(p, mul(x, g!), { transA: true, alpha: -1 }),
      ([g]) => mul(x, g!),
    ],
  });
  const logprobs = reshape(own, [rows]);
  return {
    logprobs,
    entropies: graph.withoutRecording(() => neg(reshape(rowDots(p, all), [rows]))),
    isTop1: () => isLargest(logprobs, all),
  };
}

/** Returns 1 where a value [rows] is not below any of its row of `all`, else 0, [rows]. */
function isLargest(values: Value, all: Value): Value {
  const { graph } = values;
  return graph.withoutRecording(() => {
    const largest = graph.node('ReduceMax', [all, graph.int64([-1])], 'float32', values.shape, {
      attributes: { keepdims: int(0) },
    });
    return toFloat(lessOrEqual(largest, values));
  });
}

/** Returns the inner product of each row of a with that of b, [rows, 1, 1]. */
function rowDots(a: Value, b: Value): Value {
  const [rows, width] = a.shape;
  const single = [rows, 1, width];
  return matMul(reshape(a, single), reshape(b, single), { transB: true });
}

function gemm(a: Value, b: Value, { transA = false, transB = false, alpha = 1 } = {}): Value {
  const shape = [a.dimension(transA ? 1 : 0), b.dimension(transB ? 0 : 1)];
  return a.graph.node('Gemm', [a, b], 'float32', shape, {
    attributes: { transA: int(Number(transA)), transB: int(Number(transB)), alpha: float(alpha) },
  });
}
