import { checkSettings, flag, type Declaration, type Given } from '../../common/settings';
import { Graph } from '../../onnx/graph';
import { add } from '../../onnx/operators/arithmetic';
import { matMul } from '../../onnx/operators/matmul';
import { concat, reshape, transpose } from '../../onnx/operators/shape';
import { softmax } from '../../onnx/operators/softmax';
import { EXTERNAL_DATA_BYTES, writeModelFile } from '../../onnx/modelFile';
import { sizeOf, type Tensor } from '../../onnx/tensor';
import type { Value } from '../../onnx/value';
import { allWeights } from '../graph/architecture';
import { cap } from '../graph/attention';
import { HIDDEN } from '../generation/cache';
import type { CausalLM } from '../causalLM';
import type { ModelConfig } from '../config';
import { FolderUpdate } from './folderUpdate';
import { GraphParameters } from '../graph/parameters';
import { changedConfig, companionsOf } from './save';
import { Transformer } from '../graph/transformer';

const settings = {
  /**
   * Puts the weights into a file of their own, `model.onnx_data`. By default where they
   * are larger than 1.9 GB, since one file cannot hold more than 2.
   */
  externalData: flag(undefined),
};

/** Options of a model that is saved as an ONNX graph. */
export interface OnnxOptions extends Given<typeof settings> {}

/** The options of `model.savePretrainedOnnx`. */
export const onnxDeclaration: Declaration<typeof settings> = {
  owner: 'savePretrainedOnnx',
  noun: 'option',
  example: '{ externalData: true }',
  settings,
  elsewhere: { dtype: 'weights are float32' },
};

/**
 * Writes a folder in the layout of Optimum and Transformers.js: `config.json`,
 * tokenizer, and `onnx/model.onnx`, whose inputs are `input_ids`,
 * `attention_mask`, `position_ids` and `past_key_values.<layer>.key` and
 * `.value`, its outputs `logits` and `present.<layer>.key` and `.value`.
 */
export async function saveOnnx(model: CausalLM, folder: string, options: OnnxOptions): Promise<void> {
  checkSettings(onnxDeclaration, options);
  const tensors = mergedTensors(model);
  const graph = exportGraph(model.config, tensors);
  const bytes = [...tensors.values()].reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  const external = options.externalData ?? bytes > EXTERNAL_DATA_BYTES;
  await FolderUpdate.run(folder, async (update) => {
    const data = external ? { path: update.partial('onnx/model.onnx_data'), name: 'model.onnx_data' } : null;
    await update.stream('onnx/model.onnx', (path) => writeModelFile(path, graph, tensors, data));
    const transformersJs = {
      'transformers.js_config': external ? { use_external_data_format: { 'model.onnx': true } } : undefined,
    };
    update.text('config.json', changedConfig(model, { dtype: 'float32', ...transformersJs }));
    update.copy(model.folder, companionsOf(model.folder));
    update.removeOthers(/^model\.onnx_data$/, 'onnx');
  });
}

/** Returns the weights with the adapter's updates, each computed when its values are read. */
function mergedTensors(model: CausalLM): Map<string, Tensor> {
  return new Map(
    allWeights(model.config).map(({ name, shape }) => [
      name,
      {
        shape,
        get data() {
          return model.mergedWeight(name).data;
        },
      },
    ]),
  );
}

/** Dimensions whose size is known when the graph runs, by Optimum's names. */
const BATCH = 'batch_size';
const SEQUENCE = 'sequence_length';
const PAST = 'past_sequence_length';
const TOTAL = 'total_sequence_length';

/** Returns the graph of sequences that are padded on either side, with past keys and values. The weights are inputs. */
function exportGraph(config: ModelConfig, weights: ReadonlyMap<string, Tensor>): Graph {
  const graph = new Graph();
  const { numLayers, numKeyValueHeads: kv, headSize: size, vocabSize } = config;
  const ids = graph.input('input_ids', 'int64', [BATCH, SEQUENCE]);
  const attended = graph.input('attention_mask', 'int64', [BATCH, TOTAL]);
  const positions = graph.input('position_ids', 'int64', [BATCH, SEQUENCE]);
  const past = Array.from({ length: numLayers }, (_, layer) =>
    ['key', 'value'].map((of) => graph.input(`past_key_values.${layer}.${of}`, 'float32', [BATCH, kv, PAST, size])),
  );
  const mask = attentionMask(graph, attended);
  const parameters = new GraphParameters(graph, { weights, adapter: null }, { weights: 'input', trainable: 'none' });
  const transformer = new Transformer(graph, config, parameters);
  const present: Value[][] = [];
  const hidden = transformer.hidden(
    reshape(ids, ['rows']),
    reshape(positions, ['rows']),
    (layer, queries, keyRows, valueRows) => {
      const [keys, values] = [keyRows, valueRows].map((rows, i) => {
        const heads = transpose(reshape(rows, [BATCH, SEQUENCE, kv, size]), [0, 2, 1, 3]);
        return concat([past[layer][i], heads], 2, TOTAL);
      });
      present[layer] = [keys, values];
      return attention(config, queries, keys, values, mask);
    },
  );
  graph.output('logits', reshape(transformer.logits(hidden), [BATCH, SEQUENCE, vocabSize]));
  present.forEach(([keys, values], layer) => {
    graph.output(`present.${layer}.key`, keys);
    graph.output(`present.${layer}.value`, values);
  });
  return graph;
}

/** Returns a mask that is 0 where a token attends to another one, else very negative: [batch, 1, 1, sequence, total]. */
function attentionMask(graph: Graph, attended: Value): Value {
  const scalar = (dimension: string) => graph.node('Squeeze', [graph.dimension(dimension)], 'int64', []);
  const [total, past] = [scalar(TOTAL), scalar(PAST)];
  const [zero, one] = [0, 1].map((value) => graph.node('Squeeze', [graph.int64([value])], 'int64', []));
  const keys = graph.node('Range', [zero, total, one], 'int64', [TOTAL]);
  const queries = graph.node(
    'Unsqueeze',
    [graph.node('Range', [past, total, one], 'int64', [SEQUENCE]), graph.int64([1])],
    'int64',
    [SEQUENCE, 1],
  );
  const before = graph.node('LessOrEqual', [keys, queries], 'bool', [SEQUENCE, TOTAL]);
  const there = graph.node('Unsqueeze', [attended, graph.int64([1, 2, 3])], 'int64', [BATCH, 1, 1, 1, TOTAL]);
  const filled = graph.node('Cast', [there], 'bool', there.shape, { attributes: { to: { kind: 'int', value: 9 } } });
  const shape = [BATCH, 1, 1, SEQUENCE, TOTAL];
  const seen = graph.node('And', [filled, before], 'bool', shape);
  return graph.node('Where', [seen, graph.scalar(0), graph.scalar(HIDDEN)], 'float32', shape);
}

/**
 * Returns attention of queries [rows, heads · headSize] to keys and values
 * [batch, kv, total, headSize], in the shape of the queries.
 */
function attention(config: ModelConfig, queries: Value, keys: Value, values: Value, mask: Value): Value {
  const { numHeads, numKeyValueHeads: kv, headSize: size } = config;
  const group = numHeads / kv;
  // The queries of the heads that share keys are rows of one product.
  const grouped = transpose(reshape(queries, [BATCH, SEQUENCE, kv, group, size]), [0, 2, 3, 1, 4]);
  const rows = reshape(grouped, [BATCH, kv, 'group*sequence', size]);
  const scores = matMul(rows, keys, { transB: true, alpha: config.attentionScale });
  const weights = softmax(add(cap(config, reshape(scores, [BATCH, kv, group, SEQUENCE, TOTAL])), mask));
  const mixed = matMul(reshape(weights, [BATCH, kv, 'group*sequence', TOTAL]), values);
  const byToken = transpose(reshape(mixed, [BATCH, kv, group, SEQUENCE, size]), [0, 3, 1, 2, 4]);
  return reshape(byToken, ['rows', numHeads * size]);
}
