import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { because, number, oneOf, resolveSettings, type Declaration, type Given } from '../../common/settings';
import { sizeOf, type Tensor } from '../../onnx/tensor';
import { allWeights } from '../graph/architecture';
import type { CausalLM } from '../causalLM';
import { peftName } from '../lora/lora';
import type { PeftModel } from '../lora/peft';
import { readJson } from './checkpoint';
import { FolderUpdate } from './folderUpdate';
import { SafetensorsWriter, WEIGHT_BYTES, type TensorSpec, type WeightType } from './safetensors';
import { changeSettings } from './settingsFile';
import { belongsTo, INDEX } from './weightFiles';

const settings = {
  /** Type of the weights in the file. 'float32' by default. */
  dtype: oneOf('float32', Object.keys(WEIGHT_BYTES) as WeightType[]),
  /**
   * Unsloth's name of what is saved: 'merged_16bit' is the whole model, its weights bfloat16 unless `dtype` is given;
   * 'mxfp4' is the same with the experts as gpt-oss's makers save them, about 4 bits a weight (gpt-oss; `trl`, `unsloth`).
   */
  saveMethod: oneOf(undefined, ['merged_16bit', 'mxfp4']),
  /** Weights of more bytes than this are split over several files, as transformers does. 5,000,000,000 by default. */
  maxShardSize: number(5e9, { above: 0, note: 'in bytes' }),
};

/** Options of a saved model. */
export interface SaveOptions extends Given<typeof settings> {}

/** The options of `model.savePretrainedMerged`. */
export const saveDeclaration: Declaration<typeof settings> = {
  owner: 'savePretrainedMerged',
  noun: 'option',
  example: "{ dtype: 'float16' }",
  settings,
  elsewhere: because("give dtype: 'float32', 'float16' or 'bfloat16'", ['torchDtype']),
};

/** Refuses a method for a model, which a folder describes, that has none of its weights. */
export function checkMethod({ saveMethod }: SaveOptions, folder: string): void {
  if (saveMethod !== 'mxfp4') return;
  const { model_type: family } = readJson(folder, 'config.json');
  if (family === 'gpt_oss') return;
  throw new TypeError(
    `savePretrainedMerged: saveMethod 'mxfp4' is for the experts of gpt-oss, and this model is of the family ${family}: ` +
      "save it with saveMethod: 'merged_16bit', or for llama.cpp with savePretrainedGguf and quantizationMethod: 'q8_0'",
  );
}

/** Files beside the weights that belong to a model and are copied unchanged. */
const COMPANIONS = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
  'chat_template.jinja',
  'chat_template.json',
  'generation_config.json',
];

/** Companions that have been read as JSON: they hold settings, wherever links lead. */
const SETTINGS = new Set(['tokenizer.json', 'tokenizer_config.json', 'generation_config.json']);

/**
 * Returns the companions that a model's folder has. Links that lead out of the folder
 * are left out with a warning: in a folder from elsewhere they may lead to a secret.
 */
export function companionsOf(folder: string): string[] {
  const there = COMPANIONS.filter((name) => existsSync(join(folder, name)));
  return there.filter((name) => {
    const path = join(folder, name);
    const isOwn = SETTINGS.has(name) || belongsTo(path, folder, join(folder, 'config.json'));
    if (!isOwn)
      console.warn(
        `${path} is a link to another folder and is not saved with the model; to save it, put the file in its place.`,
      );
    return isOwn;
  });
}

/** Writes a Hugging Face model folder: configuration, weights with the adapter merged, tokenizer. */
export async function saveModel(model: CausalLM, folder: string, options: SaveOptions): Promise<void> {
  const { maxShardSize, ...resolved } = resolveSettings(saveDeclaration, options);
  checkMethod(options, model.folder);
  const dtype = options.saveMethod && !options.dtype ? 'bfloat16' : resolved.dtype;
  const shards = shard(allWeights(model.config), dtype, maxShardSize);
  await FolderUpdate.run(folder, async (update) => {
    for (const { file, tensors } of shards) {
      await update.stream(file, (path) => writeShard(path, tensors, dtype, (name) => model.mergedWeight(name)));
    }
    update.text('config.json', changedConfig(model, { dtype }));
    if (shards.length > 1) update.json(INDEX, weightIndex(shards, dtype));
    update.copy(model.folder, companionsOf(model.folder));
    update.removeOthers(/^model(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/);
  });
}

/** Returns the text of the model's `config.json` with some settings changed. */
export function changedConfig(model: CausalLM, changes: Record<string, unknown>): string {
  return changeSettings(readFileSync(join(model.folder, 'config.json'), 'utf8'), {
    torch_dtype: undefined,
    ...changes,
  });
}

/** Writes a PEFT adapter folder. */
export async function saveAdapter(model: PeftModel, folder: string): Promise<void> {
  const { config, pairs } = model.adapter;
  const tensors = new Map<string, Tensor>();
  for (const [name, { a, b }] of pairs) {
    tensors.set(peftName(name, 'A'), a);
    tensors.set(peftName(name, 'B'), b);
  }
  const specs = Array.from(tensors, ([name, { shape }]) => ({ name, shape }));
  await FolderUpdate.run(folder, async (update) => {
    await update.stream('adapter_model.safetensors', (path) =>
      writeShard(path, specs, 'float32', (name) => tensors.get(name)!),
    );
    update.json('adapter_config.json', {
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      base_model_name_or_path: model.modelName,
      r: config.r,
      lora_alpha: config.loraAlpha,
      lora_dropout: config.loraDropout,
      use_rslora: config.useRslora,
      target_modules: config.targetModules,
      exclude_modules: config.excludeModules,
      layers_to_transform: config.layersToTransform,
      rank_pattern: config.rankPattern,
      alpha_pattern: config.alphaPattern,
      bias: 'none',
      fan_in_fan_out: false,
      init_lora_weights: config.initLoraWeights,
      inference_mode: true,
    });
  });
}

interface Shard {
  file: string;
  tensors: TensorSpec[];
}

/** Returns tensors in their order, split over files of at most `maxShardSize` bytes. */
function shard(tensors: readonly TensorSpec[], dtype: WeightType, maxShardSize: number): Shard[] {
  const groups: TensorSpec[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const bytes = sizeOf(tensor.shape) * WEIGHT_BYTES[dtype];
    if (groups.length === 0 || bytes > room) {
      groups.push([]);
      room = maxShardSize;
    }
    groups[groups.length - 1].push(tensor);
    room -= bytes;
  }
  const number = (value: number) => String(value).padStart(5, '0');
  return groups.map((tensors, i) => ({
    file: groups.length === 1 ? 'model.safetensors' : `model-${number(i + 1)}-of-${number(groups.length)}.safetensors`,
    tensors,
  }));
}

function weightIndex(shards: readonly Shard[], dtype: WeightType): object {
  const parameters = shards.flatMap(({ tensors }) => tensors).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return {
    metadata: { total_parameters: parameters, total_size: parameters * WEIGHT_BYTES[dtype] },
    weight_map: Object.fromEntries(shards.flatMap(({ file, tensors }) => tensors.map(({ name }) => [name, file]))),
  };
}

async function writeShard(
  path: string,
  tensors: readonly TensorSpec[],
  dtype: WeightType,
  read: (name: string) => Tensor,
): Promise<void> {
  const writer = new SafetensorsWriter(path, tensors, dtype);
  let start = Date.now();
  try {
    for (const { name } of tensors) {
      writer.write(read(name).data);
      // Large models take a while: interrupts and timers live. Small ones are written at once.
      if (Date.now() - start < 100) continue;
      await setImmediate();
      start = Date.now();
    }
  } catch (error) {
    writer.abandon();
    throw error;
  }
  writer.close();
}
