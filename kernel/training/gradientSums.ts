import { zeros, type Tensor } from '../onnx/tensor';

/** Gradients that several runs add up in place: outputs `gradient <name>` of the graphs, whose inputs `gradient <name> so far` are the same memory. */
export class GradientSums {
  private readonly tensors = new Map<string, Tensor>();
  private clean = true;

  constructor(private readonly shapes: ReadonlyMap<string, { shape: number[] }>) {}

  /** Whether there is a sum of this name. */
  has(name: string): boolean {
    return this.shapes.has(name);
  }

  /** Sums to feed and to write to. From here on they count as changed. */
  use(names: readonly string[]): { feeds: Record<string, Tensor>; into: Record<string, Tensor> } {
    const sums = names.map((name) => [name, this.of(name)] as const);
    return {
      feeds: Object.fromEntries(sums.map(([name, tensor]) => [`gradient ${name} so far`, tensor])),
      into: Object.fromEntries(sums.map(([name, tensor]) => [`gradient ${name}`, tensor])),
    };
  }

  /** Adds rows to those at `ids` of a sum, one after the other. */
  addRows(name: string, ids: BigInt64Array, { shape, data }: Tensor): void {
    const width = shape[1];
    const sum = this.of(name).data;
    ids.forEach((id, row) => {
      const [to, from] = [Number(id) * width, row * width];
      for (let i = 0; i < width; i++) sum[to + i] += data[from + i];
    });
  }

  /** All sums, also those that nothing was added to. */
  all(): Map<string, Float32Array> {
    return new Map([...this.shapes.keys()].map((name) => [name, this.of(name).data]));
  }

  /** The norm of all sums together. */
  norm(): number {
    let square = 0;
    for (const { data } of this.tensors.values()) square += squares(data);
    return Math.sqrt(square);
  }

  /** Back to zeros; the memory is kept for the next batch. */
  clear(): void {
    if (this.clean) return;
    for (const { data } of this.tensors.values()) data.fill(0);
    this.clean = true;
  }

  private of(name: string): Tensor {
    this.clean = false;
    let tensor = this.tensors.get(name);
    if (!tensor) this.tensors.set(name, (tensor = zeros(this.shapes.get(name)!.shape)));
    return tensor;
  }
}

/** On its own so that it is compiled well. */
function squares(data: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] * data[i];
  return sum;
}
