import type { Graph } from '../onnx/graph';
import { add } from '../onnx/operators/arithmetic';
import { matMul } from '../onnx/operators/matmul';
import { concat, reshape, split, transpose } from '../onnx/operators/shape';
import { softmax } from '../onnx/operators/softmax';
import type { Dimension, Value } from '../onnx/value';
import { cap } from './attention';
import type { ModelConfig } from './config';

/**
 * How queries, one row per completion, meet their prompts' keys: `prompts`
 * [G, …] are shared by the completions of a group, which then are rows of one
 * product per head.
 */
export interface PromptLayout {
  /** How many prompts. */
  groups: Dimension;
  /** Rows x [N, a, b, c] beside their prompt: [G, a, R · b, c]. */
  beside(x: Value): Value;
  /** The inverse for x [G, a, R · b, c]: [N, a, b, c]. */
  back(x: Value, b: number): Value;
  /** Scores [G, a, R · b, P] with what no prompt has hidden. */
  mask(scores: Value, b: number): Value;
}

/** All completions are of one prompt. */
export function onePrompt(): PromptLayout {
  return {
    groups: 1,
    beside: (x) => {
      const [N, a, b, c] = x.shape;
      return reshape(transpose(x, [1, 0, 2, 3]), [1, a, `${N}*${b}`, c]);
    },
    back: (x, b) => transpose(reshape(x, [x.shape[1], 'N', b, x.shape[3]]), [1, 0, 2, 3]),
    mask: (scores) => scores,
  };
}

/**
 * Completions of several prompts, laid out as a rectangle [G, R]. Inputs:
 * `to_groups` [G, R], the row at each place (any where there is none);
 * `from_groups` [N], the place of each row; `prompt_mask` [G, 1, 1, 1, P].
 */
export function severalPrompts(graph: Graph): PromptLayout {
  const toGroups = graph.input('to_groups', 'int64', ['G', 'R']);
  const fromGroups = graph.input('from_groups', 'int64', ['N']);
  const mask = graph.input('prompt_mask', 'float32', ['G', 1, 1, 1, 'P']);
  const gather = (x: Value, indices: Value) =>
    graph.node('Gather', [x, indices], x.type, [...indices.shape, ...x.shape.slice(1)]);
  return {
    groups: 'G',
    beside: (x) => {
      const [, a, b, c] = x.shape;
      return reshape(transpose(gather(x, toGroups), [0, 2, 1, 3, 4]), ['G', a, `R*${b}`, c]);
    },
    back: (x, b) => {
      const [, a, , c] = x.shape;
      const places = transpose(reshape(x, ['G', a, 'R', b, c]), [0, 2, 1, 3, 4]);
      return gather(reshape(places, ['G*R', a, b, c]), fromGroups);
    },
    mask: (scores, b) => {
      const [G, a, rows, P] = scores.shape;
      return reshape(add(reshape(scores, [G, a, 'R', b, P]), mask), [G, a, rows, P]);
    },
  };
}

/** Attention of one new token per completion to the prompt, to the completion so far, and to itself. */
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
  const alpha = config.attentionScale;
  const promptKeys = graph.input(`prompt_keys.${layer}`, 'float32', [prompts.groups, kv, size, 'P']);
  const promptValues = graph.input(`prompt_values.${layer}`, 'float32', [prompts.groups, kv, 'P', size]);
  const ownKeys = graph.input(`own_keys.${layer}`, 'float32', ['N', kv, 'C', size]);
  const ownValues = graph.input(`own_values.${layer}`, 'float32', ['N', kv, 'C', size]);

  const queries = reshape(rows.queries, ['N', kv, group, size]);
  const promptScores = matMul(prompts.beside(queries), promptKeys, { alpha });
  const scores = [
    prompts.back(prompts.mask(cap(config, promptScores), group), group),
    add(cap(config, matMul(queries, ownKeys, { transB: true, alpha })), mask),
    cap(config, matMul(queries, reshape(rows.keys, ['N', kv, size, 1]), { alpha })),
  ];
  const weights = softmax(concat(scores, -1, 'P+C+1'));

  const [promptWeights, ownWeights, selfWeights] = split(weights, -1, ['P', 'C', 1]);
  const fromPrompt = prompts.back(matMul(prompts.beside(promptWeights), promptValues), group);
  const fromOwn = matMul(ownWeights, ownValues);
  const fromSelf = matMul(selfWeights, reshape(rows.values, ['N', kv, 1, size]));
  return reshape(add(add(fromPrompt, fromOwn), fromSelf), ['N', kv * group * size]);
}
