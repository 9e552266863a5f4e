import { Value, type ElementType, type Shape } from './value';

/** An attribute of a node, with ONNX's kind of it. */
export type Attribute =
  | { kind: 'int'; value: number }
  | { kind: 'float'; value: number }
  | { kind: 'ints'; value: number[] }
  | { kind: 'string'; value: string };

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const ints = (value: number[]): Attribute => ({ kind: 'ints', value });
export const string = (value: string): Attribute => ({ kind: 'string', value });

export interface GraphNode {
  operator: string;
  /** '' is ONNX itself, 'com.microsoft' the operators that ONNX Runtime adds. */
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, Attribute>;
}

export interface GraphConstant {
  name: string;
  type: ElementType;
  shape: number[];
  data: Float32Array | BigInt64Array | Uint8Array;
}

/**
 * The vector-Jacobian product with respect to one input: takes the gradients of the
 * outputs (null where none arrives), returns the gradient of that input.
 */
export type Vjp = (gradients: readonly (Value | null)[]) => Value;

export interface TapeEntry {
  inputs: readonly Value[];
  outputs: readonly Value[];
  /** One per input; null where the input has no gradient (indices, shapes). */
  vjps: readonly (Vjp | null)[];
}

/** Values that `build` made of its inputs, and makes again in the backward pass. */
export interface Recomputation {
  inputs: readonly Value[];
  outputs: readonly Value[];
  build: (...inputs: Value[]) => Value[];
}

export type Tape = (TapeEntry | Recomputation)[];

export interface NodeOptions {
  domain?: string;
  attributes?: Record<string, Attribute>;
  /**
   * The values that the VJPs are with respect to, where these are not the node's own
   * inputs (it is the last of several nodes).
   */
  derivativeOf?: readonly Value[];
  /** Gradients of the inputs. Without them the outputs are constants to `gradients`. */
  vjps?: readonly (Vjp | null)[];
}

/**
 * A graph of ONNX operators under construction. Operators (see `operators/`)
 * add nodes and record how gradients flow back through them.
 */
export class Graph {
  readonly inputs: Value[] = [];
  readonly outputs = new Map<string, Value>();
  readonly nodes: GraphNode[] = [];
  readonly constants: GraphConstant[] = [];
  tape: Tape = [];
  private recording = true;
  private counter = 0;
  private readonly cache = new Map<string, Value>();

  /** Adds an input that is fed at every run; gradients can be taken with respect to a `trainable` one. */
  input(name: string, type: ElementType, shape: Shape, options: { trainable?: boolean } = {}): Value {
    if (this.inputs.some((input) => input.name === name)) throw new Error(`the graph has an input "${name}" already`);
    const value = new Value(this, name, type, shape, options.trainable ?? false);
    this.inputs.push(value);
    return value;
  }

  /** Adds a tensor that is part of the graph; ONNX Runtime may pre-pack it. */
  constant(type: ElementType, shape: number[], data: GraphConstant['data'], name = this.fresh('constant')): Value {
    this.constants.push({ name, type, shape, data });
    return new Value(this, name, type, shape, false);
  }

  /** Returns a float32 scalar; equal scalars are one constant. */
  scalar(value: number): Value {
    return this.shared(`scalar ${value}`, () => this.constant('float32', [], Float32Array.of(value)));
  }

  /** Returns a one-dimensional int64 constant, for axes and shapes. */
  int64(values: readonly number[]): Value {
    const key = `int64 ${values.join(' ')}`;
    return this.shared(key, () => this.constant('int64', [values.length], BigInt64Array.from(values, BigInt)));
  }

  /** Returns the size of a named dimension, read from an input that has it: int64, [1]. */
  dimension(name: string): Value {
    return this.shared(`dimension ${name}`, () => {
      const source = this.inputs.find((input) => input.shape.includes(name));
      if (!source) throw new Error(`no input has a dimension "${name}"`);
      const axis = source.shape.indexOf(name);
      return this.node('Shape', [source], 'int64', [1], { attributes: { start: int(axis), end: int(axis + 1) } });
    });
  }

  /** Returns whether some input has a dimension of this name. */
  hasDimension(name: string): boolean {
    return this.inputs.some((input) => input.shape.includes(name));
  }

  /** Adds a node with one output. */
  node(operator: string, inputs: readonly Value[], type: ElementType, shape: Shape, options: NodeOptions = {}): Value {
    return this.multiNode(operator, inputs, [{ type, shape }], options)[0];
  }

  /** Adds a node with several outputs. */
  multiNode(
    operator: string,
    inputs: readonly Value[],
    outputs: readonly { type: ElementType; shape: Shape }[],
    options: NodeOptions = {},
  ): Value[] {
    const sources = options.derivativeOf ?? inputs;
    const tracked = this.recording && !!options.vjps && sources.some((source, i) => source.tracked && options.vjps![i]);
    const values = outputs.map(({ type, shape }) => new Value(this, this.fresh(operator), type, shape, tracked));
    this.nodes.push({
      operator,
      domain: options.domain ?? '',
      inputs: inputs.map((input) => input.name),
      outputs: values.map((value) => value.name),
      attributes: options.attributes ?? {},
    });
    if (tracked) this.tape.push({ inputs: sources, outputs: values, vjps: options.vjps! });
    return values;
  }

  /** Names a value as an output of the graph. */
  output(name: string, value: Value): void {
    if (this.outputs.has(name)) throw new Error(`the graph has an output "${name}" already`);
    this.outputs.set(name, value);
  }

  /**
   * Adds a value to a sum: input `name so far` is the sum before, output `name` the sum
   * with the value. A run may be given the same memory for both.
   */
  accumulate(name: string, value: Value): void {
    const sum = this.input(`${name} so far`, value.type, value.shape);
    const source = this.nodes.find((node) => node.outputs.includes(value.name));
    const used = this.nodes.some((node) => node.inputs.includes(value.name));
    if (source?.operator === 'Gemm' && source.inputs.length === 2 && !used) {
      // A matrix product adds to its third input.
      source.inputs.push(sum.name);
      this.output(name, value);
    } else {
      this.output(name, this.node('Add', [sum, value], value.type, value.shape));
    }
  }

  /** Returns a computed value as one that counts as given: gradients can be taken with respect to it and do not flow on. */
  leaf(value: Value): Value {
    return new Value(this, value.name, value.type, value.shape, true);
  }

  /** Runs `build` without recording: what it makes is a constant to gradients. */
  withoutRecording<T>(build: () => T): T {
    const before = this.recording;
    this.recording = false;
    try {
      return build();
    } finally {
      this.recording = before;
    }
  }

  /** Runs `build` and records it on a tape of its own. */
  recordApart<T>(build: () => T): { result: T; tape: Tape } {
    const [tape, recording] = [this.tape, this.recording];
    try {
      [this.tape, this.recording] = [[], true];
      return { result: build(), tape: this.tape };
    } finally {
      [this.tape, this.recording] = [tape, recording];
    }
  }

  /** Returns the value of a key, which `make` makes at the first call. */
  shared(key: string, make: () => Value): Value {
    let value = this.cache.get(key);
    if (!value) this.cache.set(key, (value = make()));
    return value;
  }

  private fresh(stem: string): string {
    return `${stem}_${this.counter++}`;
  }
}
