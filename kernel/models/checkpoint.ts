import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '../onnx/tensor';
import { allWeights, HEAD, type WeightSpec } from './architecture';
import { parseConfig, tokenIds, type ModelConfig } from './config';
import { readSafetensors } from './safetensors';

/** A checkpoint in memory. */
export interface Checkpoint {
  folder: string;
  config: ModelConfig;
  /** By the names of the file, exactly those that the architecture has. */
  weights: Map<string, Tensor>;
}

/** Reads a Hugging Face model folder. Whatever is missing, damaged or of the wrong shape is named. */
export function loadCheckpoint(folder: string): Checkpoint {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new Error(`there is no model folder ${folder}; it should hold config.json, model.safetensors and tokenizer.json`);
  }
  const config = readConfig(folder);
  const weights = selectWeights(readWeights(folder), allWeights(config), config, folder);
  return { folder, config, weights };
}

function readConfig(folder: string): ModelConfig {
  const config = parseConfig(readJson(folder, 'config.json'), join(folder, 'config.json'));
  // transformers takes the tokens that end a generation from here, where it exists.
  if (existsSync(join(folder, 'generation_config.json'))) {
    const eos = tokenIds(readJson(folder, 'generation_config.json').eos_token_id);
    if (eos.length > 0) config.eosTokenIds = eos;
  }
  return config;
}

/** Parses a JSON file of a model folder. */
export function readJson(folder: string, name: string): Record<string, unknown> {
  const path = join(folder, name);
  if (!existsSync(path)) throw new Error(`${folder} has no ${name}; is it a Hugging Face model folder?`);
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`${path} is not valid JSON: ${(error as Error).message}`);
  }
}

/** All tensors of `model.safetensors`, or of the files that `model.safetensors.index.json` lists. */
function readWeights(folder: string): Map<string, Tensor> {
  const single = join(folder, 'model.safetensors');
  if (existsSync(single)) return readSafetensors(single);
  const index = 'model.safetensors.index.json';
  if (!existsSync(join(folder, index))) {
    throw new Error(`${folder} has neither model.safetensors nor ${index}; save the model with safe_serialization=True`);
  }
  const files = new Set(Object.values(readJson(folder, index).weight_map as Record<string, string>));
  const weights = new Map<string, Tensor>();
  for (const file of files) {
    const path = join(folder, file);
    if (!existsSync(path)) throw new Error(`${path}, which ${index} lists, is missing; fetch the model again`);
    for (const [name, tensor] of readSafetensors(path)) weights.set(name, tensor);
  }
  return weights;
}

/** The tensors that the architecture has, checked. */
function selectWeights(
  found: ReadonlyMap<string, Tensor>,
  wanted: readonly WeightSpec[],
  config: ModelConfig,
  folder: string,
): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const { name, shape } of wanted) {
    const tensor = found.get(name);
    if (!tensor) {
      throw new Error(`${folder}: the checkpoint has no tensor "${name}"; it is incomplete, or config.json does not belong to it`);
    }
    if (tensor.shape.join() !== shape.join()) {
      throw new Error(`${folder}: tensor "${name}" has shape [${tensor.shape.join(', ')}], config.json wants [${shape.join(', ')}]`);
    }
    weights.set(name, tensor);
  }
  const extra = [...found.keys()].filter((name) => !weights.has(name) && !isRedundant(name, config));
  if (extra.length > 0) {
    const names = extra.slice(0, 4).join(', ') + (extra.length > 4 ? ' …' : '');
    throw new Error(`${folder}: the checkpoint has tensors that this architecture does not use: ${names}`);
  }
  return weights;
}

/** A tied head may be stored a second time, and old files carry rotary tables. */
function isRedundant(name: string, config: ModelConfig): boolean {
  return name.endsWith('rotary_emb.inv_freq') || (name === HEAD && config.tiedEmbeddings);
}
