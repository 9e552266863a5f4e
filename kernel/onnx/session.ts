import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-common';
import { encodeModel } from './encode';
import type { Graph } from './graph';
import type { Tensor } from './tensor';
import { loadRuntime } from './runtime';
import { runtimeSettings } from './threads';

export { runtimeSettings };

/** Microseconds that a thread spins: where other processes want the cores, long spinning makes a step several times slower. */
const SPIN = '50';

type Runtime = Awaited<ReturnType<typeof loadRuntime>>;

/** An input of a run: a float32 tensor, or integers with their shape. */
export type Feed = Tensor | { shape: number[]; data: BigInt64Array | Int8Array | Uint8Array };

/** Options of {@link GraphSession.run}. */
export interface RunOptions {
  outputs?: readonly string[];
  into?: Record<string, Tensor>;
}

/** Options of {@link GraphSession.create}. */
export interface SessionOptions {
  /** Whether the memory of a run is kept for the next, which is faster; true by default. */
  keepMemory?: boolean;
  /** Whether a thread spins before it sleeps until the next operator: faster where operators are many; false by default. */
  spin?: boolean;
  /** Threads that one operator may use; {@link runtimeSettings}'s by default. */
  threads?: number;
}

/** Returns integers as an int64 feed; `shape` defaults to one axis. */
export function int64Feed(values: ArrayLike<number>, shape: number[] = [values.length]): Feed {
  const data = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i]);
  return { shape, data };
}

/** Returns ONNX Runtime's name of an array's element type. */
function elementType(data: Feed['data']): 'float32' | 'int64' | 'int8' | 'uint8' {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof BigInt64Array) return 'int64';
  return data instanceof Int8Array ? 'int8' : 'uint8';
}

/** ONNX Runtime's tensors of feeds: weights are fed to every run, and theirs are made once. */
const ortTensors = new WeakMap<Feed, OrtTensor>();

function ortTensor({ Tensor }: Runtime, feed: Feed): OrtTensor {
  const { shape, data } = feed;
  const known = ortTensors.get(feed);
  if (known && known.data === data) return known;
  const tensor = new Tensor(elementType(data), data, shape) as OrtTensor;
  ortTensors.set(feed, tensor);
  return tensor;
}

/**
 * A graph that is ready to run on the CPU. The same feeds give the same
 * results, bit for bit, as long as the number of threads is the same.
 */
export class GraphSession {
  private constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    private readonly inputNames: readonly string[],
  ) {}

  /** Returns a session of a graph. */
  static async create(
    graph: Graph,
    { keepMemory = true, spin = false, threads = runtimeSettings.threads }: SessionOptions = {},
  ): Promise<GraphSession> {
    const runtime = await loadRuntime();
    const session = await runtime.InferenceSession.create(encodeModel(graph), {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      enableCpuMemArena: keepMemory,
      enableMemPattern: false,
      extra: {
        session: { intra_op: spin ? { allow_spinning: '1', spin_duration_us: SPIN } : { allow_spinning: '0' } },
      },
    });
    return new GraphSession(runtime, session, session.inputNames);
  }

  /**
   * Runs the graph and returns its outputs by name.
   *
   * @param feeds the graph's inputs; others are ignored, so that callers may share a set
   * @param options.outputs names of the outputs that are computed; by default all
   * @param options.into memory that outputs are written to, by their names. It may be
   *   that of a feed whose last use makes the output ({@link Graph.accumulate}).
   * @throws Error when an input is missing
   */
  async run(
    feeds: Record<string, Feed>,
    { outputs = this.session.outputNames, into = {} }: RunOptions = {},
  ): Promise<Record<string, Tensor>> {
    const inputs: Record<string, OrtTensor> = {};
    for (const name of this.inputNames) {
      const feed = feeds[name];
      if (!feed) throw new Error(`the graph's input "${name}" was not given`);
      inputs[name] = ortTensor(this.runtime, feed);
    }
    const fetches: Record<string, OrtTensor | null> = {};
    for (const name of outputs) fetches[name] = into[name] ? ortTensor(this.runtime, into[name]) : null;
    const tensors = await this.session.run(inputs, fetches);
    const results: Record<string, Tensor> = {};
    for (const name of outputs) {
      const { dims, data } = tensors[name];
      results[name] = into[name] ?? { shape: [...dims], data: data as Float32Array };
    }
    return results;
  }

  /** Frees the memory that the session holds outside JavaScript. */
  async release(): Promise<void> {
    await this.session.release();
  }
}
