import { int } from '../graph';
import type { Value } from '../value';
import { mul, single, sub, sum } from './arithmetic';
import { exp } from './elementwise';

/** Softmax over the last axis. */
export function softmax(x: Value): Value {
  const y: Value = x.graph.node('Softmax', [x], x.type, x.shape, {
    attributes: { axis: int(-1) },
    vjps: [single((g) => mul(y, sub(g, sum(mul(g, y), [-1]))))],
  });
  return y;
}

/** Logarithm of the softmax over the last axis. */
export function logSoftmax(x: Value): Value {
  const y: Value = x.graph.node('LogSoftmax', [x], x.type, x.shape, {
    attributes: { axis: int(-1) },
    vjps: [single((g) => sub(g, mul(exp(y), sum(g, [-1]))))],
  });
  return y;
}
