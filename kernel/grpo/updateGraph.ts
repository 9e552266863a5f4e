import type { CausalLM } from '../models/causalLM';
import { groupLogprobs } from '../models/groupLogprobs';
import { GraphParameters } from '../models/parameters';
import { gradients } from '../onnx/gradients';
import { Graph } from '../onnx/graph';
import { detach, less, select } from '../onnx/operators/arithmetic';
import { int64Feed, type Feed } from '../onnx/session';
import { policyLoss } from './losses';
import type { UpdateSettings } from './updateSettings';

/** The graph of one group: forward, loss, backward. */
export function updateGraph(model: CausalLM, settings: UpdateSettings): { graph: Graph; parameters: GraphParameters } {
  const graph = new Graph();
  const parameters = new GraphParameters(graph, model.parameters, {
    weights: 'input',
    trainable: model.adapter ? 'adapter' : 'weights',
  });
  const { logprobs, entropies } = groupLogprobs(graph, model.config, parameters, model.maxSeqLength, settings.temperature);
  const perToken = (name: string) => graph.input(name, 'float32', ['M']);
  // 1 where the policy is still the one that sampled: its own log-probabilities are the old ones, exactly.
  const onPolicy = less(graph.scalar(0.5), graph.input('on_policy', 'float32', []));
  const { loss, kl } = policyLoss(graph, settings, {
    logprobs,
    oldLogprobs: select(onPolicy, detach(logprobs), perToken('old_logprobs')),
    referenceLogprobs: settings.beta === 0 ? null : perToken('reference_logprobs'),
    advantages: perToken('advantages'),
    weights: perToken('weights'),
    sequences:
      settings.importanceSamplingLevel === 'token'
        ? null
        : { means: graph.input('sequence_means', 'float32', ['K', 'M']), completionOf: graph.input('completion_of', 'int64', ['M']) },
  });
  graph.output('loss', loss);
  graph.output('logprobs', logprobs);
  graph.output('entropies', entropies);
  if (kl) graph.output('kl', kl);
  const names = [...parameters.trainable.keys()];
  gradients(loss, [...parameters.trainable.values()]).forEach((gradient, i) => graph.output(`gradient ${names[i]}`, gradient));
  return { graph, parameters };
}

/** What the loss is computed from, per token of all completions of a group. */
export function lossFeeds(
  completionIds: readonly (readonly number[])[],
  { advantages, weights, masks, old }: { advantages: number[]; weights: Float32Array[]; masks: ArrayLike<number>[]; old?: ArrayLike<number>[] },
): Record<string, Feed> {
  const completionOf = completionIds.flatMap((ids, i) => ids.map(() => i));
  const count = completionOf.length;
  const means = new Float32Array(completionIds.length * count);
  let token = 0;
  completionIds.forEach((ids, i) => {
    const counted = Math.max(1, Array.from(masks[i]).reduce((sum, value) => sum + value, 0));
    for (let t = 0; t < ids.length; t++) means[i * count + token++] = masks[i][t] / counted;
  });
  return {
    on_policy: { shape: [], data: Float32Array.of(old ? 0 : 1) },
    old_logprobs: vector(old ? old.flatMap((values) => Array.from(values)) : new Float32Array(count)),
    advantages: vector(completionOf.map((i) => advantages[i])),
    weights: vector(weights.flatMap((values) => Array.from(values))),
    sequence_means: { shape: [completionIds.length, count], data: means },
    completion_of: int64Feed(completionOf),
  };
}

/** Values as a feed of one axis. */
export function vector(values: ArrayLike<number>): Feed {
  return { shape: [values.length], data: values instanceof Float32Array ? values : Float32Array.from(values) };
}
