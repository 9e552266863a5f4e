import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { withProgress } from '../../display/progress/progress';
import { sizeOf, type Tensor } from '../../onnx/tensor';
import { allWeights, HEAD, moduleWeights, type WeightSpec } from '../graph/architecture';
import { parseConfig, tokenIds, type ModelConfig } from '../config';
import { readJsonFile, type JsonObject } from './jsonFile';
import { checkMemory } from '../memory';
import { quantize, type QuantizedFormat, type QuantizedWeight } from './quantization';
import { SafetensorsFile } from './safetensors';
import { namesText, shapeText } from './safetensorsHeader';
import { weightFiles } from './weightFiles';

/** A checkpoint in memory. */
export interface Checkpoint {
  folder: string;
  config: ModelConfig;
  /** Weights by their names in the file; together with `quantized` exactly those of the architecture. */
  weights: Map<string, Tensor>;
  /** Weights that were quantised instead, by the same names. */
  quantized: Map<string, QuantizedWeight>;
}

export interface LoadOptions {
  /** Format of the linear layers of the blocks; float32 by default. */
  quantize?: QuantizedFormat;
}

/**
 * Reads a Hugging Face model folder, tensor by tensor, so that with `quantize` the
 * weights are never together in float32.
 *
 * @throws Error that names what is missing, damaged or of the wrong shape, before any
 *   weight is read
 */
export async function loadCheckpoint(folder: string, { quantize: format }: LoadOptions = {}): Promise<Checkpoint> {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new Error(
      `there is no model folder ${folder}; it should hold config.json, model.safetensors and tokenizer.json`,
    );
  }
  const config = readConfig(folder);
  const checkpoint: Checkpoint = { folder, config, weights: new Map(), quantized: new Map() };
  const toQuantize = new Set(format && moduleWeights(config).map(({ name }) => name));
  const files: SafetensorsFile[] = [];
  try {
    for (const path of weightFiles(folder)) files.push(new SafetensorsFile(path));
    const wanted = allWeights(config);
    const located = locateWeights(files, wanted, config, folder);
    const bytes = wanted.reduce(
      (sum, { name, shape }) => sum + sizeOf(shape) * (toQuantize.has(name) ? BYTES[format!] : 4),
      0,
    );
    checkMemory(
      `${folder}: the model`,
      bytes,
      format === 'nf4' ? 'choose a smaller one' : 'choose a smaller one, or load it with loadIn4bit',
    );
    await withProgress(format ? 'Loading and quantising weights' : 'Loading weights', wanted.length, async (task) => {
      for (const [i, { name }] of wanted.entries()) {
        const tensor = located.get(name)!.read(name);
        if (toQuantize.has(name)) checkpoint.quantized.set(name, quantize(tensor, format!));
        else checkpoint.weights.set(name, tensor);
        task.update(i + 1);
        // Large models take a while: interrupts and timers live.
        await setImmediate();
      }
    });
  } finally {
    for (const file of files) file.close();
  }
  return checkpoint;
}

/** Bytes of one quantised weight. */
const BYTES: Record<QuantizedFormat, number> = { nf4: 0.5625, int8: 1 };

function readConfig(folder: string): ModelConfig {
  const config = parseConfig(readJson(folder, 'config.json'), join(folder, 'config.json'));
  // transformers takes the tokens that end a generation from here, where it exists.
  if (existsSync(join(folder, 'generation_config.json'))) {
    const eos = tokenIds(
      readJson(folder, 'generation_config.json'),
      'eos_token_id',
      join(folder, 'generation_config.json'),
    );
    if (eos.length > 0) config.eosTokenIds = eos;
  }
  return config;
}

/** Reads a JSON file of a model folder. Throws when it is missing or not valid. */
export function readJson(folder: string, name: string): JsonObject {
  const path = join(folder, name);
  if (!existsSync(path)) throw new Error(`${folder} has no ${name}; is it a Hugging Face model folder?`);
  return readJsonFile(path);
}

/** Returns the file of each tensor. Throws when the tensors are not exactly those of the architecture. */
function locateWeights(
  files: readonly SafetensorsFile[],
  wanted: readonly WeightSpec[],
  config: ModelConfig,
  folder: string,
): Map<string, SafetensorsFile> {
  const found = new Map(
    files.flatMap((file) => [...file.shapes.keys()].map((name): [string, SafetensorsFile] => [name, file])),
  );
  for (const { name, shape } of wanted) {
    const actual = found.get(name)?.shapes.get(name);
    if (!actual) {
      throw new Error(
        `${folder}: the checkpoint has no tensor "${name}"; it is incomplete, or config.json does not belong to it`,
      );
    }
    if (actual.join() !== shape.join()) {
      throw new Error(
        `${folder}: tensor "${name}" has shape ${shapeText(actual)}, config.json wants ${shapeText(shape)}`,
      );
    }
  }
  const names = new Set(wanted.map(({ name }) => name));
  const extra = [...found.keys()].filter((name) => !names.has(name) && !isRedundant(name, config));
  if (extra.length > 0) {
    throw new Error(`${folder}: the checkpoint has tensors that this architecture does not use: ${namesText(extra)}`);
  }
  return found;
}

/** Returns whether a tensor may be ignored: a tied head that is stored twice, or a rotary table of old files. */
function isRedundant(name: string, config: ModelConfig): boolean {
  return name.endsWith('rotary_emb.inv_freq') || (name === HEAD && config.tiedEmbeddings);
}
