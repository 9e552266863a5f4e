import { string } from '../graph';
import type { Value } from '../value';
import { add, mul, scale, single, sub } from './arithmetic';

/** Returns the hyperbolic tangent of x. */
export function tanh(x: Value): Value {
  const y: Value = x.graph.node('Tanh', [x], x.type, x.shape, {
    vjps: [single((g) => mul(g, sub(x.graph.scalar(1), mul(y, y))))],
  });
  return y;
}

/** Returns cap · tanh(x / cap): close to x where x is small, never beyond ±cap. */
export function softCap(x: Value, cap: number): Value {
  return scale(tanh(scale(x, 1 / cap)), cap);
}

const SLOPE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** Returns GELU in its approximation by tanh, PyTorch's `gelu(x, approximate='tanh')`. */
export function geluTanh(x: Value): Value {
  const { graph } = x;
  return graph.node('Gelu', [x], x.type, x.shape, {
    attributes: { approximate: string('tanh') },
    vjps: [
      single((g) => {
        // y = x (1 + t) / 2 with t = tanh(SLOPE (x + CUBIC x³)).
        const one = graph.scalar(1);
        const square = mul(x, x);
        const t = tanh(scale(mul(x, add(one, scale(square, CUBIC))), SLOPE));
        const inner = scale(add(one, scale(square, 3 * CUBIC)), SLOPE);
        const slope = add(add(one, t), mul(mul(x, inner), sub(one, mul(t, t))));
        return mul(g, scale(slope, 0.5));
      }),
    ],
  });
}
