import type { Value } from '../value';
import { less, select, sub } from './arithmetic';
import { linear } from './matmul';

/**
 * Returns x [rows, width] with zeros where the fractional part of `rows` · `columns`ᵀ
 * is less than `p`. For random `rows` [rows, n] and `columns` [width, n] whose
 * products are exact in float32, the zeros are the same on every machine, however
 * often they are computed. The other elements are not scaled.
 */
export function dropout(x: Value, p: number, rows: Value, columns: Value): Value {
  const { graph } = x;
  const dropped = graph.withoutRecording(() => {
    const products = linear(rows, columns);
    const floor = graph.node('Floor', [products], 'float32', products.shape);
    return less(sub(products, floor), graph.scalar(p));
  });
  return select(dropped, graph.scalar(0), x);
}
