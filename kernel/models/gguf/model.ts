import { createHash } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withProgress } from '../../display/progress/progress';
import { cellContext } from '../../display/cellContext';
import { sizeOf } from '../../onnx/tensor';
import { runtimeSettings } from '../../onnx/threads';
import { CausalLM } from '../causalLM';
import { COMPUTED_ELSEWHERE, sequenceLength, type ModelConfig } from '../config';
import type { CompleteRows } from '../generation/generate';
import { checkMemory } from '../memory';
import { readEnd } from '../checkpoint/regularFile';
import { completeRows } from './generation';
import { llamaCpp, type LlamaModel } from './llama';
import { Metadata } from './metadata';
import { partsOf } from './parts';
import { GgufFile } from './reader';
import { ggufTokenizer } from './tokens';

/** Name of the file that names the GGUF file in a folder that `savePretrained` wrote. */
export const POINTER = 'gguf.json';

/** Bytes of a file that its fingerprint is computed from. */
const LOOKED_AT = 2 ** 20;

/** A GGUF file to open. */
export interface GgufSource {
  path: string;
  /** The name or folder that the user gave. */
  modelName: string;
  maxSeqLength?: number;
}

interface Opened {
  path: string;
  llama: LlamaModel;
  /** Types of the weights, the most common first. */
  types: string[];
  parameters: number;
  architecture: string;
}

/**
 * A language model in a GGUF file, run by llama.cpp: it generates, whatever
 * its quantisation, and is not trained.
 */
export class GgufModel extends CausalLM {
  private readonly opened: Opened;
  private endTokens: number[] | undefined;

  private constructor(opened: Opened, parts: ConstructorParameters<typeof CausalLM>[0]) {
    super(parts);
    this.opened = opened;
  }

  /** Opens a file, or all files of a model by one of them. */
  static async open({ path, modelName, maxSeqLength }: GgufSource): Promise<GgufModel> {
    const parts = partsOf(path);
    const bytes = parts.reduce((sum, part) => sum + statSync(part).size, 0);
    checkMemory(path, bytes, 'choose a file of a smaller quantisation');
    const file = new GgufFile(path);
    const metadata = new Metadata(file.metadata, path);
    const { shapes } = file;
    const types = typesOf(file);
    file.close();
    const architecture = metadata.text('general.architecture');
    const config = configOf(metadata, architecture, shapes);
    const length = sequenceLength(maxSeqLength, config);
    const { llama } = await llamaCpp();
    const model = await withProgress('Loading the model, percent', 100, (task) =>
      llama.loadModel({
        modelPath: resolve(parts[0]),
        onLoadProgress: (share) => task.update(Math.floor(100 * share)),
        loadSignal: cellContext().signal,
      }),
    );
    const parameters = [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
    return new GgufModel(
      { path, llama: model, types, parameters, architecture },
      {
        config,
        weights: new Map(),
        quantized: new Map(),
        tokenizer: ggufTokenizer(metadata, model, path),
        maxSeqLength: length,
        folder: path,
        modelName,
        generationConfig: {},
      },
    );
  }

  override get eosTokenIds(): number[] {
    const { llama } = this.opened;
    return (this.endTokens ??= Array.from({ length: this.config.vocabSize }, (_, id) => id).filter((id) =>
      llama.isEogToken(id),
    ));
  }

  /** @internal */
  override get whyNotHere(): string {
    const { path } = this.opened;
    return (
      `${this.modelName} is a GGUF model, which generates but is not trained: load the model that it was made from, ` +
      `or write its weights as a folder (joylab gguf folder ${path} FOLDER) and load that`
    );
  }

  /** @internal Returns a digest of the file's size and last MiB, which tells it from other files. */
  fingerprint(): string {
    const { size, end } = readEnd(partsOf(this.opened.path).at(-1)!, LOOKED_AT);
    return createHash('sha256').update(`${size}:`).update(end).digest('hex');
  }

  override printTrainableParameters(): void {
    console.log(`trainable params: 0 || all params: ${english(this.opened.parameters)} || trainable%: 0.0000`);
  }

  override toString(): string {
    const { architecture, types, parameters } = this.opened;
    const { numLayers, hiddenSize, vocabSize } = this.config;
    return (
      `GgufModel(${this.modelName}: ${architecture}, ${english(parameters)} parameters in ${types.join(', ')}, ` +
      `${numLayers} layers, width ${hiddenSize}, vocabulary ${english(vocabSize)})`
    );
  }

  protected override async completer(): Promise<CompleteRows> {
    return (rows, common) => completeRows(this.opened.llama, rows, common);
  }

  /**
   * Returns the log-probabilities of every next token for each sequence,
   * [tokens, vocabulary] row by row: llama.cpp's bindings give no logits.
   */
  override async logits(inputIds: number[][]): Promise<Float32Array[]> {
    const longest = Math.max(...inputIds.map((ids) => ids.length));
    if (longest > this.maxSeqLength)
      throw new Error(`a sequence of ${longest} tokens is longer than maxSeqLength (${this.maxSeqLength})`);
    const context = await this.opened.llama.createContext({
      sequences: 1,
      contextSize: longest + 1,
      batchSize: 512,
      threads: runtimeSettings.threads,
    });
    try {
      const sequence = context.getSequence();
      const options = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 0 };
      const all: Float32Array[] = [];
      for (const ids of inputIds) {
        await sequence.clearHistory();
        const outputs = await sequence.controlledEvaluate(
          ids.map((id) => [id, { generateNext: { probabilities: true, options } }]),
        );
        const rows = new Float32Array(ids.length * this.config.vocabSize);
        outputs.forEach((output, i) => {
          for (const [token, p] of output!.next.probabilities!) rows[i * this.config.vocabSize + token] = Math.log(p);
        });
        all.push(rows);
      }
      return all;
    } finally {
      await context.dispose();
    }
  }

  /** Writes a folder that names the file, which stays where it is; `fromPretrained` opens it as this model. */
  override async savePretrained(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, POINTER), `${JSON.stringify({ file: resolve(this.opened.path) })}\n`);
  }

  /** The folder would name a file that others have not. */
  override async pushToHub(): Promise<string> {
    throw new Error(this.whyNotSaved);
  }

  override async savePretrainedMerged(): Promise<void> {
    throw new Error(this.whyNotSaved);
  }

  /** @internal */
  override get whyNotSaved(): string {
    const { path } = this.opened;
    return (
      `${this.modelName} is the GGUF file ${path} already; for another format write its weights as a folder ` +
      `(joylab gguf folder ${path} FOLDER), load that, and save it`
    );
  }

  /** Frees the memory of the model, which cannot be used afterwards. */
  override async dispose(): Promise<void> {
    await this.opened.llama.dispose();
  }
}

/** Returns the types of weights, the most common first. */
function typesOf(file: GgufFile): string[] {
  const counts = new Map<string, number>();
  for (const [name, shape] of file.shapes) {
    if (shape.length < 2) continue;
    const type = file.typeOf(name);
    counts.set(type, (counts.get(type) ?? 0) + sizeOf(shape));
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([type]) => type);
}

/** Returns what is known of a model of any architecture. */
function configOf(metadata: Metadata, name: string, shapes: ReadonlyMap<string, readonly number[]>): ModelConfig {
  const number = (key: string, otherwise?: number) => metadata.number(`${name}.${key}`, otherwise);
  const hiddenSize = number('embedding_length');
  // In some architectures layers differ in their heads: then a list stands there.
  const one = (key: string) => {
    const values = metadata.numbersOrOne(`${name}.${key}`);
    return values.length > 0 ? Math.max(...values) : 1;
  };
  const numHeads = one('attention.head_count');
  return {
    ...COMPUTED_ELSEWHERE,
    vocabSize: metadata.texts('tokenizer.ggml.tokens').length,
    hiddenSize,
    intermediateSize: one('feed_forward_length'),
    numLayers: number('block_count'),
    numHeads,
    numKeyValueHeads: one('attention.head_count_kv'),
    headSize: number('attention.key_length', hiddenSize / numHeads),
    maxPositions: number('context_length'),
    normEpsilon: number('attention.layer_norm_rms_epsilon', 0),
    tiedEmbeddings: !shapes.has('output.weight'),
    padTokenId: null,
    eosTokenIds: [],
  };
}

function english(value: number): string {
  return value.toLocaleString('en-US');
}
