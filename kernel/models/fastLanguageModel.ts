import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageRoot } from '../setup/python';
import { TARGET_MODULES } from './architecture';
import { loadCheckpoint, readJson } from './checkpoint';
import { CausalLM } from './causalLM';
import { finishUpdate } from './folderUpdate';
import { findGguf } from './gguf/find';
import { GgufModel } from './gguf/model';
import { hubModel, isHubName, type HubOptions } from './hub';
import { createLora, LORA_DEFAULTS, type LoraConfig } from './lora';
import { adapterFile, PeftModel } from './peft';
import { because, checkOptions, type OptionTable } from './options';
import { loadTokenizer, type Tokenizer } from './tokenizer';

/** Which model to load. */
export interface FromPretrainedOptions extends HubOptions {
  /**
   * A folder, or a model of the Hugging Face hub ('organisation/model'), which is downloaded into the hub's cache when it
   * is not there: a model, or a PEFT adapter (then its base is loaded, too). 'joylab/strategist' comes with Joylab.
   * A GGUF file, or a folder or model of the hub with `ggufFile`, is run by llama.cpp: it generates, and is not trained.
   */
  modelName: string;
  /** A GGUF file of the folder or of the model of the hub, such as 'model-Q4_K_M.gguf'; of several files any. */
  ggufFile?: string;
  /** Longest sequence, prompt and completion together, in tokens; by default what the model was made for, or its sliding window. */
  maxSeqLength?: number;
  /**
   * Holds the weights of the linear layers in 4 bits, for training an adapter (QLoRA): bitsandbytes' NF4 in blocks of
   * 64, 4.5 bits per weight. Embedding, norms and head stay float32, and so does all arithmetic. False by default.
   */
  loadIn4bit?: boolean;
  /** The same in 8 bits: whole multiples of 1/127 of each row's largest magnitude. False by default. */
  loadIn8bit?: boolean;
  /** Whether training computes activations again instead of holding them, see `GRPOConfig.gradientCheckpointing`; 'unsloth' means true. False by default. */
  useGradientCheckpointing?: boolean | 'unsloth';
}

/** How a LoRA adapter is made, by PEFT's names. */
export interface PeftOptions {
  /** Rank; 16 by default. */
  r?: number;
  /** The update is scaled by loraAlpha / r; 16 by default. */
  loraAlpha?: number;
  /**
   * Linear layers to adapt, all seven of a block by default: names such as 'q_proj' or 'layers.0.mlp.up_proj',
   * 'all-linear', or a regular expression that is to match whole paths ('.*\\.(q|v)_proj').
   */
  targetModules?: string | string[];
  /** Layers not to adapt, by names or a regular expression. */
  excludeModules?: string | string[];
  /** Indices of the blocks to adapt; all by default. */
  layersToTransform?: number | number[];
  /** Ranks of some layers, by name or by a regular expression of the end of their path: `{ 'layers.0.*q_proj': 32 }`. */
  rankPattern?: Record<string, number>;
  /** The same for `loraAlpha`. */
  alphaPattern?: Record<string, number>;
  /** true, the default: A random, B zero; 'gaussian': A normal with deviation 1 / r, B zero; false: both random. */
  initLoraWeights?: boolean | 'gaussian';
  /** In training, elements of what enters the adapter are left out with this probability, the others scaled up; 0 by default. */
  loraDropout?: number;
  /** Only 'none', the default, is supported. */
  bias?: string;
  /** Scale by loraAlpha / √r instead. */
  useRslora?: boolean;
  /** Seed of the initial values; 3407 by default. */
  randomState?: number;
  /** Whether training computes activations again instead of holding them; 'unsloth' means true. As the model was loaded by default. */
  useGradientCheckpointing?: boolean | 'unsloth';
}

const fromPretrainedTable: OptionTable = {
  owner: 'fromPretrained',
  example: "{ modelName: 'joylab/strategist' }",
  names: {
    modelName: true,
    ggufFile: true,
    maxSeqLength: true,
    loadIn4bit: true,
    loadIn8bit: true,
    useGradientCheckpointing: true,
    revision: true,
    token: true,
  } satisfies Record<keyof FromPretrainedOptions, true>,
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

const peftTable: OptionTable = {
  owner: 'getPeftModel',
  example: '{ r: 16, loraAlpha: 32 }',
  names: {
    r: true,
    loraAlpha: true,
    targetModules: true,
    excludeModules: true,
    layersToTransform: true,
    rankPattern: true,
    alphaPattern: true,
    initLoraWeights: true,
    loraDropout: true,
    bias: true,
    useRslora: true,
    randomState: true,
    useGradientCheckpointing: true,
  } satisfies Record<keyof PeftOptions, true>,
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
    checkOptions(fromPretrainedTable, options);
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

  /** The model with a new LoRA adapter, which is what training will change. The weights are shared, not copied. */
  getPeftModel(model: CausalLM, options: PeftOptions = {}): PeftModel {
    checkOptions(peftTable, options);
    const { randomState = 3407 } = options;
    if (options.bias && options.bias !== 'none')
      throw new Error(`bias ${JSON.stringify(options.bias)} is not supported; use 'none'`);
    if (model instanceof GgufModel) throw new Error(model.whyNotTrained);
    if (model instanceof PeftModel)
      throw new Error('the model has an adapter already; call getPeftModel with the model that fromPretrained gave');
    const peft = new PeftModel(model, createLora(model.config, loraConfig(options), randomState));
    setGradientCheckpointing(peft, options.useGradientCheckpointing);
    return peft;
  },
};

function setGradientCheckpointing(model: CausalLM, wanted: boolean | 'unsloth' | undefined): void {
  if (wanted === undefined) return;
  if (typeof wanted !== 'boolean' && wanted !== 'unsloth') {
    throw new TypeError(
      `useGradientCheckpointing is ${JSON.stringify(wanted)}. Valid: true, false, or 'unsloth' (which means true).`,
    );
  }
  if (wanted) model.gradientCheckpointingEnable();
  else model.gradientCheckpointingDisable();
}

/** The settings of an adapter, defaults filled in. */
function loraConfig(options: PeftOptions): LoraConfig {
  const names = Object.keys(LORA_DEFAULTS) as (keyof LoraConfig)[];
  const config = Object.fromEntries(
    names.map((name) => [name, options[name] ?? LORA_DEFAULTS[name]]),
  ) as unknown as LoraConfig;
  const { targetModules } = config;
  // 'all-linear' is written out, as PEFT does when it saves.
  return {
    ...config,
    targetModules:
      targetModules === 'all-linear'
        ? [...TARGET_MODULES]
        : Array.isArray(targetModules)
          ? [...targetModules]
          : targetModules,
  };
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
  if (!Number.isInteger(length) || length < 2)
    throw new Error(`maxSeqLength must be an integer of at least 2, not ${maxSeqLength}`);
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

/** An adapter names its base; a relative name is looked for beside the adapter, too. */
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
