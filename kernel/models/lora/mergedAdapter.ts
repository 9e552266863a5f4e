import { Graph } from '../../onnx/graph';
import { mul } from '../../onnx/operators/arithmetic';
import { product } from '../../onnx/operators/matmul';
import { GraphSession, type Feed } from '../../onnx/session';
import { sizeOf, zeros, type Tensor } from '../../onnx/tensor';
import type { LoraPair } from './lora';
import type { ParameterSet } from '../graph/parameters';

/** Largest size of merged weights in bytes, beyond which merging is not worth its memory. */
const MOST_BYTES = 2 ** 30;

/** Bytes of weights that are merged in one run, which holds them a third time. */
const RUN_BYTES = 2 ** 24;

/**
 * A model's weights with its adapter's updates added: generation and training then
 * have one product per linear layer instead of three. The merged weights are a copy,
 * which {@link refresh} updates where the adapter has changed.
 */
export class MergedAdapter {
  /** Parameters with the merged weights, and without an adapter. */
  readonly parameters: ParameterSet;
  readonly merged = new Map<string, Tensor>();
  /** The factors that were merged last. */
  private readonly known = new Map<string, Float32Array>();
  /** Sessions by the number of weights that a run merges. */
  private readonly sessions = new Map<number, Promise<GraphSession>>();

  constructor(
    private readonly weights: ReadonlyMap<string, Tensor>,
    private readonly pairs: ReadonlyMap<string, LoraPair>,
  ) {
    for (const name of pairs.keys()) this.merged.set(name, zeros(weights.get(name)!.shape));
    this.parameters = { weights: new Map([...weights, ...this.merged]), adapter: null };
  }

  /**
   * Returns whether the adapter of a model can be merged: not into weights of 4 or 8
   * bits, nor where the copy is larger than {@link MOST_BYTES}.
   */
  static fits({ weights, quantized, adapter }: ParameterSet): boolean {
    const names = [...(adapter?.pairs.keys() ?? [])];
    if (names.length === 0 || names.some((name) => quantized?.has(name))) return false;
    return names.reduce((bytes, name) => bytes + 4 * sizeOf(weights.get(name)!.shape), 0) <= MOST_BYTES;
  }

  /** Merges the adapter where it has changed. */
  async refresh(): Promise<void> {
    const changed = [...this.pairs.keys()].filter((name) => this.hasChanged(name));
    for (const names of this.runs(changed)) {
      const feeds: Record<string, Feed> = {};
      const into: Record<string, Tensor> = {};
      names.forEach((name, i) => {
        const { a, b, scaling } = this.pairs.get(name)!;
        Object.assign(feeds, { [`w.${i}`]: this.weights.get(name)!, [`a.${i}`]: a, [`b.${i}`]: b });
        feeds[`scaling.${i}`] = { shape: [1], data: Float32Array.of(scaling) };
        into[`merged.${i}`] = this.merged.get(name)!;
      });
      await (await this.session(names.length)).run(feeds, { into });
      names.forEach((name) => this.remember(name));
    }
  }

  /** Returns weights in groups of about {@link RUN_BYTES}. */
  private runs(names: readonly string[]): string[][] {
    const runs: string[][] = [];
    let room = 0;
    for (const name of names) {
      const bytes = 4 * sizeOf(this.weights.get(name)!.shape);
      room -= bytes;
      if (runs.length === 0 || room < 0) {
        runs.push([]);
        room = RUN_BYTES - bytes;
      }
      runs[runs.length - 1].push(name);
    }
    return runs;
  }

  private session(count: number): Promise<GraphSession> {
    let session = this.sessions.get(count);
    if (!session) this.sessions.set(count, (session = GraphSession.create(mergeGraph(count), { keepMemory: false })));
    return session;
  }

  /**
   * Returns whether a factor has changed. Anyone may write to the adapter's arrays, so
   * they are compared, which is fast beside merging.
   */
  private hasChanged(name: string): boolean {
    const { a, b } = this.pairs.get(name)!;
    const known = this.known.get(name);
    return (
      !known ||
      !equalBytes(known.subarray(0, a.data.length), a.data) ||
      !equalBytes(known.subarray(a.data.length), b.data)
    );
  }

  private remember(name: string): void {
    const { a, b } = this.pairs.get(name)!;
    let known = this.known.get(name);
    if (!known) this.known.set(name, (known = new Float32Array(a.data.length + b.data.length)));
    known.set(a.data);
    known.set(b.data, a.data.length);
  }

  async dispose(): Promise<void> {
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) await (await session).release();
  }
}

/** Returns a graph that computes w [out, in] + scaling · b [out, r] · a [r, in] for each of `count` weights. */
function mergeGraph(count: number): Graph {
  const graph = new Graph();
  for (let i = 0; i < count; i++) {
    const w = graph.input(`w.${i}`, 'float32', [`out.${i}`, `in.${i}`]);
    const a = graph.input(`a.${i}`, 'float32', [`r.${i}`, `in.${i}`]);
    const b = graph.input(`b.${i}`, 'float32', [`out.${i}`, `r.${i}`]);
    const scaled = mul(b, graph.input(`scaling.${i}`, 'float32', [1]));
    graph.output(`merged.${i}`, product(scaled, a, { addend: w }));
  }
  return graph;
}

function equalBytes(one: Float32Array, other: Float32Array): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);
  return bytes(one).equals(bytes(other));
}
