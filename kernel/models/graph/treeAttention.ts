import { int } from '../../onnx/graph';
import { add, mul, scale, sub, sum } from '../../onnx/operators/arithmetic';
import { atLeast } from '../../onnx/operators/elementwise';
import { pack, pad } from '../../onnx/operators/gather';
import { matMul } from '../../onnx/operators/matmul';
import { concat, expand, reshape, transpose } from '../../onnx/operators/shape';
import { softmaxMix } from '../../onnx/operators/softmax';
import type { Dimension, Value } from '../../onnx/value';
import { cap } from './attention';
import type { ModelConfig } from '../config';
import type { TreeInputs } from './trees';

/*
 * Attention over trees. Heads are grouped by the key and value head that they
 * share (grouped-query attention): the queries of a group are rows of one
 * matrix product with their common keys. Dimensions are those of TreeInputs.
 */

/** Queries [rows, heads · headSize], keys and values [rows, kv · headSize]. */
export interface AttentionRows {
  queries: Value;
  keys: Value;
  values: Value;
}

/** Keys and values of roots by head: [G, kv, L, headSize] each. */
export interface RootHeads {
  keys: Value;
  values: Value;
}

/**
 * Distance of scores below the largest of their row from which on they are negligible:
 * e⁻⁵⁰ is far below what float32 resolves.
 */
const NEGLIGIBLE = 50;

/**
 * Returns the value to which scores may be raised without changing attention: a scalar
 * far below the largest score of any row, which is at least the row's score for
 * itself.
 *
 * #### Notes
 * Without it hidden scores are so low that their exponentials are denormal numbers,
 * which make the softmax four times slower.
 */
export function scoreFloor(config: ModelConfig, { queries, keys }: Pick<AttentionRows, 'queries' | 'keys'>): Value {
  const { kv, group, size } = headShape(config);
  const { graph } = queries;
  return graph.withoutRecording(() => {
    const rows = queries.dimension(0);
    const own = sum(mul(reshape(queries, [rows, kv, group, size]), reshape(keys, [rows, kv, 1, size])), [-1]);
    const least = graph.node('ReduceMin', [cap(config, scale(own, config.attentionScale))], 'float32', [], {
      attributes: { keepdims: int(0) },
    });
    return sub(least, graph.scalar(NEGLIGIBLE));
  });
}

/** Returns rows of keys or values of the roots by head, [G, kv, L, headSize]. */
export function rootHeads(config: ModelConfig, x: Value, { packing }: NonNullable<TreeInputs['roots']>): Value {
  const { kv, size } = headShape(config);
  return transpose(reshape(pad(x, packing), ['G', 'L', kv, size]), [0, 2, 1, 3]);
}

/** Returns causal attention within each root, in the shape of the queries. */
export function rootAttention(
  config: ModelConfig,
  queries: Value,
  roots: RootHeads,
  floor: Value,
  { packing, mask }: NonNullable<TreeInputs['roots']>,
): Value {
  const { kv, group, size, width } = headShape(config);
  const grouped = transpose(reshape(pad(queries, packing), ['G', 'L', kv, group, size]), [0, 2, 3, 1, 4]);
  const mixed = attend(
    config,
    reshape(grouped, ['G', kv, 'group*L', size]),
    roots,
    ['G', kv, group, 'L', 'L'],
    mask,
    floor,
  );
  return pack(
    reshape(transpose(reshape(mixed, ['G', kv, group, 'L', size]), [0, 3, 1, 2, 4]), ['G', 'L', width]),
    packing,
  );
}

/** Returns attention of each branch to its root and causally to itself, in the shape of the queries. */
export function branchAttention(
  config: ModelConfig,
  rows: AttentionRows,
  roots: RootHeads,
  floor: Value,
  { packing, mask }: NonNullable<TreeInputs['branches']>,
): Value {
  const { kv, group, size, width } = headShape(config);
  // Copying the roots' keys to each branch is cheaper than joining scores of two products.
  const all = (root: Value, own: Value) => {
    const shared = expand(reshape(root, ['G', 1, kv, 'L', size]), ['G', 'N', kv, 'L', size]);
    const heads = transpose(reshape(pad(own, packing), ['G', 'N', 'T', kv, size]), [0, 1, 3, 2, 4]);
    return concat([shared, heads], 3, 'L+T');
  };
  const grouped = transpose(reshape(pad(rows.queries, packing), ['G', 'N', 'T', kv, group, size]), [0, 1, 3, 4, 2, 5]);
  const heads = { keys: all(roots.keys, rows.keys), values: all(roots.values, rows.values) };
  const mixed = attend(
    config,
    reshape(grouped, ['G', 'N', kv, 'group*T', size]),
    heads,
    ['G', 'N', kv, group, 'T', 'L+T'],
    mask,
    floor,
  );
  return pack(
    reshape(transpose(reshape(mixed, ['G', 'N', kv, group, 'T', size]), [0, 1, 4, 2, 3, 5]), ['G', 'N', 'T', width]),
    packing,
  );
}

/**
 * Returns attention of queries […, group · T, headSize], in their shape.
 *
 * @param scores shape of the scores, […, group, T, keys]
 */
function attend(
  config: ModelConfig,
  queries: Value,
  { keys, values }: RootHeads,
  scores: Dimension[],
  mask: Value,
  floor: Value,
): Value {
  const products = matMul(queries, keys, { transB: true, alpha: config.attentionScale });
  const visible = atLeast(add(cap(config, reshape(products, scores)), mask), floor);
  return softmaxMix(reshape(visible, products.shape), values);
}

function headShape(config: ModelConfig): { kv: number; group: number; size: number; width: number } {
  const kv = config.numKeyValueHeads;
  return { kv, group: config.numHeads / kv, size: config.headSize, width: config.numHeads * config.headSize };
}
