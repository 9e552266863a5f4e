import type { InferenceEngine, Prefill } from './inference';
import { KeyValueCache } from './cache';
import { seededRandom } from './random';
import { checkSampling, Sampler, type SamplingOptions } from './sampling';
import type { Streamer } from './streamer';

/** What to generate from, and how. */
export interface GenerateOptions extends Partial<SamplingOptions> {
  /** Token IDs of one prompt or of several: what `tokenizer(text)` gives. */
  inputIds?: number[] | number[][];
  /** The same, by Python's name. */
  input_ids?: number[] | number[][];
  /** Tokens with 0 are left out (padding). */
  attentionMask?: number[] | number[][];
  /** Completions per prompt; they share the prompt's computation. 1 by default. */
  numReturnSequences?: number;
  /** At most so many tokens per completion; 256 by default. The model's `maxSeqLength` is a limit, too. */
  maxNewTokens?: number;
  /** `false` takes the most likely token, as temperature 0 does. */
  doSample?: boolean;
  /** A completion ends at any of these; the model's own by default. */
  eosTokenId?: number | number[] | null;
  /** A completion also ends when its text contains one of these. */
  stopStrings?: string | string[];
  /** The same seed gives the same completions. A random one by default. */
  seed?: number;
  /** Follows the generation of a single completion. */
  streamer?: Streamer;
  /** Ends the generation with the reason of the abort as error. */
  signal?: AbortSignal;
}

/** Completions, in the order of the prompts and, per prompt, of their numbers. */
export interface Generation {
  /** Token IDs without the prompt; the end token, if it was reached, is the last. */
  sequences: number[][];
  /** Log-probability of each token at the temperature it was sampled with (before topK, topP and minP). */
  logprobs: Float32Array[];
  /** Whether a completion ended by itself (end token or stop string), not at the limit of tokens. */
  terminated: boolean[];
}

/** What generation needs to know of the model. */
export interface GenerationSetting {
  engine: InferenceEngine;
  maxSeqLength: number;
  eosTokenIds: readonly number[];
  decode: (ids: readonly number[]) => string;
}

/** One completion while it grows. */
interface Row {
  index: number;
  ids: number[];
  logprobs: number[];
  terminated: boolean;
  random: ReturnType<typeof seededRandom>;
  seen: Set<number>;
}

const DEFAULTS: SamplingOptions = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };

/** Generates completions, all of one prompt at a time. */
export async function generate(setting: GenerationSetting, options: GenerateOptions): Promise<Generation> {
  const sampling = samplingOptions(options);
  const prompts = promptsOf(options);
  const copies = positiveInteger(options.numReturnSequences ?? 1, 'numReturnSequences');
  if (options.streamer && prompts.length * copies !== 1) {
    throw new Error('a streamer follows one completion: give one prompt and numReturnSequences 1');
  }
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const result: Generation = { sequences: [], logprobs: [], terminated: [] };
  for (const [number, prompt] of prompts.entries()) {
    const rows = Array.from({ length: copies }, (_, index) => newRow(index, prompt, seed, number * copies + index));
    await new GroupGeneration(setting, options, sampling, prompt, rows).run();
    for (const row of rows) {
      result.sequences.push(row.ids);
      result.logprobs.push(Float32Array.from(row.logprobs));
      result.terminated.push(row.terminated);
    }
  }
  return result;
}

/** The completions of one prompt: the prompt once, then a token of every unfinished completion per step. */
class GroupGeneration {
  private readonly maxNewTokens: number;
  private readonly eos: ReadonlySet<number>;
  private readonly stops: readonly string[];
  private readonly sampler: Sampler;

  constructor(
    private readonly setting: GenerationSetting,
    private readonly options: GenerateOptions,
    sampling: SamplingOptions,
    private readonly prompt: readonly number[],
    private readonly rows: readonly Row[],
  ) {
    const { maxSeqLength } = setting;
    if (prompt.length >= maxSeqLength) {
      throw new Error(
        `the prompt has ${prompt.length} tokens, the model takes ${maxSeqLength} with the completion; ` +
          'shorten it or load the model with a larger maxSeqLength',
      );
    }
    const wanted = positiveInteger(options.maxNewTokens ?? 256, 'maxNewTokens');
    this.maxNewTokens = Math.min(wanted, maxSeqLength - prompt.length);
    this.eos = new Set(options.eosTokenId === undefined ? setting.eosTokenIds : [options.eosTokenId ?? []].flat());
    this.stops = [options.stopStrings ?? []].flat();
    this.sampler = new Sampler(sampling, setting.engine.config.vocabSize);
  }

  async run(): Promise<void> {
    const { engine } = this.setting;
    this.options.signal?.throwIfAborted();
    this.options.streamer?.put(this.prompt);
    const prefill = await engine.prefill(this.prompt);
    const cache = new KeyValueCache(engine.config, this.rows.length);
    // The first token of every completion comes from the same logits.
    this.rows.forEach((row) => this.take(row, prefill.logits));
    let active = this.compact([...this.rows], cache);
    for (let length = 1; active.length > 0 && length < this.maxNewTokens; length++) {
      this.options.signal?.throwIfAborted();
      active = await this.step(active, prefill, cache);
    }
    this.options.streamer?.end();
  }

  private async step(active: Row[], prefill: Prefill, cache: KeyValueCache): Promise<Row[]> {
    const { engine } = this.setting;
    const position = this.prompt.length + active[0].ids.length - 1;
    const step = await engine.decode(active.map((row) => row.ids[row.ids.length - 1]), position, prefill, cache);
    cache.append(step.keys, step.values);
    const { vocabSize } = engine.config;
    active.forEach((row, i) => this.take(row, step.logits.subarray(i * vocabSize, (i + 1) * vocabSize)));
    return this.compact(active, cache);
  }

  /** Appends the next token to a completion. */
  private take(row: Row, logits: Float32Array): void {
    const { token, logprob } = this.sampler.choose(logits, row.seen, row.random);
    row.ids.push(token);
    row.logprobs.push(logprob);
    row.seen.add(token);
    this.options.streamer?.put([token]);
    row.terminated = this.eos.has(token) || this.hasStop(row.ids);
  }

  private hasStop(ids: readonly number[]): boolean {
    if (this.stops.length === 0) return false;
    const text = this.setting.decode(ids);
    return this.stops.some((stop) => text.includes(stop));
  }

  /** Takes finished completions out of the batch. */
  private compact(active: Row[], cache: KeyValueCache): Row[] {
    const kept = active.flatMap((row, i) => (row.terminated ? [] : [i]));
    if (kept.length === active.length) return active;
    cache.keep(kept);
    return kept.map((i) => active[i]);
  }
}

function newRow(index: number, prompt: readonly number[], seed: number, stream: number): Row {
  return { index, ids: [], logprobs: [], terminated: false, random: seededRandom(seed, stream), seen: new Set(prompt) };
}

function samplingOptions(options: GenerateOptions): SamplingOptions {
  const sampling = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof SamplingOptions)[]) sampling[name] = options[name] ?? DEFAULTS[name];
  if (options.doSample === false) sampling.temperature = 0;
  checkSampling(sampling);
  return sampling;
}

function promptsOf(options: GenerateOptions): number[][] {
  const ids = options.inputIds ?? options.input_ids;
  if (!ids || ids.length === 0) throw new Error('generate needs inputIds: generate({ ...tokenizer(text), maxNewTokens: 128 })');
  const prompts = Array.isArray(ids[0]) ? (ids as number[][]) : [ids as number[]];
  const masks = options.attentionMask;
  const byPrompt = masks && (Array.isArray(masks[0]) ? (masks as number[][]) : [masks as number[]]);
  return prompts.map((prompt, i) => {
    const kept = byPrompt ? prompt.filter((_, j) => byPrompt[i]?.[j] !== 0) : prompt;
    if (kept.length === 0) throw new Error(`prompt ${i} is empty; the model needs at least one token`);
    return kept;
  });
}

function positiveInteger(value: number, name: string): number {
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a positive integer, not ${value}`);
  return value;
}
