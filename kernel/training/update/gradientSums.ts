import { zeros, type Tensor } from '../../onnx/tensor';

/** Gradients that several runs add up in place: outputs `gradient <name>` of the graphs, whose inputs `gradient <name> so far` are the same memory. */
export class GradientSums {
  private readonly tensors = new Map<string, Tensor>();
  private clean = true;

  constructor(private readonly shapes: ReadonlyMap<string, { shape: number[] }>) {}

  /** Returns whether there is a sum of this name. */
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
    const sum = this.of(name).data;
    ids.forEach((id, row) => addRow(sum, Number(id), data, row, shape[1]));
  }

  /** Returns all sums, also those that nothing was added to. */
  all(): Map<string, Float32Array> {
    return new Map([...this.shapes.keys()].map((name) => [name, this.of(name).data]));
  }

  /** Returns the norm of all sums together. */
  norm(): number {
    let square = 0;
    for (const { data } of this.tensors.values()) square += squares(data);
    return Math.sqrt(square);
  }

  /** Sets all sums to zero; the memory is kept for the next batch. */
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

/*
 * On their own so that they are compiled well.
 */

function addRow(sum: Float32Array, to: number, data: Float32Array, from: number, width: number): void {
  for (let i = 0, t = to * width, f = from * width; i < width; i++) sum[t + i] += data[f + i];
}

/** Returns the sum of squares, from two sums, as each addition waits for the one before it. */
function squares(data: Float32Array): number {
  let [even, odd] = [0, 0];
  for (let i = 0; i + 1 < data.length; i += 2) {
    even += data[i] * data[i];
    odd += data[i + 1] * data[i + 1];
  }
  if (data.length % 2 === 1) odd += data[data.length - 1] ** 2;
  return even + odd;
}
