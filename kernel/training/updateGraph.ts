import type { CausalLM } from '../models/causalLM';
import { groupLogprobs } from '../models/groupLogprobs';
import { GraphParameters } from '../models/parameters';
import { gradients } from '../onnx/gradients';
import { Graph } from '../onnx/graph';
import { gatherRows } from '../onnx/operators/gather';
import { matMul } from '../onnx/operators/matmul';
import { reshape } from '../onnx/operators/shape';
import { int64Feed, type Feed } from '../onnx/session';
import type { Value } from '../onnx/value';
import type { Objective } from './objective';

/** The graph of one group: forward, loss, and backward unless `backward` is false. */
export function updateGraph(
  model: CausalLM,
  objective: Objective,
  temperature: number,
  { backward = true }: { backward?: boolean } = {},
): { graph: Graph; parameters: GraphParameters } {
  const graph = new Graph();
  const trained = model.adapter ? 'adapter' : 'weights';
  const parameters = new GraphParameters(graph, model.parameters, { weights: 'input', trainable: backward ? trained : 'none' });
  const { entropyGradients } = objective;
  const { logprobs, entropies } = groupLogprobs(graph, model.config, parameters, temperature, { entropyGradients });
  const inputs = new Map(objective.inputs.map((name) => [name, graph.input(`token ${name}`, 'float32', ['M'])]));
  const members = graph.input('members', 'float32', ['K', 'M']);
  const completionOf = graph.input('completion_of', 'int64', ['M']);
  const { loss, outputs = {} } = objective.build({
    graph,
    logprobs,
    entropies,
    input: (name) => named(inputs, name),
    sumOverCompletion: (values) => reshape(gatherRows(matMul(members, reshape(values, ['M', 1])), completionOf), ['M']),
  });
  graph.output('loss', loss);
  graph.output('token logprobs', logprobs);
  graph.output('token entropies', entropies);
  for (const [name, value] of Object.entries(outputs)) graph.output(`token ${name}`, value);
  if (!backward) return { graph, parameters };
  const names = [...parameters.trainable.keys()];
  gradients(loss, [...parameters.trainable.values()]).forEach((gradient, i) => graph.output(`gradient ${names[i]}`, gradient));
  return { graph, parameters };
}

function named(inputs: ReadonlyMap<string, Value>, name: string): Value {
  const value = inputs.get(name);
  if (!value) throw new Error(`the objective asks for "${name}", which is not among its inputs (${[...inputs.keys()].join(', ')})`);
  return value;
}

/** What the objective is computed from: values per token of some completions, one after the other. */
export function objectiveFeeds(completionIds: readonly (readonly number[])[], tokens: Record<string, readonly ArrayLike<number>[]>): Record<string, Feed> {
  const completionOf = completionIds.flatMap((ids, i) => ids.map(() => i));
  const members = new Float32Array(completionIds.length * completionOf.length);
  completionOf.forEach((i, token) => (members[i * completionOf.length + token] = 1));
  const feeds: Record<string, Feed> = {
    members: { shape: [completionIds.length, completionOf.length], data: members },
    completion_of: int64Feed(completionOf),
  };
  for (const [name, rows] of Object.entries(tokens)) {
    const data = Float32Array.from(rows.flatMap((values) => Array.from(values)));
    feeds[`token ${name}`] = { shape: [data.length], data };
  }
  return feeds;
}
