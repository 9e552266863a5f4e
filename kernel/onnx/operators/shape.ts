import { int, ints } from '../graph';
import type { Dimension, Shape, Value } from '../value';
import { single, sumTo, zerosLike } from './arithmetic';

/**
 * Returns the same elements in another shape. Named dimensions that inputs have are
 * read when the graph runs; at most one other may be unknown (a product).
 */
export function reshape(x: Value, shape: Shape): Value {
  return x.graph.node('Reshape', [x, shapeTensor(x, shape)], x.type, shape, {
    vjps: [single((g) => reshape(g, x.shape)), null],
  });
}

function shapeTensor(x: Value, shape: Shape): Value {
  const { graph } = x;
  const names = shape.filter((dimension) => typeof dimension === 'string');
  if (names.length <= 1) return graph.int64(shape.map((dimension) => (typeof dimension === 'number' ? dimension : -1)));
  const unknown = names.filter((name) => !graph.hasDimension(name));
  if (unknown.length > 1) throw new Error(`reshape knows none of the dimensions ${unknown.join(', ')}`);
  const pieces = shape.map((dimension) => {
    if (typeof dimension === 'number') return graph.int64([dimension]);
    return graph.hasDimension(dimension) ? graph.dimension(dimension) : graph.int64([-1]);
  });
  return joined(`shape ${shape.join(' ')}`, pieces);
}

/** Returns sizes as one int64 vector, which a graph has once for each key. */
function joined(key: string, pieces: readonly Value[]): Value {
  const { graph } = pieces[0];
  return graph.shared(key, () =>
    graph.node('Concat', pieces, 'int64', [pieces.length], { attributes: { axis: int(0) } }),
  );
}

/** Returns x with its axes reordered: axis i of the result is axis `permutation[i]` of x. */
export function transpose(x: Value, permutation: number[]): Value {
  const inverse = permutation.map((_, i) => permutation.indexOf(i));
  return x.graph.node(
    'Transpose',
    [x],
    x.type,
    permutation.map((axis) => x.shape[axis]),
    {
      attributes: { perm: ints(permutation) },
      vjps: [single((g) => transpose(g, inverse))],
    },
  );
}

/** Returns values joined along an axis, whose dimension in the result is `name`. */
export function concat(values: readonly Value[], axis: number, name: Dimension): Value {
  const { graph } = values[0];
  const at = axis < 0 ? axis + values[0].rank : axis;
  const shape = values[0].shape.map((dimension, i) => (i === at ? name : dimension));
  const sizes = values.map((value) => value.shape[at]);
  return graph.node('Concat', values, values[0].type, shape, {
    attributes: { axis: int(at) },
    vjps: values.map(
      (_, i) =>
        ([g]) =>
          split(g!, at, sizes)[i],
    ),
  });
}

const splits = new WeakMap<Value, Value[]>();

/** Returns x cut along an axis into parts of the given sizes. */
export function split(x: Value, axis: number, sizes: readonly Dimension[]): Value[] {
  const { graph } = x;
  const at = axis < 0 ? axis + x.rank : axis;
  // The VJPs of one Concat ask for the same split once per part.
  const known = splits.get(x);
  if (known && known.length === sizes.length && known.every((part, i) => part.shape[at] === sizes[i])) return known;
  const parts = graph.multiNode(
    'Split',
    [x, sizeTensor(x, sizes)],
    sizes.map((size) => ({ type: x.type, shape: x.shape.map((dimension, i) => (i === at ? size : dimension)) })),
    {
      attributes: { axis: int(at) },
      vjps: [
        (gradients) =>
          concat(
            gradients.map((gradient, i) => gradient ?? zerosLike(parts[i])),
            at,
            x.shape[at],
          ),
        null,
      ],
    },
  );
  splits.set(x, parts);
  return parts;
}

function sizeTensor({ graph }: Value, sizes: readonly Dimension[]): Value {
  const pieces = sizes.map((size) => (typeof size === 'number' ? graph.int64([size]) : graph.dimension(size)));
  return joined(`sizes ${sizes.join(' ')}`, pieces);
}

/** Returns x broadcast to a shape (NumPy's rule). */
export function expand(x: Value, shape: Shape): Value {
  return x.graph.node('Expand', [x, sizeTensor(x, shape)], x.type, shape, {
    vjps: [single((g) => sumTo(g, x.shape)), null],
  });
}
