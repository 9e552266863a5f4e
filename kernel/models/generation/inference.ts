import { GraphSession, int64Feed, runtimeSettings, type Feed, type SessionOptions } from '../../onnx/session';
import { sizeOf, zeros, type Tensor } from '../../onnx/tensor';
import { causalMask, type KeyValueCache } from './cache';
import type { ModelConfig } from '../config';
import { decodeGraph, prefillGraph, type DecodeGraphOptions, type ModelGraph } from '../graph/inferenceGraphs';
import type { GraphParameters, ParameterSet } from '../graph/parameters';
import type { PromptCache, PromptKeys } from './promptCache';

/** A prompt's keys and values, and the logits of its next token. */
export interface Prefill extends PromptKeys {
  logits: Float32Array;
}

/** Inputs of a step that adds a token to each row of a batch. */
export interface DecodeInputs {
  /** The newest token of each row, and its position in its sequence. */
  ids: readonly number[];
  positions: readonly number[];
  prompts: PromptCache;
  cache: KeyValueCache;
  /** Rows of the batch when it began; the same for all of its steps, which then run the same graph. */
  batch: number;
  /** What is computed of the next token: logits, or probabilities at the temperature. */
  wanted: 'logits' | 'probabilities';
  temperature: number;
}

/**
 * Result of a step: `next` [rows, vocabulary] as wanted, and the newest tokens' keys
 * and values for the cache, [2 · layers · kv, rows, headSize]. Valid until the next
 * step.
 */
export interface DecodeStep {
  next: Float32Array;
  newest: Float32Array;
}

interface LoadedGraph {
  session: GraphSession;
  parameters: GraphParameters;
}

/** Floating-point operations of a run: a fraction of a second, so that an interrupt takes effect soon. */
const OPERATIONS_PER_RUN = 6e10;

/** Rows below which products with the rows on the left are faster (with one row, twice as fast). */
const FEW_ROWS = 8;

/** Multiplications in a product below which waking a second thread costs more than it saves. */
const WORTH_A_THREAD = 1e5;

/** Multiplications that each further thread must have to do: a step has hundreds of products, after each of which all threads wait for the last. */
const WORTH_MORE_THREADS = 1e6;

/** Returns the number of threads for the products of a step. */
function threadsFor(multiplications: number): number {
  if (multiplications < WORTH_A_THREAD) return 1;
  return Math.min(runtimeSettings.threads, 2 + Math.floor(multiplications / WORTH_MORE_THREADS));
}

/**
 * Runs a model forward. Sessions are created at the first use; weights are read at
 * every run, so that training takes effect at once.
 */
export class InferenceEngine {
  private readonly loaded = new Map<string, Promise<LoadedGraph>>();
  private outputs: { rows: number; wanted: string; tensors: Record<string, Tensor> } | undefined;

  constructor(
    readonly config: ModelConfig,
    private readonly set: ParameterSet,
  ) {}

  /** Computes a prompt. */
  async prefill(ids: readonly number[], signal?: AbortSignal): Promise<Prefill> {
    let prefill: Prefill | undefined;
    for await (const part of this.parts(ids, 'last', signal)) prefill = part;
    return prefill!;
  }

  /** Returns the logits of every next token of a sequence, [tokens, vocabulary]. */
  async logits(ids: readonly number[]): Promise<Float32Array> {
    const all = new Float32Array(ids.length * this.config.vocabSize);
    let done = 0;
    for await (const { logits } of this.parts(ids, 'all')) {
      all.set(logits, done);
      done += logits.length;
    }
    return all;
  }

  /** Runs a sequence part by part; logits are those of the part. */
  private async *parts(ids: readonly number[], wanted: 'all' | 'last', signal?: AbortSignal): AsyncGenerator<Prefill> {
    this.checkIds(ids);
    const { numLayers, numKeyValueHeads: kv, headSize: size } = this.config;
    // A prompt is a few runs only, and its memory is as large as that of all steps after it.
    const { session, parameters } = await this.load('prefill', () => prefillGraph(this.config, this.set), {
      keepMemory: false,
    });
    const empty = Array.from({ length: numLayers }, () => new Float32Array(0));
    let past: PromptKeys = { length: 0, keys: empty, values: empty };
    const partLength = this.partLength();
    while (past.length < ids.length) {
      signal?.throwIfAborted();
      const part = ids.slice(past.length, past.length + partLength);
      const feeds: Record<string, Feed> = { mask: causalMask(part.length, past.length), ids: int64Feed(part) };
      feeds.positions = int64Feed(part.map((_, i) => past.length + i));
      feeds.rows = int64Feed(wanted === 'all' ? part.map((_, i) => i) : [part.length - 1]);
      for (let layer = 0; layer < numLayers; layer++) {
        feeds[`past_keys.${layer}`] = { shape: [kv, size, past.length], data: past.keys[layer] };
        feeds[`past_values.${layer}`] = { shape: [kv, past.length, size], data: past.values[layer] };
      }
      const outputs = await session.run({ ...parameters.feeds(), ...feeds });
      const prefill = { length: past.length + part.length, logits: outputs.logits.data, ...this.perLayer(outputs) };
      yield prefill;
      past = prefill;
    }
  }

  /** Computes the next token of each row. */
  async decode({ ids, positions, prompts, cache, wanted, temperature, batch }: DecodeInputs): Promise<DecodeStep> {
    const { session, parameters } = await this.decoder(prompts, batch);
    const feeds = {
      ...parameters.feeds(),
      ...prompts.feeds(),
      ...cache.feeds(),
      ids: int64Feed(ids),
      positions: int64Feed(positions),
      temperature: { shape: [1], data: Float32Array.of(temperature) },
    };
    const into = this.stepOutputs(ids.length, wanted);
    const outputs = await session.run(feeds, { outputs: Object.keys(into), into });
    return { next: outputs[wanted].data, newest: outputs.newest.data };
  }

  /** Returns memory for the result of a step. Steps of as many rows share it: each result is used before the next step. */
  private stepOutputs(rows: number, wanted: DecodeInputs['wanted']): Record<string, Tensor> {
    if (this.outputs?.rows !== rows || this.outputs.wanted !== wanted) {
      const { vocabSize, numLayers, numKeyValueHeads, headSize } = this.config;
      const newest = zeros([2 * numLayers * numKeyValueHeads, rows, headSize]);
      const tensors = { [wanted]: zeros([rows, vocabSize]), newest };
      this.outputs = { rows, wanted, tensors };
    }
    return this.outputs.tensors;
  }

  /** Returns the graph that is fastest for a batch of this size. */
  private decoder(prompts: PromptCache, batch: number): Promise<LoadedGraph> {
    const { hiddenSize, intermediateSize } = this.config;
    const options: DecodeGraphOptions = {
      prompts: prompts.isSingle ? 'one' : 'several',
      order: batch < FEW_ROWS ? 'rows' : 'columns',
    };
    const threads = threadsFor(batch * hiddenSize * intermediateSize);
    return this.load(
      `${options.prompts} ${options.order} ${threads}`,
      () => decodeGraph(this.config, this.set, options),
      { threads },
    );
  }

  private perLayer(outputs: Record<string, { data: Float32Array }>): { keys: Float32Array[]; values: Float32Array[] } {
    const of = (name: string) =>
      Array.from({ length: this.config.numLayers }, (_, layer) => outputs[`${name}.${layer}`].data);
    return { keys: of('keys'), values: of('values') };
  }

  /** Returns the number of tokens of a sequence that are computed in one run. */
  private partLength(): number {
    const tensors = [...this.set.weights.values(), ...(this.set.quantized?.values() ?? [])];
    const parameters = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return Math.max(16, Math.min(512, Math.floor(OPERATIONS_PER_RUN / (2 * parameters))));
  }

  private checkIds(ids: readonly number[]): void {
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= this.config.vocabSize);
    if (wrong !== undefined) {
      const last = this.config.vocabSize - 1;
      throw new Error(`${wrong} is not a token ID of this model (0 to ${last}); was it made by another tokenizer?`);
    }
  }

  private load(name: string, make: () => ModelGraph, options?: SessionOptions): Promise<LoadedGraph> {
    let loaded = this.loaded.get(name);
    if (!loaded) this.loaded.set(name, (loaded = load(make(), options)));
    return loaded;
  }

  /** Frees the sessions; the next use creates them again. */
  async dispose(): Promise<void> {
    const loaded = [...this.loaded.values()];
    this.loaded.clear();
    for (const promise of loaded) await (await promise).session.release();
  }
}

async function load({ graph, parameters }: ModelGraph, options?: SessionOptions): Promise<LoadedGraph> {
  return { session: await GraphSession.create(graph, { spin: true, ...options }), parameters };
}
