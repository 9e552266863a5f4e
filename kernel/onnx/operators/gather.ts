import { int, string } from '../graph';
import type { Value } from '../value';
import { mul, single, zerosLike } from './arithmetic';
import { reshape } from './shape';

/** Rows of x [rows, …] at `indices` (int64, [n]); a row may be taken several times. */
export function gatherRows(x: Value, indices: Value): Value {
  return x.graph.node('Gather', [x, indices], x.type, [...indices.shape, ...x.shape.slice(1)], {
    attributes: { axis: int(0) },
    vjps: [single((g) => scatterAdd(x, column(indices), g)), null],
  });
}

/** Elements of a matrix x [rows, columns] at `pairs` (int64, [n, 2]: row, column). */
export function gatherPairs(x: Value, pairs: Value): Value {
  return x.graph.node('GatherND', [x, pairs], x.type, [pairs.dimension(0)], {
    vjps: [single((g) => scatterAdd(x, pairs, g)), null],
  });
}

/** Zeros of the shape of x with `updates` added at `indices`. */
function scatterAdd(x: Value, indices: Value, updates: Value): Value {
  return x.graph.node('ScatterND', [zerosLike(x), indices, updates], x.type, x.shape, {
    attributes: { reduction: string('add') },
  });
}

function column(indices: Value): Value {
  const { graph } = indices;
  return graph.node('Unsqueeze', [indices, graph.int64([1])], 'int64', [indices.dimension(0), 1]);
}

/**
 * How sequences lie one after the other in packed rows, and where they lie in
 * a rectangle of sequences of equal length.
 */
export interface Packing {
  /** For each cell of the rectangle the packed row it shows (any row where it is padding); int64, [sequences, length]. */
  toPadded: Value;
  /** For each packed row its cell, counted through the rectangle; int64, [rows]. */
  toPacked: Value;
  /** 1 for cells that hold a row, 0 for padding; float32, [sequences, length, 1]. */
  filled: Value;
}

/**
 * Packed rows [rows, width] laid out as [sequences, length, width]. What
 * padding cells hold is unspecified; they must not influence the result.
 */
export function pad(x: Value, packing: Packing): Value {
  return x.graph.node('Gather', [x, packing.toPadded], x.type, [...packing.toPadded.shape, x.dimension(1)], {
    attributes: { axis: int(0) },
    // Each row has one cell, so the gradient is read back, not added up.
    vjps: [single((g) => pack(g, packing)), null],
  });
}

/** The inverse of {@link pad}: [sequences, length, width] → [rows, width]. */
export function pack(x: Value, packing: Packing): Value {
  const width = x.dimension(2);
  const cells = x.graph.withoutRecording(() => reshape(x, ['cells', width]));
  return x.graph.node('Gather', [cells, packing.toPacked], x.type, [packing.toPacked.dimension(0), width], {
    attributes: { axis: int(0) },
    derivativeOf: [x],
    vjps: [single((g) => mul(pad(g, packing), packing.filled))],
  });
}
