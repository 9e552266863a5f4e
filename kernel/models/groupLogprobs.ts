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

/**
 * Adds to a graph the log-probabilities of a group's completions at a
 * temperature. The prompt is computed once.
 *
 * @param options.entropyGradients whether gradients flow through the entropies; false by default
 */
export function groupLogprobs(
  graph: Graph,
  config: ModelConfig,
  parameters: GraphParameters,
  temperature: number,
  { entropyGradients = false }: { entropyGradients?: boolean } = {},
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
  const entropies = () => {
    const perPrediction = neg(sum(mul(exp(all), all), [-1]));
    const prediction = split(inputs.tokens, 1, [1, 1])[0];
    return reshape(gatherRows(perPrediction, reshape(prediction, ['M'])), ['M']);
  };
  return {
    logprobs: gatherPairs(all, inputs.tokens),
    entropies: entropyGradients ? entropies() : graph.withoutRecording(entropies),
  };
}

/** What a model says of some completions: for each, one value per token. */
export interface CompletionScores {
  logprobs: Float32Array[];
  entropies: Float32Array[];
}

/** Scores completions with parameters as they are: of a reference model, or of the policy before an update. */
export class LogprobScorer {
  private constructor(
    private readonly session: GraphSession,
    private readonly parameters: GraphParameters,
  ) {}

  static async create(config: ModelConfig, set: ParameterSet, temperature: number): Promise<LogprobScorer> {
    const graph = new Graph();
    const parameters = new GraphParameters(graph, set, { weights: 'input', trainable: 'none' });
    const { logprobs, entropies } = groupLogprobs(graph, config, parameters, temperature);
    graph.output('logprobs', logprobs);
    graph.output('entropies', entropies);
    return new LogprobScorer(await GraphSession.create(graph), parameters);
  }

  /** Log-probabilities of all tokens of a group's completions, one completion after the other. */
  async score(group: Group): Promise<Float32Array> {
    return (await this.run(group)).logprobs.data;
  }

  /** Scores the completions of several prompts: completion i answers prompt `promptOf[i]`. */
  async scoreBatch(
    { promptIds, completionIds, promptOf }: { promptIds: readonly (readonly number[])[]; completionIds: readonly (readonly number[])[]; promptOf: ArrayLike<number> },
    signal?: AbortSignal,
  ): Promise<CompletionScores> {
    const scores: CompletionScores = { logprobs: [], entropies: [] };
    for (let prompt = 0; prompt < promptIds.length; prompt++) {
      signal?.throwIfAborted();
      const rows = completionIds.flatMap((_, i) => (promptOf[i] === prompt ? [i] : []));
      if (rows.length === 0) continue;
      const { logprobs, entropies } = await this.run({ promptIds: promptIds[prompt], completionIds: rows.map((i) => completionIds[i]) });
      let start = 0;
      for (const i of rows) {
        const end = start + completionIds[i].length;
        scores.logprobs[i] = logprobs.data.slice(start, end);
        scores.entropies[i] = entropies.data.slice(start, end);
        start = end;
      }
    }
    return scores;
  }

  private run(group: Group) {
    return this.session.run({ ...this.parameters.feeds(), ...groupFeeds(group) });
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}
