import { int } from '../graph';
import type { Value } from '../value';
import { neg, scale, single } from './arithmetic';

/** Cosines and sines of a rotary embedding, of each row: float32, [rows, headSize / 2]. */
export interface RotaryTables {
  cos: Value;
  sin: Value;
}

/**
 * Cosines and sines for rows at `positions` (int64, [rows]), of `frequencies`
 * (radians per position, [headSize / 2]), multiplied by `factor`.
 */
export function rotaryTables(positions: Value, frequencies: Float32Array, factor = 1): RotaryTables {
  const { graph } = positions;
  const half = frequencies.length;
  const rows = positions.dimension(0);
  const column = graph.node('Unsqueeze', [positions, graph.int64([1])], 'int64', [rows, 1]);
  const floats = graph.node('Cast', [column], 'float32', [rows, 1], { attributes: { to: int(1) } });
  const angles = graph.node('Mul', [floats, graph.constant('float32', [1, half], frequencies)], 'float32', [rows, half]);
  const table = (operator: string) => scale(graph.node(operator, [angles], 'float32', [rows, half]), factor);
  return { cos: table('Cos'), sin: table('Sin') };
}

/** Rotary position embedding of rows x [rows, heads · headSize], the halves of a head rotated against each other. */
export function rotary(x: Value, tables: RotaryTables, heads: number): Value {
  const { graph } = x;
  const [rows, width] = x.shape;
  const rotated = graph.withoutRecording(() => {
    // To the operator the rows are one sequence from position 0, as the tables have them.
    const batch = graph.node('Unsqueeze', [x, graph.int64([0])], 'float32', [1, rows, width]);
    return graph.node('RotaryEmbedding', [batch, graph.int64([0]), tables.cos, tables.sin], 'float32', [1, rows, width], {
      domain: 'com.microsoft',
      attributes: { num_heads: int(heads), interleaved: int(0) },
    });
  });
  return graph.node('Squeeze', [rotated, graph.int64([0])], 'float32', [rows, width], {
    derivativeOf: [x],
    // The transpose of a (scaled) rotation is the rotation by the opposite angle.
    vjps: [single((g) => rotary(g, { cos: tables.cos, sin: neg(tables.sin) }, heads))],
  });
}
