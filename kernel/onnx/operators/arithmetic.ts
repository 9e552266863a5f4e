import type { Vjp } from '../graph';
import { broadcastShapes, sameShape, type Shape, type Value } from '../value';

/** Returns the VJP of an operator with one output. */
export function single(vjp: (gradient: Value) => Value): Vjp {
  return ([gradient]) => vjp(gradient!);
}

function binary(operator: string, a: Value, b: Value, vjpA: (g: Value) => Value, vjpB: (g: Value) => Value): Value {
  return a.graph.node(operator, [a, b], a.type, broadcastShapes(a.shape, b.shape), {
    vjps: [single((g) => sumTo(vjpA(g), a.shape)), single((g) => sumTo(vjpB(g), b.shape))],
  });
}

/** Returns a + b, with broadcasting. */
export function add(a: Value, b: Value): Value {
  return binary(
    'Add',
    a,
    b,
    (g) => g,
    (g) => g,
  );
}

/** Returns a − b, with broadcasting. */
export function sub(a: Value, b: Value): Value {
  return binary('Sub', a, b, (g) => g, neg);
}

/** Returns a · b elementwise, with broadcasting. */
export function mul(a: Value, b: Value): Value {
  return binary(
    'Mul',
    a,
    b,
    (g) => mul(g, b),
    (g) => mul(g, a),
  );
}

/** Returns a / b elementwise, with broadcasting. */
export function div(a: Value, b: Value): Value {
  return binary(
    'Div',
    a,
    b,
    (g) => div(g, b),
    (g) => neg(div(mul(g, a), mul(b, b))),
  );
}

/** Returns the smaller of a and b elementwise; at a tie the gradient goes to a. */
export function minimum(a: Value, b: Value): Value {
  return binary(
    'Min',
    a,
    b,
    (g) => select(lessOrEqual(a, b), g, zero(g)),
    (g) => select(lessOrEqual(a, b), zero(g), g),
  );
}

/** Returns −x. */
export function neg(x: Value): Value {
  return x.graph.node('Neg', [x], x.type, x.shape, { vjps: [single(neg)] });
}

/** Returns x · factor. */
export function scale(x: Value, factor: number): Value {
  return factor === 1 ? x : mul(x, x.graph.scalar(factor));
}

/** Returns x as a constant: no gradient flows through it. */
export function detach(x: Value): Value {
  return x.graph.node('Identity', [x], x.type, x.shape);
}

/** Returns condition ? a : b elementwise, with broadcasting. */
export function select(condition: Value, a: Value, b: Value): Value {
  const shape = broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape));
  return a.graph.node('Where', [condition, a, b], a.type, shape, {
    vjps: [
      null,
      single((g) => sumTo(select(condition, g, zero(g)), a.shape)),
      single((g) => sumTo(select(condition, zero(g), g), b.shape)),
    ],
  });
}

/** Returns a < b, as bool. */
export function less(a: Value, b: Value): Value {
  return a.graph.node('Less', [a, b], 'bool', broadcastShapes(a.shape, b.shape));
}

/** Returns a ≤ b, as bool. */
export function lessOrEqual(a: Value, b: Value): Value {
  return a.graph.node('LessOrEqual', [a, b], 'bool', broadcastShapes(a.shape, b.shape));
}

/** Returns a = b, as bool. */
export function equal(a: Value, b: Value): Value {
  return a.graph.node('Equal', [a, b], 'bool', broadcastShapes(a.shape, b.shape));
}

/** Returns the logical and of two bools. */
export function and(a: Value, b: Value): Value {
  return a.graph.node('And', [a, b], 'bool', broadcastShapes(a.shape, b.shape));
}

/** Returns a bool as float32: 0 or 1. */
export function toFloat(x: Value): Value {
  return x.graph.node('Cast', [x], 'float32', x.shape, { attributes: { to: { kind: 'int', value: 1 } } });
}

/** Returns the sum over `axes` (negative ones count from the end), which are kept as dimensions of 1 unless `keep` is false. */
export function sum(x: Value, axes: readonly number[], keep = true): Value {
  const { graph } = x;
  const positive = axes.map((axis) => (axis < 0 ? axis + x.rank : axis));
  const kept = x.shape.map((dimension, i) => (positive.includes(i) ? 1 : dimension));
  const shape = keep ? kept : x.shape.filter((_, i) => !positive.includes(i));
  return graph.node('ReduceSum', [x, graph.int64(positive)], x.type, shape, {
    attributes: { keepdims: { kind: 'int', value: keep ? 1 : 0 } },
    // Adding zeros broadcasts the gradient back over the axes that were summed.
    vjps: [single((g) => add(keep ? g : unsqueeze(g, positive, kept), zerosLike(x)))],
  });
}

/** Returns the sum of all elements, a scalar. */
export function sumAll(x: Value): Value {
  return x.rank === 0
    ? x
    : sum(
        x,
        x.shape.map((_, i) => i),
        false,
      );
}

/** Returns the mean over the last axis, kept as a dimension of 1. Throws when its size is not a number. */
export function meanLast(x: Value): Value {
  const { graph } = x;
  const last = x.rank - 1;
  const size = x.dimension(-1);
  if (typeof size !== 'number') throw new Error('the mean needs a last dimension of known size');
  return graph.node('ReduceMean', [x, graph.int64([last])], x.type, [...x.shape.slice(0, -1), 1], {
    vjps: [single((g) => add(scale(g, 1 / size), zerosLike(x)))],
  });
}

/** Returns float32 zeros of the shape of x. */
export function zerosLike(x: Value): Value {
  const { graph } = x;
  const shape = graph.node('Shape', [x], 'int64', [x.rank]);
  return graph.node('ConstantOfShape', [shape], 'float32', x.shape);
}

/** Undoes broadcasting: sums a gradient down to the shape of the operand it is for. */
export function sumTo(gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const lead = gradient.rank - shape.length;
  if (lead < 0) return gradient;
  const leading = Array.from({ length: lead }, (_, i) => i);
  const trimmed = lead > 0 ? sum(gradient, leading, false) : gradient;
  const stretched = shape.flatMap((dimension, i) => (dimension === 1 && trimmed.shape[i] !== 1 ? [i] : []));
  return stretched.length > 0 ? sum(trimmed, stretched) : trimmed;
}

function zero(x: Value): Value {
  return x.graph.scalar(0);
}

function unsqueeze(x: Value, axes: number[], shape: Shape): Value {
  return x.graph.node('Unsqueeze', [x, x.graph.int64(axes)], x.type, shape);
}
