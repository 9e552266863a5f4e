import type { Graph } from '../../onnx/graph';
import { add, scale } from '../../onnx/operators/arithmetic';
import { dropout } from '../../onnx/operators/dropout';
import { gatherRows } from '../../onnx/operators/gather';
import { linear, loraLinear, product } from '../../onnx/operators/matmul';
import { linearInt8, linearNf4 } from '../../onnx/operators/quantized';
import { reshape, transpose } from '../../onnx/operators/shape';
import type { Feed } from '../../onnx/session';
import type { Tensor } from '../../onnx/tensor';
import type { ElementType, Value } from '../../onnx/value';
import { DROPOUT_NUMBERS, dropoutColumns } from './dropout';
import type { LoraAdapter } from '../lora/lora';
import { NF4_LEVELS, type QuantizedWeight } from '../checkpoint/quantization';

/** The parameters of a graph: the weights of a model and, where it is applied, its adapter. */
export interface ParameterSet {
  weights: ReadonlyMap<string, Tensor>;
  /** The weights of linear layers that are held in 4 or 8 bits, which `weights` does not have. */
  quantized?: ReadonlyMap<string, QuantizedWeight>;
  adapter: LoraAdapter | null;
  /** Weights with the adapter's updates added, where the caller keeps them: then the adapter needs no products of its own. */
  merged?: ReadonlyMap<string, Tensor>;
}

export interface ParameterOptions {
  /**
   * How weights enter the graph: as inputs that are fed at every run, or as constants,
   * which ONNX Runtime pre-packs. Adapters are always inputs.
   */
  weights: 'input' | 'constant';
  /** Parameters that have gradients: the adapter's factors, all weights, or none. */
  trainable: 'adapter' | 'weights' | 'none';
}

/** Returns the name of a factor of a weight's LoRA update, as an input of a graph and in an optimizer's state. */
export function loraName(weight: string, factor: 'A' | 'B'): string {
  return weight.replace(/weight$/, `lora_${factor}.weight`);
}

/** Input of a graph that trains an adapter with dropout, fed with `dropoutRows`. */
export const DROPOUT_INPUT = 'dropout_rows';

/** The parameters of a model in a graph, added to it when they are used. */
export class GraphParameters {
  private readonly values = new Map<string, Value>();
  private readonly fed: Record<string, Feed> = {};
  /** Inputs to take gradients of, by name. */
  readonly trainable = new Map<string, Value>();
  /**
   * Rows of trained weights that are used: their gradients are to be added to the
   * weights' own, at the IDs of an input of the graph.
   */
  readonly trainableRows: { name: string; ids: Value; rows: Value }[] = [];

  constructor(
    private readonly graph: Graph,
    private readonly set: ParameterSet,
    private readonly options: ParameterOptions,
  ) {}

  /** Returns a weight by its name in the checkpoint. */
  weight(name: string): Value {
    const value = this.stored(name);
    if (this.options.trainable === 'weights') this.trainable.set(name, value);
    return value;
  }

  /** Returns the rows of a weight at `ids`, an int64 input of the graph: [ids, width]. */
  rows(name: string, ids: Value): Value {
    const rows = this.graph.withoutRecording(() => gatherRows(this.stored(name), ids));
    if (this.options.trainable !== 'weights') return rows;
    const leaf = this.graph.leaf(rows);
    this.trainableRows.push({ name, ids, rows: leaf });
    return leaf;
  }

  private stored(name: string): Value {
    const tensor = this.set.weights.get(name)!;
    if (this.options.weights === 'input')
      return this.input(name, 'float32', tensor, this.options.trainable === 'weights');
    return this.once(name, () => this.graph.constant('float32', tensor.shape, tensor.data, name));
  }

  /**
   * Returns x [rows, in] through the linear layer of a weight [out, in], with its bias
   * and its LoRA update, where it has them: [rows, out].
   */
  linear(x: Value, name: string): Value {
    const bias = this.bias(name);
    const merged = this.set.merged?.get(name);
    if (merged) return this.mergedLinear(x, name, merged, bias);
    const addend = this.loraUpdate(x, name, bias) ?? bias;
    const quantized = this.set.quantized?.get(name);
    if (!quantized) return linear(x, this.weight(name), addend);
    const product = this.quantizedLinear(x, name, quantized);
    return addend ? add(product, addend) : product;
  }

  /** Returns x through a linear layer whose weight contains the adapter's update. */
  private mergedLinear(x: Value, name: string, merged: Tensor, bias: Value | undefined): Value {
    const weight = this.input(`${name}.merged`, 'float32', merged);
    if (this.options.trainable !== 'adapter') return linear(x, weight, bias);
    const { scaling } = this.set.adapter!.pairs.get(name)!;
    const product = loraLinear(x, weight, { ...this.factors(name), scaling });
    return bias ? add(product, bias) : product;
  }

  /**
   * Returns the transpose of {@link linear}'s result, [out, rows], computed with the
   * weight on the left; for graphs that are not trained.
   */
  columns(x: Value, name: string, given: 'rows' | 'columns' = 'rows'): Value {
    const transposed = { transB: given === 'rows' };
    if (this.set.quantized?.has(name))
      return transpose(this.linear(given === 'rows' ? x : transpose(x, [1, 0]), name), [1, 0]);
    const bias = this.bias(name);
    const pair = this.set.adapter?.pairs.get(name);
    let addend = bias && reshape(bias, [bias.dimension(0), 1]);
    if (pair) {
      const { a, b } = this.factors(name);
      addend = product(b, product(a, x, { ...transposed, alpha: pair.scaling }), { addend });
    }
    return product(this.weight(name), x, { ...transposed, addend });
  }

  private bias(name: string): Value | undefined {
    const biasName = name.replace(/weight$/, 'bias');
    return this.set.weights.has(biasName) ? this.weight(biasName) : undefined;
  }

  /** Returns what the adapter adds to a linear layer, and its bias. */
  private loraUpdate(x: Value, name: string, bias: Value | undefined): Value | null {
    const pair = this.set.adapter?.pairs.get(name);
    if (!pair) return null;
    const { a, b } = this.factors(name);
    const p = this.options.trainable === 'adapter' ? this.set.adapter!.config.loraDropout : 0;
    const kept = p > 0 ? this.dropout(x, name, p) : x;
    return linear(scale(linear(kept, a), pair.scaling / (1 - p)), b, bias);
  }

  /** Returns the factors of a weight's LoRA update, A [r, in] and B [out, r]. */
  private factors(name: string): { a: Value; b: Value } {
    const pair = this.set.adapter!.pairs.get(name)!;
    const trainable = this.options.trainable === 'adapter';
    const factor = (of: 'A' | 'B', tensor: Tensor) => {
      const value = this.input(loraName(name, of), 'float32', tensor, trainable);
      if (trainable) this.trainable.set(value.name, value);
      return value;
    };
    return { a: factor('A', pair.a), b: factor('B', pair.b) };
  }

  private dropout(x: Value, name: string, p: number): Value {
    const rows = this.once(DROPOUT_INPUT, () =>
      this.graph.input(DROPOUT_INPUT, 'float32', [x.dimension(0), DROPOUT_NUMBERS]),
    );
    const { shape, data } = dropoutColumns(name, x.dimension(1) as number);
    return dropout(
      x,
      p,
      rows,
      this.once(`${name}.dropout`, () => this.graph.constant('float32', shape, data)),
    );
  }

  private quantizedLinear(x: Value, name: string, quantized: QuantizedWeight): Value {
    const { format, codes, shape } = quantized;
    const [out, width] = shape;
    if (format === 'int8') {
      const scales = this.input(`${name}.scales`, 'float32', { shape: [out], data: quantized.scales });
      return linearInt8(x, { codes: this.input(name, 'int8', { shape, data: codes }), scales });
    }
    return linearNf4(x, {
      codes: this.input(name, 'uint8', { shape: [codes.length], data: codes }),
      absmax: this.input(`${name}.absmax`, 'float32', { shape: [quantized.absmax.length], data: quantized.absmax }),
      levels: NF4_LEVELS,
      shape: [out, width],
    });
  }

  /**
   * Returns the tensors to feed, by input name: the model's own arrays, so that a change
   * to them takes effect in the next run.
   */
  feeds(): Readonly<Record<string, Feed>> {
    return this.fed;
  }

  private input(name: string, type: ElementType, feed: Feed, trainable = false): Value {
    return this.once(name, () => {
      this.fed[name] = feed;
      return this.graph.input(name, type, feed.shape, { trainable });
    });
  }

  private once(name: string, make: () => Value): Value {
    let value = this.values.get(name);
    if (!value) this.values.set(name, (value = make()));
    return value;
  }
}
