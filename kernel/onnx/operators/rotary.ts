import { int } from '../graph';
import type { Value } from '../value';
import { neg, scale, single } from './arithmetic';

/** Cosines and sines of a rotary embedding, of each row: float32, [rows, headSize / 2]. */
export interface RotaryTables {
  cos: Value;
  sin: Value;
}

/**
 * Returns cosines and sines for rows at `positions` (int64, [rows]) and `frequencies`
 * (radians per position, [headSize / 2]), multiplied by `factor`.
 */
export function rotaryTables(positions: Value, frequencies: Float32Array, factor = 1): RotaryTables {
  const { graph } = positions;
  const half = frequencies.length;
  const rows = positions.dimension(0);
  const column = graph.node('Unsqueeze', [positions, graph.int64([1])], 'int64', [rows, 1]);
  const floats = graph.node('Cast', [column], 'float32', [rows, 1], { attributes: { to: int(1) } });
  const angles = graph.node('Mul', [floats, graph.constant('float32', [1, half], frequencies)], 'float32', [
    rows,
    half,
  ]);
  const table = (operator: string) => scale(graph.node(operator, [angles], 'float32', [rows, half]), factor);
  return { cos: table('Cos'), sin: table('Sin') };
}

/**
 * Returns rows x [rows, heads · headSize] with a rotary position embedding, the halves
 * of a head rotated against each other; also of several such sets of rows at the same
 * positions, [sets, rows, heads · headSize].
 */
export function rotary(x: Value, tables: RotaryTables, heads: number): Value {
  const { graph } = x;
  // The transpose of a (scaled) rotation is the rotation by the opposite angle.
  const backward = single((g) => rotary(g, { cos: tables.cos, sin: neg(tables.sin) }, heads));
  const rotate = (sets: Value) =>
    graph.node('RotaryEmbedding', [sets, graph.int64([0]), tables.cos, tables.sin], 'float32', sets.shape, {
      domain: 'com.microsoft',
      attributes: { num_heads: int(heads), interleaved: int(0) },
      derivativeOf: [sets],
      vjps: [backward],
    });
  // To the operator rows are a sequence from position 0, as the tables have them.
  if (x.rank === 3) return rotate(x);
  const first = graph.int64([0]);
  const rotated = graph.withoutRecording(() => rotate(graph.node('Unsqueeze', [x, first], 'float32', [1, ...x.shape])));
  return graph.node('Squeeze', [rotated, first], 'float32', x.shape, { derivativeOf: [x], vjps: [backward] });
}
