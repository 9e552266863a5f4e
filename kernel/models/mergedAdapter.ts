import { Graph } from '../onnx/graph';
import { mul } from '../onnx/operators/arithmetic';
import { GraphSession } from '../onnx/session';
import { sizeOf, zeros, type Tensor } from '../onnx/tensor';
import type { LoraPair } from './lora';
import type { ParameterSet } from './parameters';

/** Bytes of merged weights beyond which they are not worth their memory. */
const MOST_BYTES = 2 ** 30;

/**
 * A model's weights with its adapter's updates added, for generation: a step
 * then has one product per linear layer instead of three. The merged weights
 * are a copy that has to be made anew when the adapter has changed.
 */
export class MergedAdapter {
  /** The model as it is after {@link refresh}: without an adapter. */
  readonly parameters: ParameterSet;
  private readonly merged = new Map<string, Tensor>();
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

  /** Merges the adapter as it is now, one weight after the other: nothing is in memory a third time. */
  async refresh(): Promise<void> {
    const session = await (this.session ??= GraphSession.create(mergeGraph(), { keepMemory: false }));
    for (const [name, { a, b, scaling }] of this.pairs) {
      const feeds = { w: this.weights.get(name)!, a, b, scaling: { shape: [1], data: Float32Array.of(scaling) } };
      await session.run(feeds, { into: { merged: this.merged.get(name)! } });
    }
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
