import { int } from '../graph';
import type { Value } from '../value';
import { neg, single } from './arithmetic';

/** Cosines and sines of a rotary embedding, by position: float32, [positions, headSize / 2]. */
export interface RotaryTables {
  cos: Value;
  sin: Value;
}

/**
 * Rotary position embedding of rows x [rows, heads · headSize], the halves of a
 * head rotated against each other; `positions` is int64, [rows].
 */
export function rotary(x: Value, positions: Value, tables: RotaryTables, heads: number): Value {
  const { graph } = x;
  const [rows, width] = x.shape;
  const rotated = graph.withoutRecording(() => {
    // The operator wants a batch axis.
    const batched = graph.node('Unsqueeze', [x, graph.int64([0])], 'float32', [1, rows, width]);
    const at = graph.node('Unsqueeze', [positions, graph.int64([0])], 'int64', [1, rows]);
    return graph.node('RotaryEmbedding', [batched, at, tables.cos, tables.sin], 'float32', [1, rows, width], {
      domain: 'com.microsoft',
      attributes: { num_heads: int(heads), interleaved: int(0) },
    });
  });
  return graph.node('Squeeze', [rotated, graph.int64([0])], 'float32', [rows, width], {
    // The transpose of a rotation is the rotation by the opposite angle.
    derivativeOf: [x],
    vjps: [single((g) => rotary(g, positions, { cos: tables.cos, sin: neg(tables.sin) }, heads))],
  });
}
