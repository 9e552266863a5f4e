import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  because,
  checkSettings,
  flag,
  oneOf,
  resolveSettings,
  text,
  whole,
  type Declaration,
  type Given,
} from '../common/settings';
import { packageRoot } from '../common/packagePaths';
import { TARGET_MODULES } from './graph/architecture';
import { loadCheckpoint, readJson } from './checkpoint/checkpoint';
import { CausalLM } from './causalLM';
import { finishUpdate } from './checkpoint/folderUpdate';
import { findGguf } from './gguf/find';
import { GgufModel } from './gguf/model';
import { hubModel, hubOptions, isHubName, type HubOptions } from './hub';
import { createLora, loraSettings, type LoraConfig } from './lora/lora';
import { adapterFile, PeftModel } from './lora/peft';
import { loadTokenizer, type Tokenizer } from './tokenizer/tokenizer';

/** Computes activations again instead of holding them, or not. */
const checkpointing = oneOf(undefined, [true, false, 'unsloth']);

const loadingSettings = {
  /**
   * A folder, or a model of the Hugging Face hub ('organisation/model'), which is downloaded into the hub's cache when it
   * is not there: a model, or a PEFT adapter (then its base is loaded, too). 'joylab/strategist' comes with Joylab.
   * A GGUF file, or a folder or model of the hub with `ggufFile`, is run by llama.cpp: it generates, and is not trained.
   */
  modelName: text(undefined, "a folder, or a model of the hub ('organisation/model')"),
  /** A GGUF file of the folder or of the model of the hub, such as 'model-Q4_K_M.gguf'; of several files any. None by default. */
  ggufFile: text(undefined, "a file's name, such as 'model-Q4_K_M.gguf'"),
  /** Longest sequence, prompt and completion together, in tokens. What the model was made for, or its sliding window, by default. */
  maxSeqLength: whole(undefined, { from: 2 }),
  /**
   * Holds the weights of the linear layers in 4 bits, for training an adapter (QLoRA): bitsandbytes' NF4 in blocks of
   * 64, 4.5 bits per weight. Embedding, norms and head stay float32, and so does all arithmetic. `false` by default.
   */
  loadIn4bit: flag(false),
  /** The same in 8 bits: whole multiples of 1/127 of each row's largest magnitude. `false` by default. */
  loadIn8bit: flag(false),
  /** Computes activations again in training instead of holding them, see `GRPOConfig.gradientCheckpointing`; 'unsloth' means `true`. As the trainer says by default. */
  useGradientCheckpointing: checkpointing,
};

/** The model to load. */
export interface FromPretrainedOptions
  extends Required<Pick<Given<typeof loadingSettings>, 'modelName'>>,
    Omit<Given<typeof loadingSettings>, 'modelName'>,
    HubOptions {}

const adapterSettings = {
  /** Biases to train. 'none' by default, which alone is supported. */
  bias: oneOf('none', ['none']),
  /** Seed of the initial values. 3407 by default. */
  randomState: whole(3407, { from: 0 }),
  /** Computes activations again in training instead of holding them; 'unsloth' means `true`. As the model was loaded by default. */
  useGradientCheckpointing: checkpointing,
};

/** Options of a new LoRA adapter, by PEFT's names. */
export interface PeftOptions extends Given<typeof loraSettings>, Given<typeof adapterSettings> {}

/** The options of `FastLanguageModel.fromPretrained`. */
export const loadingDeclaration: Declaration = {
  owner: 'fromPretrained',
  noun: 'option',
  example: "{ modelName: 'joylab/strategist' }",
  settings: { ...loadingSettings, ...hubOptions },
  elsewhere: {
    ...because('weights are float32 in memory, or with loadIn4bit or loadIn8bit in 4 or 8 bits', [
      'dtype',
      'torchDtype',
      'quantizationConfig',
      'loadIn16bit',
    ]),
    ...because('the model runs in this process on the CPU', [
      'deviceMap',
      'device',
      'fastInference',
      'gpuMemoryUtilization',
      'attnImplementation',
      'maxLoraRank',
    ]),
    fullFinetuning: 'all weights are trained unless the model is given an adapter',
    trustRemoteCode: 'no code is loaded with a model',
    cacheDir: 'set the environment variable HF_HOME',
    localFilesOnly: 'set the environment variable HF_HUB_OFFLINE=1',
  },
};

/** The options of `FastLanguageModel.getPeftModel`. */
export const peftDeclaration: Declaration<typeof loraSettings & typeof adapterSettings> = {
  owner: 'getPeftModel',
  noun: 'option',
  example: '{ r: 16, loraAlpha: 32 }',
  settings: { ...loraSettings, ...adapterSettings },
  elsewhere: {
    ...because('it is not supported', [
      'useDora',
      'useQalora',
      'loraBias',
      'modulesToSave',
      'layersPattern',
      'layerReplication',
      'loftqConfig',
      'targetParameters',
      'trainableTokenIndices',
    ]),
    taskType: 'adapters are for causal language models',
    maxSeqLength: 'give it to fromPretrained',
    seed: 'it is called randomState',
  },
};

/** Models that come with Joylab, and where they lie in the package. */
const BUNDLED: ReadonlyMap<string, string> = new Map([['joylab/strategist', 'kernel/models/strategist/checkpoint']]);

/** Loads language models and gives them adapters; named as in Unsloth. */
export const FastLanguageModel = {
  /** Loads a model and its tokenizer. */
  async fromPretrained(options: FromPretrainedOptions): Promise<{ model: CausalLM; tokenizer: Tokenizer }> {
    checkSettings(loadingDeclaration, options);
    if (options.loadIn4bit && options.loadIn8bit)
      throw new Error('loadIn4bit and loadIn8bit exclude each other: give one of them, or none for float32');
    const gguf = await findGguf(options);
    if (gguf) return openGguf(gguf, options);
    const folder = await findFolder(options.modelName, options);
    finishUpdate(folder);
    const model = existsSync(join(folder, 'adapter_config.json'))
      ? await loadWithAdapter(folder, options)
      : await loadModel(folder, options);
    setGradientCheckpointing(model, options.useGradientCheckpointing);
    return { model, tokenizer: model.tokenizer };
  },

  /**
   * Returns the model with a new LoRA adapter, which training changes. The weights are
   * shared, not copied. Throws when the model has an adapter already, or is a GGUF
   * model, and when an option is wrong.
   */
  getPeftModel(model: CausalLM, options: PeftOptions = {}): PeftModel {
    const { bias, randomState, useGradientCheckpointing, ...config } = resolveSettings(peftDeclaration, options);
    if (model instanceof GgufModel) throw new Error(model.whyNotTrained);
    if (model instanceof PeftModel)
      throw new Error('the model has an adapter already; call getPeftModel with the model that fromPretrained gave');
    const peft = new PeftModel(model, createLora(model.config, writtenOut(config), randomState));
    setGradientCheckpointing(peft, useGradientCheckpointing);
    return peft;
  },
};

function setGradientCheckpointing(model: CausalLM, wanted: boolean | 'unsloth' | undefined): void {
  if (wanted === undefined) return;
  if (wanted) model.gradientCheckpointingEnable();
  else model.gradientCheckpointingDisable();
}

/** Returns settings of an adapter with 'all-linear' written out, as PEFT does when it saves. */
function writtenOut(config: LoraConfig): LoraConfig {
  const { targetModules } = config;
  if (targetModules === 'all-linear') return { ...config, targetModules: [...TARGET_MODULES] };
  return Array.isArray(targetModules) ? { ...config, targetModules: [...targetModules] } : config;
}

async function openGguf(
  path: string,
  { modelName, maxSeqLength, loadIn4bit, loadIn8bit, useGradientCheckpointing }: FromPretrainedOptions,
): Promise<{ model: CausalLM; tokenizer: Tokenizer }> {
  if (loadIn4bit || loadIn8bit || useGradientCheckpointing)
    throw new Error(
      `${path} is a GGUF file, quantised as it is, and not trained: leave out loadIn4bit, loadIn8bit and useGradientCheckpointing`,
    );
  const model = await GgufModel.open({ path, modelName, maxSeqLength });
  return { model, tokenizer: model.tokenizer };
}

async function findFolder(modelName: string, options: HubOptions): Promise<string> {
  const bundled = BUNDLED.get(modelName);
  if (bundled) {
    const folder = join(packageRoot, bundled);
    if (existsSync(join(folder, 'config.json'))) return folder;
    throw new Error(
      `the checkpoint of ${modelName} is missing from ${folder}; it is part of the repository, so check the clone`,
    );
  }
  if (existsSync(modelName)) return resolve(modelName);
  if (isHubName(modelName)) return hubModel(modelName, options);
  const bundledNames = [...BUNDLED.keys()].map((name) => `'${name}'`);
  throw new Error(
    `there is no model ${JSON.stringify(modelName)}: modelName is ${bundledNames.join(' or ')}, the folder of a model or ` +
      "adapter, or a model of the hub ('organisation/model')",
  );
}

async function loadModel(
  folder: string,
  { modelName, maxSeqLength, loadIn4bit, loadIn8bit }: FromPretrainedOptions,
): Promise<CausalLM> {
  const quantize = loadIn4bit ? 'nf4' : loadIn8bit ? 'int8' : undefined;
  const { config, weights, quantized } = await loadCheckpoint(folder, { quantize });
  const length = maxSeqLength ?? config.maxPositions;
  if (length > config.maxPositions) {
    const why = config.slidingWindow
      ? `the sliding window of this model (${config.slidingWindow}), which must hold the whole sequence: attention beyond it is not supported`
      : `the model was made for (${config.maxPositions})`;
    throw new Error(`maxSeqLength ${length} is more than ${why}`);
  }
  return new CausalLM({
    config,
    weights,
    quantized,
    folder,
    modelName,
    maxSeqLength: length,
    tokenizer: loadTokenizer(folder),
  });
}

/** Loads an adapter with the base that it names. A relative name is looked for beside the adapter, too. */
async function loadWithAdapter(folder: string, options: FromPretrainedOptions): Promise<PeftModel> {
  const { base_model_name_or_path: base, revision } = readJson(folder, 'adapter_config.json');
  if (typeof base !== 'string')
    throw new Error(`${join(folder, 'adapter_config.json')} does not name its base model (base_model_name_or_path)`);
  // Known before the base is loaded, which may take long.
  adapterFile(folder);
  const beside = resolve(folder, base);
  const isBeside = !BUNDLED.has(base) && !existsSync(base) && existsSync(beside);
  const baseFolder = isBeside
    ? beside
    : await findFolder(base, { token: options.token, revision: typeof revision === 'string' ? revision : undefined });
  finishUpdate(baseFolder);
  const model = await loadModel(baseFolder, { ...options, modelName: base });
  return PeftModel.fromPretrained(model, folder);
}
