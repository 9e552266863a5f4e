import { GraphSession, int64Feed, type Feed } from '../onnx/session';
import { causalMask, type KeyValueCache } from './cache';
import type { ModelConfig } from './config';
import { decodeGraph, prefillGraph, type ModelGraph } from './inferenceGraphs';
import type { GraphParameters, ParameterSet } from './parameters';

/** A prompt's keys and values, and the logits of its next token. */
export interface Prefill {
  feeds: Record<string, Feed>;
  logits: Float32Array;
}

/** One decoded token per row: logits [rows, vocabulary], keys and values per layer. */
export interface DecodeStep {
  logits: Float32Array;
  keys: Float32Array[];
  values: Float32Array[];
}

interface LoadedGraph {
  session: GraphSession;
  parameters: GraphParameters;
}

/** Runs a model forward. Sessions are made at the first use; weights are read at every run, so that training is seen at once. */
export class InferenceEngine {
  private prefillLoaded: Promise<LoadedGraph> | undefined;
  private decodeLoaded: Promise<LoadedGraph> | undefined;

  constructor(
    readonly config: ModelConfig,
    private readonly set: ParameterSet,
  ) {}

  /** Computes a prompt once. */
  async prefill(ids: readonly number[]): Promise<Prefill> {
    const outputs = await this.runPrefill(ids, [ids.length - 1]);
    const feeds: Record<string, Feed> = {};
    for (let layer = 0; layer < this.config.numLayers; layer++) {
      feeds[`prompt_keys.${layer}`] = outputs[`keys.${layer}`];
      feeds[`prompt_values.${layer}`] = outputs[`values.${layer}`];
    }
    return { feeds, logits: outputs.logits.data };
  }

  /** Logits [tokens, vocabulary] of every next token of a sequence. */
  async logits(ids: readonly number[]): Promise<Float32Array> {
    const { logits } = await this.runPrefill(ids, Array.from(ids.keys()), ['logits']);
    return logits.data;
  }

  private async runPrefill(ids: readonly number[], rows: readonly number[], outputs?: string[]) {
    this.checkIds(ids);
    this.prefillLoaded ??= load(prefillGraph(this.config, this.set, 'input'));
    const { session, parameters } = await this.prefillLoaded;
    return session.run({
      ...parameters.feeds(),
      ids: int64Feed(ids),
      positions: int64Feed(Array.from(ids.keys())),
      mask: causalMask(ids.length),
      rows: int64Feed(rows),
    }, { outputs });
  }

  /** One more token for each row, all at the same position. */
  async decode(ids: readonly number[], position: number, prefill: Prefill, cache: KeyValueCache): Promise<DecodeStep> {
    this.decodeLoaded ??= load(decodeGraph(this.config, this.set, 'input'));
    const { session, parameters } = await this.decodeLoaded;
    const outputs = await session.run({
      ...parameters.feeds(),
      ...prefill.feeds,
      ...cache.feeds(),
      ids: int64Feed(ids),
      positions: int64Feed(new Array(ids.length).fill(position)),
    });
    const perLayer = (name: string) => Array.from({ length: this.config.numLayers }, (_, layer) => outputs[`${name}.${layer}`].data);
    return { logits: outputs.logits.data, keys: perLayer('keys'), values: perLayer('values') };
  }

  private checkIds(ids: readonly number[]): void {
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= this.config.vocabSize);
    if (wrong !== undefined) {
      const last = this.config.vocabSize - 1;
      throw new Error(`${wrong} is not a token ID of this model (0 to ${last}); was it made by another tokenizer?`);
    }
  }

  /** Frees the sessions; the next use makes them again. */
  async dispose(): Promise<void> {
    const loaded = [this.prefillLoaded, this.decodeLoaded];
    this.prefillLoaded = this.decodeLoaded = undefined;
    for (const promise of loaded) await (await promise)?.session.release();
  }
}

async function load({ graph, parameters }: ModelGraph): Promise<LoadedGraph> {
  return { session: await GraphSession.create(graph), parameters };
}
