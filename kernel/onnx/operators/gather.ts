import { int, string } from '../graph';
import type { Value } from '../value';
import { mul, single, zerosLike } from './arithmetic';
import { reshape } from './shape';

/*
 * ScatterND adds up in parallel and loses updates where an index occurs twice,
 * so gradients of rows or elements that may be taken several times are added
 * up by ScatterElements, which goes through them in order.
 */

/** Returns the rows of x [rows, width] at `indices` (int64, [n]), [n, width]; a row may be taken several times. */
export function gatherRows(x: Value, indices: Value): Value {
  return x.graph.node('Gather', [x, indices], x.type, [indices.dimension(0), x.dimension(1)], {
    attributes: { axis: int(0) },
    vjps: [single((g) => scatterAdd(zerosLike(x), like(column(indices), g), g)), null],
  });
}

/** Returns the rows of x [rows, width] at `indices` (int64, [n]), [n, width]; no index may occur twice. */
export function takeRows(x: Value, indices: Value): Value {
  return x.graph.node('Gather', [x, indices], x.type, [indices.dimension(0), x.dimension(1)], {
    attributes: { axis: int(0) },
    vjps: [single((g) => x.graph.node('ScatterND', [zerosLike(x), column(indices), g], x.type, x.shape)), null],
  });
}

/** Returns one element of each row of a matrix x [rows, columns], at `columns` (int64, [rows, 1]): [rows, 1]. */
export function gatherElements(x: Value, columns: Value): Value {
  return x.graph.node('GatherElements', [x, columns], x.type, columns.shape, {
    attributes: { axis: int(1) },
    vjps: [
      single((g) =>
        x.graph.node('ScatterElements', [zerosLike(x), columns, g], x.type, x.shape, { attributes: { axis: int(1) } }),
      ),
      null,
    ],
  });
}

/** Returns `target` with `updates` added at `indices` along the first axis. */
function scatterAdd(target: Value, indices: Value, updates: Value): Value {
  return target.graph.node('ScatterElements', [target, indices, updates], target.type, target.shape, {
    attributes: { axis: int(0), reduction: string('add') },
  });
}

function column(indices: Value): Value {
  const { graph } = indices;
  return graph.node('Unsqueeze', [indices, graph.int64([1])], 'int64', [indices.dimension(0), 1]);
}

/** Returns a column of indices repeated over the width of `values`. */
function like(indices: Value, values: Value): Value {
  const { graph } = indices;
  const shape = graph.node('Shape', [values], 'int64', [2]);
  return graph.node('Expand', [indices, shape], 'int64', values.shape);
}

/** Sequences one after the other in packed rows, and their places in a rectangle of padded sequences. */
export interface Packing {
  /** For each cell of the rectangle the packed row that it shows (any row where it is padding); int64, […sequences, length]. */
  toPadded: Value;
  /** For each packed row the index of its cell in the flattened rectangle; int64, [rows]. */
  toPacked: Value;
  /** 1 for cells that hold a row, 0 for padding; float32, […sequences, length, 1]. */
  filled: Value;
}

/**
 * Returns packed rows [rows, width] laid out as […sequences, length, width]. What
 * padding cells hold is unspecified; they must not influence the result.
 */
export function pad(x: Value, packing: Packing): Value {
  return x.graph.node('Gather', [x, packing.toPadded], x.type, [...packing.toPadded.shape, x.dimension(1)], {
    attributes: { axis: int(0) },
    // Each row has one cell, so the gradient is read back, not added up.
    vjps: [single((g) => pack(g, packing)), null],
  });
}

/** Returns the packed rows of x, the inverse of {@link pad}: […sequences, length, width] → [rows, width]. */
export function pack(x: Value, packing: Packing): Value {
  const width = x.dimension(-1);
  const cells = x.graph.withoutRecording(() => reshape(x, ['cells', width]));
  return x.graph.node('Gather', [cells, packing.toPacked], x.type, [packing.toPacked.dimension(0), width], {
    attributes: { axis: int(0) },
    derivativeOf: [x],
    vjps: [single((g) => mul(pad(g, packing), packing.filled))],
  });
}
