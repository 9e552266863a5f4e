import type { ModelConfig } from '../../models/config';
import { GraphParameters, type ParameterOptions, type ParameterSet } from '../../models/graph/parameters';
import { treeForward, type TreeForward } from '../../models/graph/treeLogprobs';
import type { TreeRows } from '../../models/graph/trees';
import { backward, gradients } from '../../onnx/gradients';
import { Graph } from '../../onnx/graph';
import { gatherRows } from '../../onnx/operators/gather';
import { matMul } from '../../onnx/operators/matmul';
import { reshape } from '../../onnx/operators/shape';
import type { Value } from '../../onnx/value';
import type { Objective } from './objective';

/** A graph that adds gradients to sums. */
export interface UpdateGraph {
  graph: Graph;
  parameters: GraphParameters;
  /**
   * Sums that it adds to, outputs `gradient <name>`: of trained tensors, and of
   * the roots' keys and values where those are inputs.
   */
  sums: string[];
  /** Gradients of rows of trained tensors: output `rows <i>` is to be added at the IDs of input `ids`. */
  rows: { name: string; ids: string }[];
}

/** Options of the graphs of an update. */
export interface GraphOptions {
  config: ModelConfig;
  parameters: ParameterSet;
  /** The parameters that gradients are taken of. */
  trainable: ParameterOptions['trainable'];
  /** null: log-probabilities and entropies alone are wanted. */
  objective: Objective | null;
  temperature: number;
  /** Activations of blocks are computed again on the way back instead of being held. */
  gradientCheckpointing?: boolean;
}

/**
 * Builds forward and loss of some rows of trees; and backward, where something is
 * trainable. Outputs `loss` (where there is an objective), `token logprobs`,
 * `token entropies`, and `token <name>` for each output of the objective. The
 * head goes through its rows in `headParts` parts.
 */
export function lossGraph(options: GraphOptions, rows: TreeRows, headParts: number): UpdateGraph {
  const { graph, parameters, forward } = start(options, rows, headParts);
  const { objective, temperature, trainable } = options;
  const { logprobs, entropies, isTop1 } = forward.logprobs(temperature, objective?.entropyGradients ?? false);
  graph.output('token logprobs', logprobs);
  graph.output('token entropies', entropies);
  if (!objective) return { graph, parameters, sums: [], rows: [] };
  const { loss, outputs = {} } = objective.build({
    graph,
    logprobs,
    entropies,
    isTop1,
    ...objectiveInputs(graph, objective),
  });
  graph.output('loss', loss);
  for (const [name, value] of Object.entries(outputs)) graph.output(`token ${name}`, value);
  if (trainable === 'none') return { graph, parameters, sums: [], rows: [] };
  const sums = new Map(parameters.trainable);
  if (rows === 'branches') for (const [name, value] of rootValues(forward)) sums.set(name, value);
  const sparse = parameters.trainableRows.map((entry) => entry.rows);
  return addGradients(graph, parameters, sums, gradients(loss, [...sums.values(), ...sparse]));
}

/** Builds the keys and values of roots, outputs `root_keys.<layer>` and `root_values.<layer>`. */
export function rootForwardGraph(options: GraphOptions): { graph: Graph; parameters: GraphParameters } {
  const { graph, parameters, forward } = start({ ...options, gradientCheckpointing: false }, 'roots');
  for (const [name, value] of rootValues(forward)) graph.output(name, value);
  return { graph, parameters };
}

/** Builds the gradients that flow through the roots' keys and values, inputs `gradient root_keys.<layer>` and `gradient root_values.<layer>`. */
export function rootBackwardGraph(options: GraphOptions): UpdateGraph {
  const { graph, parameters, forward } = start(options, 'roots');
  const arrived = new Map(
    [...rootValues(forward)].map(([name, value]) => [value, graph.input(`gradient ${name}`, 'float32', value.shape)]),
  );
  const sparse = parameters.trainableRows.map((entry) => entry.rows);
  return addGradients(
    graph,
    parameters,
    parameters.trainable,
    backward(arrived, [...parameters.trainable.values(), ...sparse]),
  );
}

function start(
  options: GraphOptions,
  rows: TreeRows,
  headParts = 1,
): { graph: Graph; parameters: GraphParameters; forward: TreeForward } {
  const { config, parameters: set, trainable, gradientCheckpointing = false } = options;
  const graph = new Graph();
  const parameters = new GraphParameters(graph, set, { weights: 'input', trainable });
  const trained = trainable !== 'none';
  return {
    graph,
    parameters,
    forward: treeForward(graph, config, parameters, { rows, headParts, trained, gradientCheckpointing }),
  };
}

function rootValues({ roots }: TreeForward): [string, Value][] {
  return roots.flatMap(({ keys, values }, layer): [string, Value][] => [
    [`root_keys.${layer}`, keys],
    [`root_values.${layer}`, values],
  ]);
}

/** Makes gradients (of `sums`, then of `parameters.trainableRows`; null: there is none) outputs of the graph. */
function addGradients(
  graph: Graph,
  parameters: GraphParameters,
  sums: ReadonlyMap<string, Value>,
  found: (Value | null)[],
): UpdateGraph {
  const names = [...sums.keys()].filter((name, i) => {
    if (found[i]) graph.accumulate(`gradient ${name}`, found[i]!);
    return found[i] !== null;
  });
  const rows = parameters.trainableRows.flatMap(({ name, ids }, i) => {
    const gradient = found[sums.size + i];
    if (!gradient) return [];
    graph.output(`rows ${i}`, gradient);
    return [{ name, ids: ids.name }];
  });
  return { graph, parameters, sums: names, rows };
}

/** Declares what the objective is fed: `token <name>`, and which tokens are of one completion. */
function objectiveInputs(graph: Graph, { inputs }: Objective) {
  const declared = new Map(inputs.map((name) => [name, graph.input(`token ${name}`, 'float32', ['M'])]));
  const members = graph.input('members', 'float32', ['K', 'M']);
  const completionOf = graph.input('completion_of', 'int64', ['M']);
  return {
    input(name: string): Value {
      const value = declared.get(name);
      if (!value)
        throw new Error(`the objective asks for "${name}", which is not among its inputs (${inputs.join(', ')})`);
      return value;
    },
    sumOverCompletion: (values: Value) =>
      reshape(gatherRows(matMul(members, reshape(values, ['M', 1])), completionOf), ['M']),
  };
}
