import type { Graph, Recomputation, Tape, TapeEntry } from './graph';
import { add } from './operators/arithmetic';
import { after } from './recompute';
import type { Value } from './value';

/**
 * Adds to the graph the gradients of the scalar `loss` with respect to each of
 * `parameters`, in their order, by reverse-mode differentiation.
 *
 * @throws Error when the loss is not a scalar, or does not depend on a parameter,
 *   which would silently not be trained
 */
export function gradients(loss: Value, parameters: readonly Value[]): Value[] {
  if (loss.rank !== 0) throw new Error(`a loss is a scalar; this value has shape [${loss.shape.join(', ')}]`);
  return backward(new Map([[loss, loss.graph.scalar(1)]]), parameters).map((gradient, i) => {
    if (!gradient) throw new Error(`the loss does not depend on "${parameters[i].name}"`);
    return gradient;
  });
}

/**
 * Adds to the graph the gradients of a loss that is known by its gradients with
 * respect to some values of the graph (`arrived`; a part of a larger computation).
 * Returns one for each of `parameters`, null where these values do not depend on it.
 */
export function backward(arrived: ReadonlyMap<Value, Value>, parameters: readonly Value[]): (Value | null)[] {
  const [{ graph }] = arrived.keys();
  const flow = new GradientFlow(graph, arrived);
  graph.withoutRecording(() => flow.along(graph.tape));
  return parameters.map((parameter) => flow.found.get(parameter) ?? null);
}

/** The backward pass through a graph. */
class GradientFlow {
  /** The gradient that has arrived at each value, so far. */
  readonly found: Map<Value, Value>;
  /** Sums of gradients that the latest recomputation has added to, by the value that they are of. */
  private sums = new Map<Value, Value>();

  constructor(
    private readonly graph: Graph,
    arrived: ReadonlyMap<Value, Value>,
  ) {
    this.found = new Map(arrived);
  }

  along(tape: Tape): void {
    for (const entry of [...tape].reverse()) {
      const arriving = entry.outputs.map((output) => this.found.get(output) ?? null);
      if (arriving.every((gradient) => gradient === null)) continue;
      if ('build' in entry) this.again(entry, arriving);
      else this.through(entry, arriving);
      // What has flowed through a node is not needed again.
      for (const output of entry.outputs) this.found.delete(output);
    }
  }

  private through({ inputs, vjps }: TapeEntry, arriving: readonly (Value | null)[]): void {
    inputs.forEach((input, j) => {
      const vjp = vjps[j];
      if (vjp && input.tracked) this.arrive(input, vjp(arriving));
    });
  }

  /** Computes values again, after their gradients have arrived and the recomputation before is used up. */
  private again({ inputs, build }: Recomputation, arriving: readonly (Value | null)[]): void {
    const sums = [...this.sums].flatMap(([value, sum]) => (this.found.get(value) === sum ? sum : []));
    const before = [...arriving.filter((gradient) => gradient !== null), ...sums];
    const late = inputs.map((input) => this.graph.leaf(after(input, before)));
    this.sums.clear();
    const { result, tape } = this.graph.recordApart(() => build(...late));
    result.forEach((value, i) => arriving[i] && this.arrive(value, arriving[i]));
    this.along(tape);
    inputs.forEach((input, i) => {
      const gradient = this.found.get(late[i]);
      this.found.delete(late[i]);
      if (gradient) this.arrive(input, gradient);
    });
  }

  private arrive(value: Value, gradient: Value): void {
    const before = this.found.get(value);
    const sum = before ? add(before, gradient) : gradient;
    this.found.set(value, sum);
    if (before) this.sums.set(value, sum);
  }
}
