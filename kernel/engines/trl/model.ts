import { CausalLM, type ModelParts } from '../../models/causalLM';
import type { SaveOptions } from '../../models/checkpoint/save';
import type { CompleteRows } from '../../models/generation/generate';
import { PeftModel } from '../../models/lora/peft';
import { adapterParameters, peftSettings, type WorkerLora } from './adapter';
import { completeRows } from './generation';
import type { HeldModel, NewAdapter } from './held';
import { saveAdapter, saveMerged } from './saving';

/**
 * A causal language model in a worker of PyTorch: it generates there, and TRL
 * or Unsloth train it there. Its tokenizer is in this process, so that prompts
 * and texts are those of every other model.
 */
export class TrlModel extends CausalLM {
  /** @internal */
  constructor(
    parts: ModelParts,
    /** @internal */
    readonly held: HeldModel,
  ) {
    super(parts);
  }

  /** @internal */
  override get whyNotHere(): string {
    const { backend } = this.held.loading;
    return (
      `${this.modelName} is in a worker (backend '${backend}'), where GRPOTrainer trains it: for this, save it with ` +
      "savePretrained or savePretrainedMerged, and load that folder with backend: 'onnx'"
    );
  }

  override printTrainableParameters(): void {
    const { parameters } = this.held.about;
    printCounts(parameters, parameters);
  }

  override toString(): string {
    return describe(this, '');
  }

  /** Without an adapter that {@link adapted} has given it since. */
  protected override async completer(): Promise<CompleteRows> {
    const { held } = this;
    return (rows, common) => completeRows(held, rows, common, held.adapters > 0);
  }

  override logits(inputIds: number[][]): Promise<Float32Array[]> {
    return logitsOf(this, inputIds, this.held.adapters > 0);
  }

  override async savePretrained(folder: string): Promise<void> {
    await saveMerged(this, folder, {});
  }

  override async savePretrainedMerged(folder: string, options: SaveOptions = {}): Promise<void> {
    await saveMerged(this, folder, options);
  }

  /** Ends the worker, which frees all memory that it holds. Where the model is used again, another one is started. */
  override async dispose(): Promise<void> {
    await this.held.close();
  }
}

/** The same with a LoRA adapter on its frozen weights. */
export class TrlPeftModel extends PeftModel {
  declare readonly base: TrlModel;
  /** Number of the adapter in the worker. */
  private readonly number: number;

  /**
   * @internal
   * @param parameterCount of the adapter, until the worker has made it
   */
  constructor(
    base: TrlModel,
    private readonly settings: WorkerLora,
    private readonly parameterCount: number,
  ) {
    super(base, { config: settings, pairs: new Map() });
    this.number = base.held.adapters;
  }

  /** @internal */
  get held(): HeldModel {
    const { held } = this.base;
    if (held.adapters === this.number) return held;
    throw new Error(
      'Another adapter has taken the place of this one in the worker: use the model that the last getPeftModel gave.',
    );
  }

  /** @internal */
  override get whyNotHere(): string {
    return this.base.whyNotHere;
  }

  override printTrainableParameters(): void {
    printCounts(this.parameterCount, this.held.about.parameters + this.parameterCount);
  }

  override toString(): string {
    return describe(this.base, `, LoRA of rank ${this.settings.r} with ${english(this.parameterCount)} trainable`);
  }

  protected override async completer(): Promise<CompleteRows> {
    const { held } = this;
    return (rows, common) => completeRows(held, rows, common, false);
  }

  override logits(inputIds: number[][]): Promise<Float32Array[]> {
    return logitsOf(this, inputIds, false);
  }

  override async savePretrained(folder: string): Promise<void> {
    await saveAdapter(this, folder);
  }

  override async savePretrainedMerged(folder: string, options: SaveOptions = {}): Promise<void> {
    await saveMerged(this, folder, options);
  }

  override async dispose(): Promise<void> {
    await this.base.dispose();
  }
}

/** A model in a worker. */
export type ModelInWorker = TrlModel | TrlPeftModel;

/** Returns whether a worker holds a model. */
export function isInWorker(model: CausalLM): model is ModelInWorker {
  return model instanceof TrlModel || model instanceof TrlPeftModel;
}

/** Returns the model with a new adapter, which the worker makes when it is next used. */
export function adapted(model: TrlModel, config: WorkerLora, more: Omit<NewAdapter, 'lora'>): TrlPeftModel {
  const { held } = model;
  if (config.targetParameters && held.loading.loadIn4bit && held.loading.backend === 'trl')
    throw new Error(
      "targetParameters: PEFT adapts no experts that are held in 4 bits: leave it out, or load the model without loadIn4bit, or with backend: 'unsloth'",
    );
  const count = adapterParameters(held.about, config);
  held.adapt({ lora: peftSettings(config), ...more });
  return new TrlPeftModel(model, config, count);
}

async function logitsOf(
  { held, maxSeqLength }: ModelInWorker,
  inputIds: number[][],
  withoutAdapter: boolean,
): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  for (const ids of inputIds) {
    if (ids.length > maxSeqLength)
      throw new Error(`a sequence of ${ids.length} tokens is longer than maxSeqLength (${maxSeqLength})`);
    const { logits } = await held.do('logits', { withoutAdapter }, { parts: { ids: Int32Array.from(ids) } });
    all.push(logits as Float32Array);
  }
  return all;
}

function printCounts(trainable: number, all: number): void {
  console.log(
    `trainable params: ${english(trainable)} || all params: ${english(all)} || trainable%: ${((100 * trainable) / all).toFixed(4)}`,
  );
}

function describe({ modelName, config, held }: TrlModel, adapter: string): string {
  const { numLayers, hiddenSize, vocabSize } = config;
  const { parameters, dtype, device } = held.about;
  const sizes = `${english(parameters)} parameters, ${numLayers} layers, width ${hiddenSize}, vocabulary ${english(vocabSize)}`;
  return `${adapter ? 'TrlPeftModel' : 'TrlModel'}(${modelName}: ${sizes}, ${dtype} on ${device}${adapter})`;
}

function english(value: number): string {
  return value.toLocaleString('en-US');
}
