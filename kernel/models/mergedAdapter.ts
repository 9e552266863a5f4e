import { Graph } from '../onnx/graph';
import { mul } from '../onnx/operators/arithmetic';
import { GraphSession } from '../onnx/session';
import { sizeOf, zeros, type Tensor } from '../onnx/tensor';
import type { LoraPair } from './lora';
import type { ParameterSet } from './parameters';

/** Bytes of merged weights beyond which they are not worth their memory. */
const MOST_BYTES = 2 ** 30;

/**
 * A model's weights with its adapter's updates added: generation and training
 * then have one product per linear layer instead of three. The merged weights
 * are a copy that {@link refresh} makes anew where the adapter has changed.
 */
export class MergedAdapter {
  /** The model as it is after {@link refresh}: without an adapter. */
  readonly parameters: ParameterSet;
  readonly merged = new Map<string, Tensor>();
  /** The factors that were merged last. */
  private readonly known = new Map<string, Float32Array>();
  private session: Promise<GraphSession> | undefined;

  constructor(
    private readonly weights: ReadonlyMap<string, Tensor>,
    private readonly pairs: ReadonlyMap<string, LoraPair>,
  ) {
    for (const name of pairs.keys()) this.merged.set(name, zeros(weights.get(name)!.shape));
    this.parameters = { weights: new Map([...weights, ...this.merged]), adapter: null };
  }

  /** Whether the adapter of a model can be merged: not into weights of 4 or 8 bits, nor where the copy takes much memory. */
  static fits({ weights, quantized, adapter }: ParameterSet): boolean {
    const names = [...(adapter?.pairs.keys() ?? [])];
    if (names.length === 0 || names.some((name) => quantized?.has(name))) return false;
    return names.reduce((bytes, name) => bytes + 4 * sizeOf(weights.get(name)!.shape), 0) <= MOST_BYTES;
  }

  /** Merges the adapter as it is now where it has changed, one weight after the other: nothing is in memory a third time. */
  async refresh(): Promise<void> {
    const session = await (this.session ??= GraphSession.create(mergeGraph(), { keepMemory: false }));
    for (const [name, { a, b, scaling }] of this.pairs) {
      if (!this.hasChanged(name, a, b)) continue;
      const feeds = { w: this.weights.get(name)!, a, b, scaling: { shape: [1], data: Float32Array.of(scaling) } };
      await session.run(feeds, { into: { merged: this.merged.get(name)! } });
      this.remember(name, a, b);
    }
  }

  /** Anyone may have written to the adapter's arrays: they are compared, which is quick beside merging. */
  private hasChanged(name: string, a: Tensor, b: Tensor): boolean {
    const known = this.known.get(name);
    return !known || !equalBytes(known.subarray(0, a.data.length), a.data) || !equalBytes(known.subarray(a.data.length), b.data);
  }

  private remember(name: string, a: Tensor, b: Tensor): void {
    let known = this.known.get(name);
    if (!known) this.known.set(name, (known = new Float32Array(a.data.length + b.data.length)));
    known.set(a.data);
    known.set(b.data, a.data.length);
  }

  async dispose(): Promise<void> {
    await (await this.session)?.release();
    this.session = undefined;
  }
}

/** w [out, in] + scaling · b [out, r] · a [r, in]. */
function mergeGraph(): Graph {
  const graph = new Graph();
  const w = graph.input('w', 'float32', ['out', 'in']);
  const a = graph.input('a', 'float32', ['r', 'in']);
  const b = graph.input('b', 'float32', ['out', 'r']);
  const scaled = mul(b, graph.input('scaling', 'float32', [1]));
  graph.output('merged', graph.node('Gemm', [scaled, a, w], 'float32', w.shape));
  return graph;
}

function equalBytes(one: Float32Array, other: Float32Array): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);
  return bytes(one).equals(bytes(other));
}
