import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  because,
  checked,
  checkSettings,
  flag,
  nullable,
  oneOf,
  resolveSettings,
  text,
  whole,
  type Declaration,
  type Given,
} from '../common/settings';
import { packageRoot } from '../common/packagePaths';
import { sshAddress, type SshAddress } from '../common/sshAddress';
import { backendSettings, chooseBackend, notHonoured } from './backend';
import { TARGET_MODULES } from './graph/architecture';
import { loadCheckpoint, readJson } from './checkpoint/checkpoint';
import { CausalLM } from './causalLM';
import { sequenceLength } from './config';
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
   * 64, 4.5 bits per weight. Embedding, norms and head stay float32, and so does all arithmetic. In a worker
   * bitsandbytes does it, with the experts of a mixture, too, and the rest has `dtype`. `false` by default.
   */
  loadIn4bit: flag(false),
  /** The same in 8 bits: whole multiples of 1/127 of each row's largest magnitude. Experts of a mixture stay as they are. `false` by default. */
  loadIn8bit: flag(false),
  /** Computes activations again in training instead of holding them, see `GRPOConfig.gradientCheckpointing`; 'unsloth' means `true`. As the trainer says by default. */
  useGradientCheckpointing: checkpointing,
};

/** The model to load. */
export interface FromPretrainedOptions
  extends Required<Pick<Given<typeof loadingSettings>, 'modelName'>>,
    Omit<Given<typeof loadingSettings>, 'modelName'>,
    Given<typeof backendSettings>,
    HubOptions {}

const adapterSettings = {
  /** Biases to train. 'none' by default, which alone is supported. */
  bias: oneOf('none', ['none']),
  /**
   * Parameters to adapt that are no linear layers: the experts of a mixture, such as 'mlp.experts.gate_up_proj' (`trl`,
   * `unsloth`). `null` by default: none.
   */
  targetParameters: nullable(
    checked<string[], null>(
      null,
      "a list of names, such as ['mlp.experts.gate_up_proj']",
      (v) => Array.isArray(v) && v.every((name) => typeof name === 'string'),
    ),
  ),
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
  settings: { ...loadingSettings, ...backendSettings, ...hubOptions },
  elsewhere: {
    torchDtype: 'it is called dtype',
    ...because('give loadIn4bit or loadIn8bit, or neither', ['quantizationConfig', 'loadIn16bit']),
    ...because('where a model is follows from backend; give what is particular to one in modelInitKwargs', [
      'deviceMap',
      'device',
      'fastInference',
      'gpuMemoryUtilization',
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
    const ssh = sshAddress(options.backend);
    if (ssh && !isHere(options.modelName)) {
      const model = await loadThere(ssh, options);
      return { model, tokenizer: model.tokenizer };
    }
    const gguf = await findGguf(options);
    if (gguf) return openGguf(gguf, options);
    const folder = await findFolder(options.modelName, options);
    finishUpdate(folder);
    const hasAdapter = existsSync(join(folder, 'adapter_config.json'));
    const found = hasAdapter ? await baseOf(folder, options) : { folder, modelName: options.modelName };
    const backend = await chooseBackend(found.folder, options);
    const model =
      backend !== 'onnx'
        ? await loadInWorker(backend, found, hasAdapter ? folder : null, options)
        : hasAdapter
          ? await loadWithAdapter(folder, found, options)
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
    const { bias, randomState, useGradientCheckpointing, targetParameters, ...config } = resolveSettings(
      peftDeclaration,
      options,
    );
    if (model instanceof GgufModel) throw new Error(model.whyNotHere);
    if (model instanceof PeftModel)
      throw new Error('the model has an adapter already; call getPeftModel with the model that fromPretrained gave');
    const { adapted, isInWorker } = inWorker();
    if (isInWorker(model) && !(model instanceof PeftModel)) {
      const gradientCheckpointing = useGradientCheckpointing ?? (model.isGradientCheckpointing || undefined);
      const peft = adapted(model, { ...config, targetParameters }, { randomState, gradientCheckpointing });
      setGradientCheckpointing(peft, useGradientCheckpointing);
      return peft;
    }
    if (targetParameters) throw new TypeError(notHonoured('targetParameters', ['trl', 'unsloth'], 'onnx'));
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

/** Settings that a GGUF file has no use for. */
const NOT_OF_GGUF = ['loadIn4bit', 'loadIn8bit', 'useGradientCheckpointing', ...Object.keys(backendSettings)] as const;

async function openGguf(
  path: string,
  options: FromPretrainedOptions,
): Promise<{ model: CausalLM; tokenizer: Tokenizer }> {
  const { modelName, maxSeqLength } = options;
  const isSaid = (name: string) => {
    const value = options[name as keyof FromPretrainedOptions];
    return value && !['auto', 'onnx', 'pretrained'].includes(value as string);
  };
  const said = NOT_OF_GGUF.filter(isSaid);
  if (said.length > 0)
    throw new Error(
      `${path} is a GGUF file, which llama.cpp runs in this process, quantised as it is, and not trained: leave out ${said.join(', ')}`,
    );
  const model = await GgufModel.open({ path, modelName, maxSeqLength });
  return { model, tokenizer: model.tokenizer };
}

function isHere(modelName: string): boolean {
  return BUNDLED.has(modelName) || existsSync(modelName);
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
  return new CausalLM({
    config,
    weights,
    quantized,
    folder,
    modelName,
    maxSeqLength: sequenceLength(maxSeqLength, config),
    tokenizer: loadTokenizer(folder),
  });
}

/** Where a model is, and what it is called. */
interface Found {
  folder: string;
  modelName: string;
  /** Folder of another machine that has the weights. */
  there?: string;
}

/** An adapter names its base; a relative name is looked for beside the adapter, too. */
async function baseOf(folder: string, options: FromPretrainedOptions): Promise<Found> {
  const { base_model_name_or_path: base, revision } = readJson(folder, 'adapter_config.json');
  if (typeof base !== 'string')
    throw new Error(`${join(folder, 'adapter_config.json')} does not name its base model (base_model_name_or_path)`);
  // Known before the base is loaded, which may take long.
  adapterFile(folder);
  const beside = resolve(folder, base);
  const isBeside = !BUNDLED.has(base) && !existsSync(base) && existsSync(beside);
  const ssh = sshAddress(options.backend);
  const ofBase = typeof revision === 'string' ? revision : undefined;
  if (ssh && !isBeside && !isHere(base))
    return findThere(ssh, { modelName: base, token: options.token, revision: ofBase });
  const baseFolder = isBeside ? beside : await findFolder(base, { token: options.token, revision: ofBase });
  finishUpdate(baseFolder);
  return { folder: baseFolder, modelName: base };
}

async function loadWithAdapter(folder: string, base: Found, options: FromPretrainedOptions): Promise<PeftModel> {
  const model = await loadModel(base.folder, { ...options, modelName: base.modelName });
  return PeftModel.fromPretrained(model, folder);
}

/** Loads a model of another machine, or of the hub, which downloads to that machine. */
async function loadThere(ssh: SshAddress, options: FromPretrainedOptions): Promise<CausalLM> {
  const { modelName, ggufFile, revision, token } = options;
  if (ggufFile || modelName.endsWith('.gguf'))
    throw new Error(`${ggufFile ?? modelName} is a GGUF file, which llama.cpp runs in this process: leave out backend`);
  const backend = (await chooseBackend('', options)) as 'trl' | 'unsloth';
  const found = await findThere(ssh, { modelName, revision, token });
  const model = found.isAdapter
    ? await loadInWorker(backend, await baseOf(found.folder, options), found.folder, options)
    : await loadInWorker(backend, found, null, options);
  setGradientCheckpointing(model, options.useGradientCheckpointing);
  return model;
}

function findThere(ssh: SshAddress, wanted: { modelName: string; revision?: string; token?: string }) {
  // An engine in another process is loaded only where a model is in it.
  const remote = require('../engines/trl/remote/open') as typeof import('../engines/trl/remote/open');
  return remote.findThere(ssh, wanted);
}

async function loadInWorker(
  backend: 'trl' | 'unsloth',
  { folder, modelName, there }: Found,
  adapter: string | null,
  { maxSeqLength, loadIn4bit = false, loadIn8bit = false, launch, ...options }: FromPretrainedOptions,
): Promise<CausalLM> {
  // An engine in another process is loaded only where a model is in it.
  const { openInWorker } = require('../engines/trl/open') as typeof import('../engines/trl/open');
  const { attnImplementation, modelInitKwargs } = options;
  return openInWorker({
    backend,
    folder,
    there,
    modelName,
    adapter,
    maxSeqLength,
    loadIn4bit,
    loadIn8bit,
    dtype: options.dtype ?? null,
    initWeights: options.initWeights ?? 'pretrained',
    seed: options.initSeed ?? 3407,
    passedOn: { ...(attnImplementation && { attn_implementation: attnImplementation }), ...modelInitKwargs },
    launch: {
      numProcesses: launch?.numProcesses ?? 1,
      configFile: launch?.configFile ?? null,
      ssh: sshAddress(options.backend),
    },
  });
}

/** An engine in another process, whose models extend those of this folder. */
function inWorker(): typeof import('../engines/trl/model') {
  return require('../engines/trl/model');
}
