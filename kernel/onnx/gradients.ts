import { add } from './operators/arithmetic';
import type { Value } from './value';

/**
 * Reverse-mode differentiation: adds to the graph the gradients of the scalar
 * `loss` with respect to each of `parameters`, in their order. A parameter that
 * the loss does not depend on is an error: it would silently not be trained.
 */
export function gradients(loss: Value, parameters: readonly Value[]): Value[] {
  if (loss.rank !== 0) throw new Error(`a loss is a scalar; this value has shape [${loss.shape.join(', ')}]`);
  return backward(new Map([[loss, loss.graph.scalar(1)]]), parameters).map((gradient, i) => {
    if (!gradient) throw new Error(`the loss does not depend on "${parameters[i].name}"`);
    return gradient;
  });
}

/**
 * The gradients of a loss that is known by its gradients with respect to some
 * values of the graph (a part of a larger computation); null where these do not
 * depend on a parameter.
 */
export function backward(arrived: ReadonlyMap<Value, Value>, parameters: readonly Value[]): (Value | null)[] {
  const [{ graph }] = arrived.keys();
  const found = new Map(arrived);
  graph.withoutRecording(() => {
    for (let i = graph.tape.length - 1; i >= 0; i--) {
      const { inputs, outputs, vjps } = graph.tape[i];
      const arriving = outputs.map((output) => found.get(output) ?? null);
      if (arriving.every((gradient) => gradient === null)) continue;
      inputs.forEach((input, j) => {
        const vjp = vjps[j];
        if (!vjp || !input.tracked) return;
        const gradient = vjp(arriving);
        const before = found.get(input);
        found.set(input, before ? add(before, gradient) : gradient);
      });
      // What has flowed through a node is not needed again.
      for (const output of outputs) found.delete(output);
    }
  });
  return parameters.map((parameter) => found.get(parameter) ?? null);
}
