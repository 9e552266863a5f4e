import { int } from '../graph';
import type { Value } from '../value';
import { mul, single, sub, sum } from './arithmetic';
import { exp } from './elementwise';
import { matMul } from './matmul';

/** Returns the softmax over the last axis. */
export function softmax(x: Value): Value {
  const y: Value = x.graph.node('Softmax', [x], x.type, x.shape, {
    attributes: { axis: int(-1) },
    vjps: [single((g) => mul(y, sub(g, sum(mul(g, y), [-1]))))],
  });
  return y;
}

/**
 * Returns softmax(scores) · values: values […, keys, width] mixed by scores […, rows,
 * keys].
 *
 * #### Notes
 * The softmax's gradient needs for each row the sum of its weights times their
 * gradients. This equals the sum of the result times its gradient, which is over the
 * width instead of the keys.
 */
export function softmaxMix(scores: Value, values: Value): Value {
  const { graph } = scores;
  const weights = graph.withoutRecording(() => softmax(scores));
  const mixed: Value = graph.node(
    'FusedMatMul',
    [weights, values],
    'float32',
    [...scores.shape.slice(0, -1), values.dimension(-1)],
    {
      domain: 'com.microsoft',
      derivativeOf: [scores, values],
      vjps: [
        single((g) => mul(sub(matMul(g, values, { transB: true }), sum(mul(g, mixed), [-1])), weights)),
        single((g) => matMul(weights, g, { transA: true })),
      ],
    },
  );
  return mixed;
}

/** Returns the logarithm of the softmax over the last axis. */
export function logSoftmax(x: Value): Value {
  const y: Value = x.graph.node('LogSoftmax', [x], x.type, x.shape, {
    attributes: { axis: int(-1) },
    vjps: [single((g) => sub(g, mul(exp(y), sum(g, [-1]))))],
  });
  return y;
}
