import type { Tensor } from '../onnx/tensor';
import type { ModelConfig } from './config';
import { generate, type GenerateOptions, type Generation } from './generate';
import { InferenceEngine } from './inference';
import { loraScaling, mergeLora, type LoraAdapter } from './lora';
import { loraName, type ParameterSet } from './parameters';
import type { WeightType } from './safetensors';
import { saveModel } from './save';
import type { Tokenizer } from './tokenizer';

/** What a model is made of. */
export interface ModelParts {
  config: ModelConfig;
  weights: Map<string, Tensor>;
  tokenizer: Tokenizer;
  /** Longest sequence, prompt and completion together, in tokens. */
  maxSeqLength: number;
  /** Folder that the model was read from. */
  folder: string;
  /** What was asked for: 'joylab/strategist', or the folder. */
  modelName: string;
}

/** How a merged model is saved. */
export interface SaveOptions {
  /** Type of the weights in the file; float32 by default. */
  dtype?: WeightType;
}

/** A causal language model in memory, on the CPU. Made by `FastLanguageModel.fromPretrained`. */
export class CausalLM {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly maxSeqLength: number;
  readonly modelName: string;
  /** @internal Folder that the model was read from. */
  readonly folder: string;
  /** @internal By the checkpoint's names. Training changes the arrays in place. */
  readonly weights: Map<string, Tensor>;
  private engine: InferenceEngine | undefined;

  /** @internal */
  constructor(parts: ModelParts) {
    this.config = parts.config;
    this.tokenizer = parts.tokenizer;
    this.maxSeqLength = parts.maxSeqLength;
    this.modelName = parts.modelName;
    this.folder = parts.folder;
    this.weights = parts.weights;
  }

  /** The LoRA adapter that is trained and applied, or null. */
  get adapter(): LoraAdapter | null {
    return null;
  }

  /** @internal What graphs of this model are made from. */
  get parameters(): ParameterSet {
    return { weights: this.weights, adapter: this.adapter };
  }

  /** The tensors that training changes: the adapter's, or all weights where there is none. The arrays are the model's own. */
  trainableParameters(): Map<string, Tensor> {
    if (!this.adapter) return new Map(this.weights);
    const tensors = new Map<string, Tensor>();
    for (const [name, { a, b }] of this.adapter.pairs) {
      tensors.set(loraName(name, 'A'), a);
      tensors.set(loraName(name, 'B'), b);
    }
    return tensors;
  }

  /** Counts of trained and of all parameters, in PEFT's words. */
  printTrainableParameters(): void {
    const { trainable, all } = this.parameterCounts();
    console.log(`trainable params: ${english(trainable)} || all params: ${english(all)} || trainable%: ${((100 * trainable) / all).toFixed(4)}`);
  }

  private parameterCounts(): { trainable: number; all: number } {
    const count = (tensors: Iterable<Tensor>) => [...tensors].reduce((sum, tensor) => sum + tensor.data.length, 0);
    const trainable = count(this.trainableParameters().values());
    return { trainable, all: count(this.weights.values()) + (this.adapter ? trainable : 0) };
  }

  /** One line: name, size, adapter. */
  toString(): string {
    const { trainable, all } = this.parameterCounts();
    const { numLayers, hiddenSize, vocabSize } = this.config;
    const adapter = this.adapter ? `, LoRA of rank ${this.adapter.config.r} with ${english(trainable)} trainable` : '';
    const sizes = `${english(all)} parameters, ${numLayers} layers, width ${hiddenSize}, vocabulary ${english(vocabSize)}`;
    return `${this.constructor.name}(${this.modelName}: ${sizes}${adapter})`;
  }

  /** @internal What a cell that ends with the model shows, instead of all weights. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** Completes prompts. See {@link GenerateOptions} for the settings. */
  async generate(options: GenerateOptions): Promise<Generation> {
    return generate(
      {
        engine: this.inference(),
        maxSeqLength: this.maxSeqLength,
        eosTokenIds: this.eosTokenIds,
        decode: (ids) => this.tokenizer.decode(ids),
      },
      options,
    );
  }

  /** Logits of every next token, [tokens, vocabulary] row by row, for each sequence. */
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

  /** Saves the model as a Hugging Face folder with its tokenizer (a model with an adapter: the adapter alone). */
  async savePretrained(folder: string): Promise<void> {
    saveModel(this, folder, this.mergedWeights(), 'float32');
  }

  /** Saves the model, its adapter merged into the weights, as a Hugging Face folder with its tokenizer. */
  async savePretrainedMerged(folder: string, { dtype = 'float32' }: SaveOptions = {}): Promise<void> {
    saveModel(this, folder, this.mergedWeights(), dtype);
  }

  /** Frees what the model holds outside JavaScript; it can still be used, and takes it again. */
  async dispose(): Promise<void> {
    await this.engine?.dispose();
  }

  /** Tokens that end a completion. */
  get eosTokenIds(): number[] {
    const { eosTokenIds } = this.config;
    const { eosTokenId } = this.tokenizer;
    return eosTokenIds.length > 0 || eosTokenId === null ? eosTokenIds : [eosTokenId];
  }

  /** @internal The weights with the adapter's updates added, where there is one. */
  mergedWeights(): Map<string, Tensor> {
    const merged = new Map(this.weights);
    if (!this.adapter) return merged;
    const scaling = loraScaling(this.adapter.config);
    for (const [name, pair] of this.adapter.pairs) merged.set(name, mergeLora(this.weights.get(name)!, pair, scaling));
    return merged;
  }

  private inference(): InferenceEngine {
    return (this.engine ??= new InferenceEngine(this.config, this.parameters));
  }
}

function english(value: number): string {
  return value.toLocaleString('en-US');
}
