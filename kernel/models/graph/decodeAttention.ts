import { int, type Graph } from '../../onnx/graph';
import { add, mul } from '../../onnx/operators/arithmetic';
import { matMul } from '../../onnx/operators/matmul';
import { concat, reshape, split, transpose } from '../../onnx/operators/shape';
import { softmax } from '../../onnx/operators/softmax';
import type { Dimension, Value } from '../../onnx/value';
import { cap } from './attention';
import type { ModelConfig } from '../config';

/*
 * The values by head of a batch's rows, one row per completion, lie head after
 * head, [kv, N, group, …]: the heads that share keys and values are rows of one
 * product with them, and so are the completions of a prompt.
 */

/** How rows are laid out beside their prompts' keys and values, which are held once for all completions of a prompt. */
export interface PromptLayout {
  /** Returns the leading dimensions of the prompts' keys and values. */
  leading(kv: number): Dimension[];
  /** Returns rows x [kv, N, group, c] beside their prompt: […leading, rows · group, c]. */
  beside(x: Value): Value;
  /** Returns rows x […leading, rows · group, c] in their own order, the inverse of {@link beside}: [kv, N, group, c]. */
  back(x: Value, group: Dimension): Value;
  /** Returns scores […leading, rows · group, P] with the padding of prompts hidden. */
  mask(scores: Value): Value;
}

/** Returns the layout of completions of one prompt. */
export function onePrompt(): PromptLayout {
  return {
    leading: (kv) => [kv],
    beside: (x) => {
      const [kv, N, group, c] = x.shape;
      return reshape(x, [kv, `${N}*${group}`, c]);
    },
    back: (x, group) => reshape(x, [x.shape[0], 'N', group, x.shape[2]]),
    mask: (scores) => scores,
  };
}

/**
 * Returns the layout of completions of several prompts, a rectangle [G, R]. Inputs:
 * `to_groups` [G, R], the row at each place (any where there is none); `from_groups`
 * [N], the place of each row; `prompt_mask` [G, 1, P].
 */
export function severalPrompts(graph: Graph): PromptLayout {
  const toGroups = graph.input('to_groups', 'int64', ['G', 'R']);
  const fromGroups = graph.input('from_groups', 'int64', ['N']);
  const mask = graph.input('prompt_mask', 'float32', ['G', 1, 'P']);
  const gather = (x: Value, indices: Value) => {
    const [kv, , group, c] = x.shape;
    return graph.node('Gather', [x, indices], x.type, [kv, ...indices.shape, group, c], {
      attributes: { axis: int(1) },
    });
  };
  return {
    leading: (kv) => [kv, 'G'],
    beside: (x) => {
      const [kv, , group, c] = x.shape;
      return reshape(gather(x, toGroups), [kv, 'G', `R*${group}`, c]);
    },
    back: (x, group) => gather(reshape(x, [x.shape[0], 'G*R', group, x.shape[3]]), fromGroups),
    mask: (scores) => add(scores, mask),
  };
}

/**
 * Returns attention of one new token per completion to the prompt, to the completion
 * so far, and to itself, as rows [N, heads · headSize]. Queries
 * [kv, N, group · headSize] are scaled; keys and values are [kv, N, headSize].
 */
export function decodeAttention(
  graph: Graph,
  config: ModelConfig,
  layer: number,
  rows: { queries: Value; keys: Value; values: Value },
  prompts: PromptLayout,
  mask: Value,
): Value {
  const { numKeyValueHeads: kv, headSize: size } = config;
  const group = config.numHeads / kv;
  const promptKeys = graph.input(`prompt_keys.${layer}`, 'float32', [...prompts.leading(kv), size, 'P']);
  const promptValues = graph.input(`prompt_values.${layer}`, 'float32', [...prompts.leading(kv), 'P', size]);
  const ownKeys = graph.input(`own_keys.${layer}`, 'float32', [kv, 'N', 'C', size]);
  const ownValues = graph.input(`own_values.${layer}`, 'float32', [kv, 'N', 'C', size]);

  const queries = reshape(rows.queries, [kv, 'N', group, size]);
  const scores = [
    prompts.back(prompts.mask(cap(config, matMul(prompts.beside(queries), promptKeys))), group),
    add(cap(config, matMul(queries, ownKeys, { transB: true })), mask),
    cap(config, matMul(queries, reshape(rows.keys, [kv, 'N', 1, size]), { transB: true })),
  ];
  const weights = softmax(concat(scores, -1, 'P+C+1'));

  const [promptWeights, ownWeights, selfWeight] = split(weights, -1, ['P', 'C', 1]);
  const mixed = [
    prompts.back(matMul(prompts.beside(promptWeights), promptValues), group),
    matMul(ownWeights, ownValues),
    mul(selfWeight, reshape(rows.values, [kv, 'N', 1, size])),
  ].reduce(add);
  return reshape(transpose(mixed, [1, 0, 2, 3]), ['N', kv * group * size]);
}
