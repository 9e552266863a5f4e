import { Graph } from '../../onnx/graph';
import { div } from '../../onnx/operators/arithmetic';
import { gatherRows } from '../../onnx/operators/gather';
import { concat, transpose } from '../../onnx/operators/shape';
import { softmax } from '../../onnx/operators/softmax';
import type { Value } from '../../onnx/value';
import { promptAttention, promptHeads } from './attention';
import type { ModelConfig } from '../config';
import { DecodingTransformer, type ProductOrder } from './decodingTransformer';
import { decodeAttention, onePrompt, severalPrompts } from './decodeAttention';
import { GraphParameters, type ParameterOptions, type ParameterSet } from './parameters';
import { Transformer } from './transformer';

/** A graph of the model with the parameters that it has to be fed. */
export interface ModelGraph {
  graph: Graph;
  parameters: GraphParameters;
}

const NOT_TRAINED: ParameterOptions = { weights: 'input', trainable: 'none' };

/**
 * Returns the graph of P tokens of one sequence after Q earlier ones. Inputs: `ids`,
 * `positions` [P], `mask` [P, Q+P], `rows` (which rows' logits are wanted), and per
 * layer `past_keys.i` [kv, headSize, Q], `past_values.i` [kv, Q, headSize]. Outputs:
 * `logits` [rows, vocabulary], and per layer `keys.i` [kv, headSize, Q+P], `values.i`
 * [kv, Q+P, headSize]: the past of the next tokens, and what {@link decodeGraph}
 * takes.
 */
export function prefillGraph(config: ModelConfig, set: ParameterSet): ModelGraph {
  const graph = new Graph();
  const parameters = new GraphParameters(graph, set, NOT_TRAINED);
  const { numKeyValueHeads: kv, headSize: size } = config;
  const transformer = new Transformer(graph, config, parameters);
  const ids = graph.input('ids', 'int64', ['P']);
  const positions = graph.input('positions', 'int64', ['P']);
  const mask = graph.input('mask', 'float32', ['P', 'Q+P']);
  const rows = graph.input('rows', 'int64', ['rows']);
  const hidden = transformer.hidden(ids, positions, (layer, queries, keyRows, valueRows) => {
    const pastKeys = graph.input(`past_keys.${layer}`, 'float32', [kv, size, 'Q']);
    const pastValues = graph.input(`past_values.${layer}`, 'float32', [kv, 'Q', size]);
    const keys = concat([transpose(pastKeys, [0, 2, 1]), promptHeads(config, keyRows)], 1, 'Q+P');
    const values = concat([pastValues, promptHeads(config, valueRows)], 1, 'Q+P');
    graph.output(`keys.${layer}`, transpose(keys, [0, 2, 1]));
    graph.output(`values.${layer}`, values);
    return promptAttention(config, queries, { keys, values }, mask);
  });
  graph.output('logits', transformer.logits(gatherRows(hidden, rows)));
  return { graph, parameters };
}

export interface DecodeGraphOptions {
  prompts: 'one' | 'several';
  order: ProductOrder;
}

/**
 * Returns the graph of the next token of each of N completions, of one prompt or of
 * several. Inputs: `ids`, `positions` [N]; the prompts' `prompt_keys.i`,
 * `prompt_values.i` [kv, …] as {@link prefillGraph} gives them, for several [kv, G, …]
 * with the inputs of {@link severalPrompts}; the completions' own keys and values, in
 * C slots of which some may be empty: `own_keys.i`, `own_values.i`
 * [kv, N, C, headSize]; `mask` [C], very negative at empty slots; `temperature` [1].
 * Outputs: `logits` and, at the temperature, `probabilities` [N, vocabulary]; `newest`
 * [2 · layers · kv, N, headSize], the token's own keys and values, layer after layer:
 * the caller keeps the cache, so that nothing of it is copied.
 */
export function decodeGraph(
  config: ModelConfig,
  set: ParameterSet,
  { prompts, order }: DecodeGraphOptions,
): ModelGraph {
  const graph = new Graph();
  const parameters = new GraphParameters(graph, set, NOT_TRAINED);
  const transformer = new DecodingTransformer(graph, config, parameters, order);
  const ids = graph.input('ids', 'int64', ['N']);
  const positions = graph.input('positions', 'int64', ['N']);
  const mask = graph.input('mask', 'float32', ['C']);
  const temperature = graph.input('temperature', 'float32', [1]);
  const layout = prompts === 'one' ? onePrompt() : severalPrompts(graph);
  const newest: Value[] = [];
  const hidden = transformer.hidden(ids, positions, (layer, queries, keys, values) => {
    newest.push(keys, values);
    return decodeAttention(graph, config, layer, { queries, keys, values }, layout, mask);
  });
  graph.output('newest', concat(newest, 0, 2 * config.numLayers * config.numKeyValueHeads));
  const logits = transformer.logits(hidden);
  graph.output('logits', logits);
  graph.output('probabilities', softmax(div(logits, temperature)));
  return { graph, parameters };
}
