import type { Graph } from '../../onnx/graph';
import { scale } from '../../onnx/operators/arithmetic';
import { takeRows } from '../../onnx/operators/gather';
import { concat, split } from '../../onnx/operators/shape';
import { logprobsOfLogits, tokenLogprobs, type TokenLogprobs } from '../../onnx/operators/tokenLogprobs';
import { after, recomputed } from '../../onnx/recompute';
import type { Value } from '../../onnx/value';
import type { ModelConfig } from '../config';
import type { GraphParameters } from './parameters';
import { Transformer, type ApplyBlock } from './transformer';
import { branchAttention, rootAttention, rootHeads, scoreFloor, type RootHeads } from './treeAttention';
import { treeInputs, type LearnedTokens, type TreeRows } from './trees';

/** Options of a graph over trees. */
export interface TreeForwardOptions {
  rows: TreeRows;
  /** Number of parts into which the head cuts its rows, so that not all logits are in memory at once. */
  headParts: number;
  /** Whether gradients are taken: then parts of the head are recomputed in the backward pass. */
  trained: boolean;
  /** Whether blocks are recomputed, too: only the input of a block is kept until then. */
  gradientCheckpointing: boolean;
}

/** A model over trees of sequences. */
export interface TreeForward {
  /**
   * Adds the log-probabilities of the learned tokens, [M], to the graph, and returns
   * them. Gradients flow through the entropies only with `entropyGradients`.
   */
  logprobs(temperature: number, entropyGradients: boolean): TokenLogprobs;
  /** Keys and values of the roots, layer by layer: computed, or inputs `root_keys.<layer>`, `root_values.<layer>`. */
  roots: RootHeads[];
}

/** Adds the forward pass of a model over trees to a graph, whose inputs `treeFeeds` returns. */
export function treeForward(
  graph: Graph,
  config: ModelConfig,
  parameters: GraphParameters,
  options: TreeForwardOptions,
): TreeForward {
  const inputs = treeInputs(graph, options.rows, options.headParts);
  const transformer = new Transformer(graph, config, parameters);
  const roots: RootHeads[] = inputs.roots
    ? []
    : Array.from({ length: config.numLayers }, (_, layer) => givenRoots(graph, config, layer));
  const attend = (layer: number, queries: Value, keys: Value, values: Value) => {
    const floor = scoreFloor(config, { queries, keys });
    if (!inputs.roots) return branchAttention(config, { queries, keys, values }, roots[layer], floor, inputs.branches!);
    const parts = (x: Value) => (inputs.branches ? split(x, 0, ['P', 'S']) : [x]);
    const [[rootQueries, ownQueries], [rootKeys, ownKeys], [rootValues, ownValues]] = [
      parts(queries),
      parts(keys),
      parts(values),
    ];
    roots[layer] = {
      keys: rootHeads(config, rootKeys, inputs.roots),
      values: rootHeads(config, rootValues, inputs.roots),
    };
    const mixed = rootAttention(config, rootQueries, roots[layer], floor, inputs.roots);
    if (!inputs.branches) return mixed;
    const own = { queries: ownQueries, keys: ownKeys, values: ownValues };
    return concat([mixed, branchAttention(config, own, roots[layer], floor, inputs.branches)], 0, 'rows');
  };
  // What the last block holds is needed at once: there is nothing to gain.
  const again: ApplyBlock = (layer, x, block) => {
    if (layer === config.numLayers - 1) return block(x);
    const [y, ...computed] = recomputed([x], (rows) => [
      block(rows),
      ...(inputs.roots ? [roots[layer].keys, roots[layer].values] : []),
    ]);
    if (inputs.roots) roots[layer] = { keys: computed[0], values: computed[1] };
    return y;
  };
  const hidden = transformer.hidden(
    inputs.ids,
    inputs.positions,
    attend,
    options.trained && options.gradientCheckpointing ? again : undefined,
  );
  const head = new Head(config, parameters, transformer);
  return {
    // A block that is computed again makes its roots' keys and values again: those of the first time are the outputs.
    roots: [...roots],
    logprobs: (temperature, entropyGradients) =>
      head.inParts(hidden, inputs.learned, { temperature, entropyGradients, trained: options.trained }),
  };
}

interface HeadOptions {
  temperature: number;
  entropyGradients: boolean;
  trained: boolean;
}

/** Computes log-probabilities from hidden states. */
class Head {
  constructor(
    private readonly config: ModelConfig,
    private readonly parameters: GraphParameters,
    private readonly transformer: Transformer,
  ) {}

  /** Returns log-probabilities, computed part by part: each is finished, and its logits freed, before the next begins. */
  inParts(hidden: Value, learned: readonly LearnedTokens[], options: HeadOptions): TokenLogprobs {
    if (learned.length === 1) return this.build(learned[0], options)(takeRows(hidden, learned[0].predicting));
    const parts: Value[][] = [];
    for (const tokens of learned) {
      const build = this.build(tokens, options);
      const all = (rows: Value) => {
        const { logprobs, entropies, isTop1 } = build(rows);
        return [logprobs, entropies, isTop1()];
      };
      const rows = after(takeRows(hidden, tokens.predicting), parts[parts.length - 1] ?? []);
      parts.push(options.trained ? recomputed([rows], all) : all(rows));
    }
    const [logprobs, entropies, isTop1] = [0, 1, 2].map((i) =>
      concat(
        parts.map((part) => part[i]),
        0,
        'M',
      ),
    );
    return { logprobs, entropies, isTop1: () => isTop1 };
  }

  private build(
    { targets }: LearnedTokens,
    { temperature, entropyGradients }: HeadOptions,
  ): (rows: Value) => TokenLogprobs {
    const { transformer, parameters } = this;
    if (entropyGradients || this.config.logitSoftcap !== null) {
      return (rows) => logprobsOfLogits(scale(transformer.logits(rows), 1 / temperature), targets, entropyGradients);
    }
    const targetRows = parameters.rows(transformer.headWeight, targets);
    return (rows) => {
      const { x, weight } = transformer.head(rows);
      return tokenLogprobs(scale(x, 1 / temperature), parameters.weight(weight), targets, targetRows);
    };
  }
}

/**
 * Returns the keys and values of roots as inputs of a graph that has only the rows of
 * branches, [G, kv, L, headSize]. Gradients can be taken with respect to them.
 */
function givenRoots(graph: Graph, { numKeyValueHeads, headSize }: ModelConfig, layer: number): RootHeads {
  const input = (name: string) =>
    graph.input(`${name}.${layer}`, 'float32', ['G', numKeyValueHeads, 'L', headSize], { trainable: true });
  return { keys: input('root_keys'), values: input('root_values') };
}
