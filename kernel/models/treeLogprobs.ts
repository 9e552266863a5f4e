import type { Graph } from '../onnx/graph';
import { scale } from '../onnx/operators/arithmetic';
import { takeRows } from '../onnx/operators/gather';
import { concat, split } from '../onnx/operators/shape';
import { logprobsOfLogits, tokenLogprobs, type TokenLogprobs } from '../onnx/operators/tokenLogprobs';
import type { ModelConfig } from './config';
import type { GraphParameters } from './parameters';
import { Transformer } from './transformer';
import { branchAttention, rootAttention, rootHeads, scoreFloor, type RootHeads } from './treeAttention';
import { treeInputs, type TreeRows } from './trees';

/** A model over trees of sequences. */
export interface TreeForward {
  /** Of the tokens to be learned, [M]; made on request, as not every graph needs them. Gradients flow through the entropies only where asked for. */
  logprobs(temperature: number, entropyGradients: boolean): TokenLogprobs;
  /** Of the roots, layer by layer: computed, or inputs `root_keys.<layer>`, `root_values.<layer>`. */
  roots: RootHeads[];
}

/** Adds to a graph the forward pass of a model over trees, whose inputs `treeFeeds` gives. */
export function treeForward(graph: Graph, config: ModelConfig, parameters: GraphParameters, rows: TreeRows): TreeForward {
  const inputs = treeInputs(graph, rows);
  const transformer = new Transformer(graph, config, parameters);
  const roots: RootHeads[] = [];
  const hidden = transformer.hidden(inputs.ids, inputs.positions, (layer, queries, keys, values) => {
    const floor = scoreFloor(config, { queries, keys });
    if (!inputs.roots) {
      roots.push(givenRoots(graph, config, layer));
      return branchAttention(config, { queries, keys, values }, roots[layer], floor, inputs.branches!);
    }
    const parts = (x: typeof queries) => (inputs.branches ? split(x, 0, ['P', 'S']) : [x]);
    const [[rootQueries, ownQueries], [rootKeys, ownKeys], [rootValues, ownValues]] = [parts(queries), parts(keys), parts(values)];
    roots.push({ keys: rootHeads(config, rootKeys, inputs.roots), values: rootHeads(config, rootValues, inputs.roots) });
    const mixed = rootAttention(config, rootQueries, roots[layer], floor, inputs.roots);
    if (!inputs.branches) return mixed;
    const own = { queries: ownQueries, keys: ownKeys, values: ownValues };
    return concat([mixed, branchAttention(config, own, roots[layer], floor, inputs.branches)], 0, 'rows');
  });
  return {
    roots,
    logprobs: (temperature, entropyGradients) => {
      const learned = takeRows(hidden, inputs.predicting);
      if (entropyGradients || config.logitSoftcap !== null) {
        return logprobsOfLogits(scale(transformer.logits(learned), 1 / temperature), inputs.targets, entropyGradients);
      }
      const { x, weight } = transformer.head(learned);
      return tokenLogprobs(scale(x, 1 / temperature), parameters.weight(weight), inputs.targets, parameters.rows(weight, inputs.targets));
    },
  };
}

/** The roots of a graph that has the rows of branches only. Gradients can be taken with respect to them. */
function givenRoots(graph: Graph, { numKeyValueHeads, headSize }: ModelConfig, layer: number): RootHeads {
  const input = (name: string) => graph.input(`${name}.${layer}`, 'float32', ['G', numKeyValueHeads, 'L', headSize], { trainable: true });
  return { keys: input('root_keys'), values: input('root_values') };
}
