import type { Graph } from './graph';

/**
 * A dimension: a number, or a name whose size is known only when the graph
 * runs. Two dimensions are equal when they are the same number or name; a name
 * such as 'rows*heads' may stand for a product.
 */
export type Dimension = number | string;

export type Shape = readonly Dimension[];

/** Element types that the graphs use, by ONNX Runtime's names. */
export type ElementType = 'float32' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';

/** An edge of a {@link Graph}: what a node computes, an input, or a constant. */
export class Value {
  constructor(
    readonly graph: Graph,
    readonly name: string,
    readonly type: ElementType,
    readonly shape: Shape,
    /** Whether it depends on a trainable input, so that gradients flow through it. */
    readonly tracked: boolean,
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  /** Returns the dimension of an axis; negative axes count from the end. */
  dimension(axis: number): Dimension {
    return this.shape[axis < 0 ? axis + this.rank : axis];
  }
}

/** Returns the shape of an elementwise operation on `a` and `b` (NumPy's rule). Throws when they do not broadcast. */
export function broadcastShapes(a: Shape, b: Shape): Dimension[] {
  const rank = Math.max(a.length, b.length);
  const result: Dimension[] = [];
  for (let i = 1; i <= rank; i++) {
    const left = a[a.length - i] ?? 1;
    const right = b[b.length - i] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new Error(`shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
    }
    result.unshift(left === 1 ? right : left);
  }
  return result;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i]);
}
