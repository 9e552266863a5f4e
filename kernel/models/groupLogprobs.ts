import { Graph } from '../onnx/graph';
import { mul, neg, scale, sum } from '../onnx/operators/arithmetic';
import { exp } from '../onnx/operators/elementwise';
import { gatherPairs, gatherRows, takeRows } from '../onnx/operators/gather';
import { concat, reshape, split } from '../onnx/operators/shape';
import { logSoftmax } from '../onnx/operators/softmax';
import { GraphSession } from '../onnx/session';
import type { Value } from '../onnx/value';
import { completionAttention, promptAttention, promptHeads } from './attention';
import type { ModelConfig } from './config';
import { groupFeeds, groupInputs, type Group } from './groupBatch';
import { GraphParameters, type ParameterSet } from './parameters';
import { Transformer } from './transformer';

/** What a model says of a group's completions. */
export interface GroupLogprobs {
  /** Log-probability of each token, [M], completion after completion. */
  logprobs: Value;
  /** Entropy of the distribution that each token was drawn from, [M]; a constant to gradients. */
  entropies: Value;
}

/** Adds to a graph the log-probabilities of a group's completions at a temperature. The prompt is computed once. */
export function groupLogprobs(
  graph: Graph,
  config: ModelConfig,
  parameters: GraphParameters,
  temperature: number,
): GroupLogprobs {
  const inputs = groupInputs(graph);
  const transformer = new Transformer(graph, config, parameters);
  const hidden = transformer.hidden(inputs.ids, inputs.positions, (_, queries, keys, values) => {
    const [promptQueries, ownQueries] = split(queries, 0, ['P', 'S']);
    const [promptKeys, ownKeys] = split(keys, 0, ['P', 'S']);
    const [promptValues, ownValues] = split(values, 0, ['P', 'S']);
    const prompt = { keys: promptHeads(config, promptKeys), values: promptHeads(config, promptValues) };
    const own = { queries: ownQueries, keys: ownKeys, values: ownValues };
    const mixed = [
      promptAttention(config, promptQueries, prompt, inputs.promptMask),
      completionAttention(config, own, prompt, { packing: inputs.packing, mask: inputs.completionMask }),
    ];
    return concat(mixed, 0, 'P+S');
  });
  const logits = transformer.logits(takeRows(hidden, inputs.predicting));
  const all = logSoftmax(scale(logits, 1 / temperature));
  return {
    logprobs: gatherPairs(all, inputs.tokens),
    entropies: graph.withoutRecording(() => {
      const perPrediction = neg(sum(mul(exp(all), all), [-1]));
      const prediction = split(inputs.tokens, 1, [1, 1])[0];
      return reshape(gatherRows(perPrediction, reshape(prediction, ['M'])), ['M']);
    }),
  };
}

/** Computes log-probabilities of completions with fixed parameters: a reference model, or the policy before an update. */
export class LogprobScorer {
  private constructor(
    private readonly session: GraphSession,
    private readonly parameters: GraphParameters,
  ) {}

  static async create(config: ModelConfig, set: ParameterSet, temperature: number): Promise<LogprobScorer> {
    const graph = new Graph();
    const parameters = new GraphParameters(graph, set, { weights: 'input', trainable: 'none' });
    graph.output('logprobs', groupLogprobs(graph, config, parameters, temperature).logprobs);
    return new LogprobScorer(await GraphSession.create(graph), parameters);
  }

  /** Log-probabilities of all tokens of a group's completions, one completion after the other. */
  async score(group: Group): Promise<Float32Array> {
    const { logprobs } = await this.session.run({ ...this.parameters.feeds(), ...groupFeeds(group) });
    return logprobs.data;
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}
