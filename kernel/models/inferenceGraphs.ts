import { Graph } from '../onnx/graph';
import { add } from '../onnx/operators/arithmetic';
import { gatherRows } from '../onnx/operators/gather';
import { matMul } from '../onnx/operators/matmul';
import { concat, reshape, split, transpose } from '../onnx/operators/shape';
import { softmax } from '../onnx/operators/softmax';
import type { Value } from '../onnx/value';
import { cap, promptAttention, promptHeads } from './attention';
import type { ModelConfig } from './config';
import { GraphParameters, type ParameterOptions, type ParameterSet } from './parameters';
import { Transformer } from './transformer';

/** A graph of the model with the parameters that it has to be fed. */
export interface ModelGraph {
  graph: Graph;
  parameters: GraphParameters;
}

const NOT_TRAINED: Omit<ParameterOptions, 'weights'> = { trainable: 'none' };

/**
 * One sequence, all tokens at once. Inputs: `ids`, `positions` [P], `mask`
 * [P, P], `rows` (which rows' logits are wanted). Outputs: `logits` [rows,
 * vocabulary], and per layer `keys.i` [kv, headSize, P], `values.i` [kv, P,
 * headSize] for {@link decodeGraph}.
 */
export function prefillGraph(config: ModelConfig, set: ParameterSet, weights: ParameterOptions['weights']): ModelGraph {
  const graph = new Graph();
  const parameters = new GraphParameters(graph, set, { ...NOT_TRAINED, weights });
  const transformer = new Transformer(graph, config, parameters);
  const ids = graph.input('ids', 'int64', ['P']);
  const positions = graph.input('positions', 'int64', ['P']);
  const mask = graph.input('mask', 'float32', ['P', 'P']);
  const rows = graph.input('rows', 'int64', ['rows']);
  const hidden = transformer.hidden(ids, positions, (layer, queries, keyRows, valueRows) => {
    const keys = promptHeads(config, keyRows);
    const values = promptHeads(config, valueRows);
    graph.output(`keys.${layer}`, transpose(keys, [0, 2, 1]));
    graph.output(`values.${layer}`, values);
    return promptAttention(config, queries, { keys, values }, mask);
  });
  graph.output('logits', transformer.logits(gatherRows(hidden, rows)));
  return { graph, parameters };
}

/**
 * One more token for each of N completions of one prompt. Inputs: `ids`,
 * `positions` [N]; the prompt's `prompt_keys.i`, `prompt_values.i` as
 * {@link prefillGraph} gives them; the completions' own, in C slots of which
 * some may be empty: `own_keys.i` [N, kv, headSize, C], `own_values.i` [N, kv,
 * C, headSize]; `mask` [C], very negative at empty slots. Outputs: `logits`
 * [N, vocabulary], and per layer the token's own `keys.i`, `values.i` [N, kv ·
 * headSize]: the caller keeps the cache, so that nothing of it is copied.
 */
export function decodeGraph(config: ModelConfig, set: ParameterSet, weights: ParameterOptions['weights']): ModelGraph {
  const graph = new Graph();
  const parameters = new GraphParameters(graph, set, { ...NOT_TRAINED, weights });
  const transformer = new Transformer(graph, config, parameters);
  const ids = graph.input('ids', 'int64', ['N']);
  const positions = graph.input('positions', 'int64', ['N']);
  const mask = graph.input('mask', 'float32', ['C']);
  const hidden = transformer.hidden(ids, positions, (layer, queries, keys, values) => {
    graph.output(`keys.${layer}`, keys);
    graph.output(`values.${layer}`, values);
    return decodeAttention(graph, config, layer, { queries, keys, values }, mask);
  });
  graph.output('logits', transformer.logits(hidden));
  return { graph, parameters };
}

/** Attention of one new token per completion to the prompt, to the completion so far, and to itself. */
function decodeAttention(
  graph: Graph,
  config: ModelConfig,
  layer: number,
  rows: { queries: Value; keys: Value; values: Value },
  mask: Value,
): Value {
  const { numKeyValueHeads: kv, headSize: size } = config;
  const group = config.numHeads / kv;
  const alpha = config.attentionScale;
  const promptKeys = graph.input(`prompt_keys.${layer}`, 'float32', [kv, size, 'P']);
  const promptValues = graph.input(`prompt_values.${layer}`, 'float32', [kv, 'P', size]);
  const ownKeys = graph.input(`own_keys.${layer}`, 'float32', ['N', kv, size, 'C']);
  const ownValues = graph.input(`own_values.${layer}`, 'float32', ['N', kv, 'C', size]);

  // For the prompt the completions are rows of one product per head.
  const queries = reshape(rows.queries, ['N', kv, group, size]);
  const byHead = reshape(transpose(queries, [1, 0, 2, 3]), [kv, 'N*group', size]);
  const promptScores = reshape(matMul(byHead, promptKeys, { alpha }), [kv, 'N', group, 'P']);
  const scores = [
    cap(config, transpose(promptScores, [1, 0, 2, 3])),
    add(cap(config, matMul(queries, ownKeys, { alpha })), mask),
    cap(config, matMul(queries, reshape(rows.keys, ['N', kv, size, 1]), { alpha })),
  ];
  const weights = softmax(concat(scores, -1, 'P+C+1'));

  const [promptWeights, ownWeights, selfWeights] = split(weights, -1, ['P', 'C', 1]);
  const promptRows = reshape(transpose(promptWeights, [1, 0, 2, 3]), [kv, 'N*group', 'P']);
  const fromPrompt = transpose(reshape(matMul(promptRows, promptValues), [kv, 'N', group, size]), [1, 0, 2, 3]);
  const fromOwn = matMul(ownWeights, ownValues);
  const fromSelf = matMul(selfWeights, reshape(rows.values, ['N', kv, 1, size]));
  return reshape(add(add(fromPrompt, fromOwn), fromSelf), ['N', kv * group * size]);
}
