import { float, int } from '../graph';
import type { Value } from '../value';
import { meanLast, mul, sub, sum } from './arithmetic';

/** Returns RMSNorm over the last axis: x / √(mean(x²) + epsilon) · weight. */
export function rmsNorm(x: Value, weight: Value, epsilon: number): Value {
  const { graph } = x;
  const perRow = [...x.shape.slice(0, -1), 1];
  const [y, inverse] = graph.multiNode(
    'SimplifiedLayerNormalization',
    [x, weight],
    [
      { type: 'float32', shape: x.shape },
      { type: 'float32', shape: perRow },
    ],
    {
      attributes: { axis: int(-1), epsilon: float(epsilon), stash_type: int(1) },
      vjps: [
        ([g]) => {
          const gw = mul(g!, weight);
          const normalized = mul(x, inverse);
          return mul(sub(gw, mul(normalized, meanLast(mul(gw, normalized)))), inverse);
        },
        ([g]) =>
          sum(
            mul(g!, mul(x, inverse)),
            x.shape.slice(0, -1).map((_, i) => i),
            false,
          ),
      ],
    },
  );
  return y;
}
