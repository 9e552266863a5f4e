import { float } from '../graph';
import type { Value } from '../value';
import { add, and, lessOrEqual, mul, select, single, sub } from './arithmetic';

/** Returns eˣ. */
export function exp(x: Value): Value {
  const y: Value = x.graph.node('Exp', [x], x.type, x.shape, { vjps: [single((g) => mul(g, y))] });
  return y;
}

/** Returns 1 / (1 + e⁻ˣ). */
export function sigmoid(x: Value): Value {
  const y: Value = x.graph.node('Sigmoid', [x], x.type, x.shape, {
    vjps: [single((g) => mul(g, mul(y, sub(x.graph.scalar(1), y))))],
  });
  return y;
}

/** Returns x · sigmoid(x), also called swish. */
export function silu(x: Value): Value {
  const y: Value = x.graph.node('QuickGelu', [x], x.type, x.shape, {
    domain: 'com.microsoft',
    attributes: { alpha: float(1) },
    vjps: [
      single((g) => {
        // With s = sigmoid(x): dy/dx = y + s (1 − y).
        const s = x.graph.node('Sigmoid', [x], x.type, x.shape);
        return mul(g, add(y, mul(s, sub(x.graph.scalar(1), y))));
      }),
    ],
  });
  return y;
}

/** Returns the larger of x and a scalar; the gradient flows as if it were always x. */
export function atLeast(x: Value, low: Value): Value {
  return x.graph.node('Clip', [x, low], x.type, x.shape, { vjps: [single((g) => g), null] });
}

/** Returns x limited to [low, high]; the gradient is 0 outside. */
export function clip(x: Value, low: number, high: number): Value {
  const { graph } = x;
  const bounds = [graph.scalar(low), graph.scalar(high)];
  return graph.node('Clip', [x, ...bounds], x.type, x.shape, {
    vjps: [
      single((g) => {
        const inside = and(lessOrEqual(bounds[0], x), lessOrEqual(x, bounds[1]));
        return select(inside, g, graph.scalar(0));
      }),
      null,
      null,
    ],
  });
}
