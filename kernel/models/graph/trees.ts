import type { Graph } from '../../onnx/graph';
import type { Packing } from '../../onnx/operators/gather';
import { int64Feed, type Feed } from '../../onnx/session';
import type { Value } from '../../onnx/value';
import { HIDDEN, causalMask } from '../generation/cache';

/** Rows of a model: tokens that are fed, and the tokens that they predict. */
export interface Sequence {
  /** Token of each row, at least one. */
  ids: readonly number[];
  /** The tokens that the last rows predict, one each. */
  targets: readonly number[];
}

/** A sequence and sequences that continue it, such as a prompt and its completions: the root is computed once. */
export interface Tree<S extends Sequence = Sequence> {
  root: S;
  branches: readonly S[];
}

/** The rows of trees that a graph has. With 'branches', keys and values of the roots are inputs. */
export type TreeRows = 'roots' | 'branches' | 'both';

/**
 * Trees as inputs of a graph: the rows of the roots, one root after the other,
 * then those of the branches. Attention sees them in rectangles: G roots of at
 * most L rows, and G · N branches of at most T rows.
 */
export interface TreeInputs {
  /** Token of each row and its position in its sequence; int64, [rows]. */
  ids: Value;
  positions: Value;
  /** The tokens to be learned, M in all, in one or more parts. */
  learned: LearnedTokens[];
  /** Rows of the roots in a rectangle [G, L], and the mask within a root, [L, L]. */
  roots: { packing: Packing; mask: Value } | null;
  /** Rows of the branches in a rectangle [G, N, T], and their mask over the rows of root and branch, [G, 1, 1, 1, T, L+T]. */
  branches: { packing: Packing; mask: Value } | null;
}

/** Rows that predict a learned token, each at most once, and these tokens; int64, [tokens] each. */
export interface LearnedTokens {
  predicting: Value;
  targets: Value;
}

/** Declares the inputs of trees, whose learned tokens are cut into `parts`. */
export function treeInputs(graph: Graph, rows: TreeRows, parts: number): TreeInputs {
  const roots = rows !== 'branches';
  const branches = rows !== 'roots';
  return {
    ids: graph.input('ids', 'int64', ['rows']),
    positions: graph.input('positions', 'int64', ['rows']),
    learned: Array.from({ length: parts }, (_, part) => {
      const size = [parts === 1 ? 'M' : `M.${part}`];
      return {
        predicting: graph.input(`predicting.${part}`, 'int64', size),
        targets: graph.input(`targets.${part}`, 'int64', size),
      };
    }),
    roots: roots
      ? {
          packing: packing(graph, 'root', ['G', 'L'], branches ? 'P' : 'rows'),
          mask: graph.input('root_mask', 'float32', ['L', 'L']),
        }
      : null,
    branches: branches
      ? {
          packing: packing(graph, 'branch', ['G', 'N', 'T'], roots ? 'S' : 'rows'),
          mask: graph.input('branch_mask', 'float32', ['G', 1, 1, 1, 'T', 'L+T']),
        }
      : null,
  };
}

function packing(graph: Graph, name: string, rectangle: string[], rows: string): Packing {
  return {
    toPadded: graph.input(`${name}_to_padded`, 'int64', rectangle),
    toPacked: graph.input(`${name}_to_packed`, 'int64', [rows]),
    filled: graph.input(`${name}_filled`, 'float32', [...rectangle, 1]),
  };
}

/** Returns the sequences of which a graph has rows, in their order. */
export function sequencesOf<S extends Sequence>(trees: readonly Tree<S>[], rows: TreeRows): S[] {
  return [
    ...(rows === 'branches' ? [] : trees.map(({ root }) => root)),
    ...(rows === 'roots' ? [] : trees.flatMap(({ branches }) => branches)),
  ];
}

/** Returns the feeds of trees for a graph with these rows and parts. */
export function treeFeeds(trees: readonly Tree[], rows: TreeRows, parts: number): Record<string, Feed> {
  const roots = rows === 'branches' ? [] : trees.map(({ root }) => ({ ...root, from: 0 }));
  const branches =
    rows === 'roots'
      ? []
      : trees.flatMap(({ root, branches }) => branches.map((branch) => ({ ...branch, from: root.ids.length })));
  const sequences = [...roots, ...branches];
  const predicting: number[] = [];
  let end = 0;
  for (const { ids, targets } of sequences) {
    end += ids.length;
    targets.forEach((_, t) => predicting.push(end - targets.length + t));
  }
  const L = Math.max(...trees.map(({ root }) => root.ids.length));
  return {
    ids: int64Feed(sequences.flatMap(({ ids }) => ids)),
    positions: int64Feed(sequences.flatMap(({ ids, from }) => ids.map((_, t) => from + t))),
    ...inParts('predicting', predicting, parts),
    ...inParts(
      'targets',
      sequences.flatMap(({ targets }) => targets),
      parts,
    ),
    ...(rows !== 'branches' && {
      ...rectangle('root', [roots.map(({ ids }) => ids.length)], [roots.length, L]),
      root_mask: causalMask(L),
    }),
    ...(rows !== 'roots' && branchFeeds(trees, L)),
  };
}

/** Returns values as inputs `name.<part>` of about equal length. */
function inParts(name: string, values: readonly number[], parts: number): Record<string, Feed> {
  const start = (part: number) => Math.round((part * values.length) / parts);
  return Object.fromEntries(
    Array.from({ length: parts }, (_, part) => [
      `${name}.${part}`,
      int64Feed(values.slice(start(part), start(part + 1))),
    ]),
  );
}

function branchFeeds(trees: readonly Tree[], L: number): Record<string, Feed> {
  const lengths = trees.map(({ branches }) => branches.map(({ ids }) => ids.length));
  const N = Math.max(...lengths.map((branches) => branches.length));
  const T = Math.max(...lengths.flat());
  const mask = new Float32Array(trees.length * T * (L + T));
  trees.forEach(({ root }, g) => {
    for (let t = 0; t < T; t++) {
      const start = (g * T + t) * (L + T);
      mask.fill(HIDDEN, start + root.ids.length, start + L);
      mask.fill(HIDDEN, start + L + t + 1, start + L + T);
    }
  });
  return {
    ...rectangle('branch', lengths, [trees.length, N, T]),
    branch_mask: { shape: [trees.length, 1, 1, 1, T, L + T], data: mask },
  };
}

/** Returns the feeds of a {@link Packing} of sequences: `lengths[i][j]` rows at place (i, j) of the rectangle, from its start. */
function rectangle(name: string, lengths: readonly (readonly number[])[], shape: number[]): Record<string, Feed> {
  const T = shape[shape.length - 1];
  const places = shape.length === 2 ? shape[0] : shape[1];
  const cells = shape.reduce((product, size) => product * size, 1);
  const toPadded = new Array<number>(cells).fill(0);
  const toPacked: number[] = [];
  const filled = new Float32Array(cells);
  lengths.forEach((row, i) =>
    row.forEach((length, j) => {
      for (let t = 0; t < length; t++) {
        const cell = (i * places + j) * T + t;
        toPadded[cell] = toPacked.length;
        filled[cell] = 1;
        toPacked.push(cell);
      }
    }),
  );
  return {
    [`${name}_to_padded`]: int64Feed(toPadded, shape),
    [`${name}_to_packed`]: int64Feed(toPacked),
    [`${name}_filled`]: { shape: [...shape, 1], data: filled },
  };
}
