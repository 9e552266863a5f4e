import { sizeOf, type Tensor } from '../onnx/tensor';
import type { ModelConfig } from './config';
import { generate, type CompleteRows, type Generation } from './generation/generate';
import { Batch } from './generation/generateBatch';
import { Prefills } from './generation/prefills';
import { readGenerationConfig } from './generation/generationConfig';
import type { GenerateOptions, GenerationConfig } from './generation/generateOptions';
import { InferenceEngine } from './generation/inference';
import { MergedAdapter } from './lora/mergedAdapter';
import { mergeLora, type LoraAdapter } from './lora/lora';
import { loraName, type ParameterSet } from './graph/parameters';
import { dequantize, type QuantizedWeight } from './checkpoint/quantization';
import type { GgufOptions } from './gguf/save';
import type { OnnxOptions } from './checkpoint/onnxExport';
import { saveModel, type SaveOptions } from './checkpoint/save';
import type { PushOptions } from './hub/push';
import type { Tokenizer } from './tokenizer/tokenizer';

/** The parts of a model. */
export interface ModelParts {
  config: ModelConfig;
  weights: Map<string, Tensor>;
  /** The weights that are held in 4 or 8 bits, by the checkpoint's names. */
  quantized: Map<string, QuantizedWeight>;
  tokenizer: Tokenizer;
  /** Longest sequence, prompt and completion together, in tokens. */
  maxSeqLength: number;
  /** Folder that the model was read from. */
  folder: string;
  /** The name or folder that the user gave, such as 'joylab/strategist'. */
  modelName: string;
  /** Settings of `generate`; by default those of the folder's `generation_config.json`. */
  generationConfig?: GenerationConfig;
}

/** Tokens to generate from which on merging the adapter pays: merging takes about the time of ten steps. */
const WORTH_MERGING = 256;

/** A causal language model in memory, on the CPU. `FastLanguageModel.fromPretrained` creates it. */
export class CausalLM {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly maxSeqLength: number;
  readonly modelName: string;
  /** @internal Folder that the model was read from. */
  readonly folder: string;
  /** @internal Weights by the checkpoint's names. Training changes the arrays in place. */
  readonly weights: Map<string, Tensor>;
  /** @internal Weights that are held in 4 or 8 bits instead. They never change. */
  readonly quantized: Map<string, QuantizedWeight>;
  /** Defaults of {@link generate}: what the model's generation_config.json says. They may be changed. */
  readonly generationConfig: GenerationConfig;
  /** Whether training keeps only the inputs of each block, and recomputes the rest in the backward pass. */
  isGradientCheckpointing = false;
  private engine: InferenceEngine | undefined;
  private merged: MergedAdapter | undefined;
  private mergedEngine: InferenceEngine | undefined;

  /** @internal */
  constructor(parts: ModelParts) {
    this.config = parts.config;
    this.tokenizer = parts.tokenizer;
    this.maxSeqLength = parts.maxSeqLength;
    this.modelName = parts.modelName;
    this.folder = parts.folder;
    this.weights = parts.weights;
    this.quantized = parts.quantized;
    this.generationConfig = parts.generationConfig ?? readGenerationConfig(parts.folder);
  }

  /** The LoRA adapter that is trained and applied, or null. */
  get adapter(): LoraAdapter | null {
    return null;
  }

  /** @internal Why this process has no weights of it, and what to do where they are wanted, as a sentence; null where it has. */
  get whyNotHere(): string | null {
    return null;
  }

  /** @internal Why it is not saved in formats that this process writes. */
  get whyNotSaved(): string | null {
    return this.whyNotHere;
  }

  /** @internal The parameters of this model's graphs. */
  get parameters(): ParameterSet {
    if (this.whyNotHere) throw new Error(this.whyNotHere);
    return { weights: this.weights, quantized: this.quantized, adapter: this.adapter };
  }

  /**
   * Returns the tensors that training in this process changes: the adapter's, or all weights where there
   * is none. The arrays are the model's own.
   *
   * @throws Error when there is no adapter and the weights are quantised
   */
  trainableParameters(): Map<string, Tensor> {
    if (this.whyNotHere) return new Map();
    if (!this.adapter) {
      const { precision } = this;
      if (precision !== 'float32') {
        throw new Error(
          `the weights of ${this.modelName} are held in ${precision} and cannot be trained; give it an adapter, ` +
            `FastLanguageModel.getPeftModel(model), or load it without ${precision === '4 bits' ? 'loadIn4bit' : 'loadIn8bit'}`,
        );
      }
      return new Map(this.weights);
    }
    const tensors = new Map<string, Tensor>();
    for (const [name, { a, b }] of this.adapter.pairs) {
      tensors.set(loraName(name, 'A'), a);
      tensors.set(loraName(name, 'B'), b);
    }
    return tensors;
  }

  /** Turns gradient checkpointing on: training takes less memory and more time, as with a trainer's `gradientCheckpointing`. */
  gradientCheckpointingEnable(): void {
    this.isGradientCheckpointing = true;
  }

  /** Turns gradient checkpointing off, the default: training keeps all activations. */
  gradientCheckpointingDisable(): void {
    this.isGradientCheckpointing = false;
  }

  /** Prints the numbers of trained and of all parameters, as PEFT does. */
  printTrainableParameters(): void {
    const { trainable, all } = this.parameterCounts();
    console.log(
      `trainable params: ${english(trainable)} || all params: ${english(all)} || trainable%: ${((100 * trainable) / all).toFixed(4)}`,
    );
  }

  private parameterCounts(): { trainable: number; all: number } {
    const count = (tensors: Iterable<{ shape: number[] }>) =>
      [...tensors].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const base = count(this.weights.values()) + count(this.quantized.values());
    if (!this.adapter) return { trainable: this.quantized.size > 0 ? 0 : base, all: base };
    const trainable = count(this.trainableParameters().values());
    return { trainable, all: base + trainable };
  }

  /** Precision in which the weights of the linear layers are held in memory. */
  private get precision(): 'float32' | '4 bits' | '8 bits' {
    const [first] = this.quantized.values();
    return !first ? 'float32' : first.format === 'nf4' ? '4 bits' : '8 bits';
  }

  /** Returns one line: name, size, adapter. */
  toString(): string {
    const { trainable, all } = this.parameterCounts();
    const { numLayers, hiddenSize, vocabSize } = this.config;
    const adapter = this.adapter ? `, LoRA of rank ${this.adapter.config.r} with ${english(trainable)} trainable` : '';
    const sizes = `${english(all)} parameters, ${numLayers} layers, width ${hiddenSize}, vocabulary ${english(vocabSize)}`;
    const precision = this.quantized.size > 0 ? `, linear layers in ${this.precision}` : '';
    return `${this.constructor.name}(${this.modelName}: ${sizes}${precision}${adapter})`;
  }

  /** @internal Returns what a cell that ends with the model shows, instead of all weights. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /**
   * Generates completions of prompts. See {@link GenerateOptions} for the settings.
   *
   * @throws Error when a setting is wrong, or a prompt leaves no room below
   *   `maxSeqLength`; the signal's reason when aborted
   */
  async generate(options: GenerateOptions): Promise<Generation> {
    return generate(
      {
        completer: (tokens) => this.completer(tokens),
        generationConfig: this.generationConfig,
        maxSeqLength: this.maxSeqLength,
        eosTokenIds: this.eosTokenIds,
        decode: (ids) => this.tokenizer.decode(ids),
      },
      options,
    );
  }

  /**
   * Returns the logits of every next token for each sequence: [tokens, vocabulary], row
   * by row. Throws when a sequence is longer than `maxSeqLength`.
   */
  async logits(inputIds: number[][]): Promise<Float32Array[]> {
    const all: Float32Array[] = [];
    for (const ids of inputIds) {
      if (ids.length > this.maxSeqLength) {
        throw new Error(`a sequence of ${ids.length} tokens is longer than maxSeqLength (${this.maxSeqLength})`);
      }
      all.push(await this.inference().logits(ids));
    }
    return all;
  }

  /** Saves the model as a Hugging Face folder with its tokenizer; of a model with an adapter only the adapter. */
  async savePretrained(folder: string): Promise<void> {
    await saveModel(this, folder, {});
  }

  /**
   * Saves the model, its adapter merged into the weights, as a Hugging Face folder with
   * its tokenizer. Weights that are held in 4 or 8 bits are saved as the values that
   * they stand for, with the adapter's updates added.
   */
  async savePretrainedMerged(folder: string, options: SaveOptions = {}): Promise<void> {
    if (this.quantized.size > 0) {
      const type = options.dtype ?? (options.saveMethod ? 'bfloat16' : 'float32');
      console.log(
        `${folder}: the weights were loaded in ${this.precision}; ${this.adapter ? 'the adapter is merged into' : 'saved are'} their values as ${type}.`,
      );
    }
    await saveModel(this, folder, options);
  }

  /**
   * Saves the model, its adapter merged, as an ONNX graph for inference with a key-value cache, in the layout of Optimum
   * and Transformers.js: `onnx/model.onnx`, configuration and tokenizer. Weights are float32.
   */
  async savePretrainedOnnx(folder: string, options: OnnxOptions = {}): Promise<void> {
    if (this.whyNotSaved) throw new Error(this.whyNotSaved);
    const { saveOnnx } = require('./checkpoint/onnxExport') as typeof import('./checkpoint/onnxExport');
    await saveOnnx(this, folder, options);
  }

  /**
   * Saves the model, its adapter merged, as a GGUF file for llama.cpp and programs based
   * on it (Ollama, LM Studio …), with tokenizer and chat template. llama.cpp is not
   * needed for it.
   *
   * @returns the file, `model.<METHOD>.gguf` in the folder
   */
  async savePretrainedGguf(folder: string, options: GgufOptions = {}): Promise<string> {
    if (this.whyNotSaved) throw new Error(this.whyNotSaved);
    const { saveGguf } = require('./gguf/save') as typeof import('./gguf/save');
    return saveGguf(this, folder, options);
  }

  /**
   * Uploads what {@link savePretrained} saves to the Hugging Face hub, into a private repository unless `private` is
   * `false`; it is made where there is none.
   *
   * @param repoId 'organisation/model', or 'model' for the account of the token
   * @returns the address of its page
   */
  async pushToHub(repoId: string, options: PushOptions = {}): Promise<string> {
    const { pushModel } = require('./hub/push') as typeof import('./hub/push');
    return pushModel(repoId, options, (folder) => this.savePretrained(folder));
  }

  /** Uploads what {@link savePretrainedMerged} saves to the Hugging Face hub. See {@link pushToHub}. */
  async pushToHubMerged(
    repoId: string,
    { private: isPrivate, token, commitMessage, ...options }: PushOptions & SaveOptions = {},
  ): Promise<string> {
    const { pushModel } = require('./hub/push') as typeof import('./hub/push');
    return pushModel(repoId, { private: isPrivate, token, commitMessage }, (folder) =>
      this.savePretrainedMerged(folder, options),
    );
  }

  /** Frees the memory that the model holds outside JavaScript. The model can still be used, and then allocates it again. */
  async dispose(): Promise<void> {
    await this.engine?.dispose();
    await this.mergedEngine?.dispose();
    await this.merged?.dispose();
    this.mergedEngine = this.merged = undefined;
  }

  /** Tokens that end a completion. */
  get eosTokenIds(): number[] {
    const { eosTokenIds } = this.config;
    const { eosTokenId } = this.tokenizer;
    return eosTokenIds.length > 0 || eosTokenId === null ? eosTokenIds : [eosTokenId];
  }

  /**
   * @internal Returns a weight with the adapter's update added, where there is one: a
   *   new tensor, unless it is the model's own.
   */
  mergedWeight(name: string): Tensor {
    const quantized = this.quantized.get(name);
    const weight = quantized ? dequantize(quantized) : this.weights.get(name)!;
    const pair = this.adapter?.pairs.get(name);
    return pair ? mergeLora(weight, pair) : weight;
  }

  /** @internal Returns a function that completes prompts, for at most `tokens` tokens in all. */
  protected async completer(tokens: number): Promise<CompleteRows> {
    const engine = await this.generationEngine(tokens);
    const prefills = new Prefills(engine);
    return (rows, common) => new Batch({ ...common, engine, prefills }, rows).run();
  }

  /** Returns the engine that generates `tokens` tokens: with the adapter merged where that saves more time than it takes. */
  private async generationEngine(tokens: number): Promise<InferenceEngine> {
    const adapter = tokens < WORTH_MERGING ? null : this.mergedAdapter();
    if (!adapter) return this.inference();
    await adapter.refresh();
    return (this.mergedEngine ??= new InferenceEngine(this.config, adapter.parameters));
  }

  /**
   * @internal Returns the weights with the adapter merged, one object for all callers,
   *   or null where they do not fit into memory.
   */
  mergedAdapter(): MergedAdapter | null {
    if (!MergedAdapter.fits(this.parameters)) return null;
    return (this.merged ??= new MergedAdapter(this.weights, this.adapter!.pairs));
  }

  private inference(): InferenceEngine {
    return (this.engine ??= new InferenceEngine(this.config, this.parameters));
  }
}

function english(value: number): string {
  return value.toLocaleString('en-US');
}
