import { int } from './graph';
import { single } from './operators/arithmetic';
import { reshape } from './operators/shape';
import type { Value } from './value';

/**
 * Returns what `build` makes of its inputs, computed a second time in the backward
 * pass instead of being held in memory until then: gradient checkpointing. Gradients
 * flow to the inputs and to the trainable values that `build` uses.
 *
 * @param inputs [rows, …] each: the first dimension is a name, the others are numbers
 */
export function recomputed(inputs: readonly Value[], build: (...inputs: Value[]) => Value[]): Value[] {
  const { graph } = inputs[0];
  const outputs = graph.withoutRecording(() => build(...inputs)).map((value) => graph.leaf(value));
  graph.tape.push({ inputs, outputs, build });
  return outputs;
}

/**
 * Returns x, made only after `values`. ONNX Runtime orders nodes by what they depend
 * on, and takes equal nodes with equal inputs for one: this keeps the recomputation
 * apart from the first computation, and in its place.
 */
export function after(x: Value, values: readonly Value[]): Value {
  const { graph } = x;
  const rows = graph.node('Shape', [x], 'int64', [1], { attributes: { start: int(0), end: int(1) } });
  const same = values.reduce((sum, value) => graph.node('Add', [sum, zeroOf(value)], 'int64', [1]), rows);
  const rest = graph.int64(x.shape.slice(1) as number[]);
  const shape = graph.node('Concat', [same, rest], 'int64', [x.rank], { attributes: { axis: int(0) } });
  return graph.node('Reshape', [x, shape], x.type, x.shape, { derivativeOf: [x], vjps: [single((g) => g)] });
}

/** Returns an int64 zero, [1], that depends on a value. */
function zeroOf(value: Value): Value {
  const { graph, rank } = value;
  const first =
    rank === 0
      ? value
      : graph.node(
          'Slice',
          [value, graph.int64(Array(rank).fill(0)), graph.int64(Array(rank).fill(1))],
          value.type,
          Array(rank).fill(1),
        );
  const whole = graph.node('Cast', [first], 'int64', first.shape, { attributes: { to: int(7) } });
  return reshape(graph.node('Mul', [whole, graph.int64([0])], 'int64', whole.shape), [1]);
}
