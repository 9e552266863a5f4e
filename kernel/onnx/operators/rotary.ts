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
    // The operator takes batches of sequences no longer than the tables: here, sequences of one row.
    const batched = graph.node('Unsqueeze', [x, graph.int64([1])], 'float32', [rows, 1, width]);
    const at = graph.node('Unsqueeze', [positions, graph.int64([1])], 'int64', [rows, 1]);
    return graph.node('RotaryEmbedding', [batched, at, tables.cos, tables.sin], 'float32', [rows, 1, width], {
      domain: 'com.microsoft',
      attributes: { num_heads: int(heads), interleaved: int(0) },
    });
  });
  return graph.node('Squeeze', [rotated, graph.int64([1])], 'float32', [rows, width], {
    // The transpose of a rotation is the rotation by the opposite angle.
    derivativeOf: [x],
    vjps: [single((g) => rotary(g, positions, { cos: tables.cos, sin: neg(tables.sin) }, heads))],
  });
}
