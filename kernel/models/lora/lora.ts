import type { Tensor } from '../../onnx/tensor';
import { zeros } from '../../onnx/tensor';
import { TARGET_MODULES } from '../graph/architecture';
import type { ModelConfig } from '../config';
import { describe, isObject } from '../checkpoint/jsonFile';
import { loraTargets } from './loraTargets';
import { seededRandom, type Random } from '../../common/random';

/** Settings of a LoRA adapter, by PEFT's names. */
export interface LoraConfig {
  /** Rank of the update of each weight. */
  r: number;
  /** The update is scaled by loraAlpha / r (by loraAlpha / √r with rslora). */
  loraAlpha: number;
  /** Which linear layers are adapted: ends of their paths such as 'q_proj', a regular expression of whole paths, or 'all-linear'. */
  targetModules: string | string[];
  /** Which of them are not, in the same way. */
  excludeModules: string | string[] | null;
  /** Indices of the blocks to which adapted layers belong; null: all. */
  layersToTransform: number | number[] | null;
  /** Ranks of layers by the ends of their paths (regular expressions), where they differ from `r`. */
  rankPattern: Record<string, number>;
  /** The same for `loraAlpha`. */
  alphaPattern: Record<string, number>;
  useRslora: boolean;
  /** In training, elements of what enters A are left out with this probability, the others scaled up. */
  loraDropout: number;
  /** How a new adapter starts; see {@link createLora}. */
  initLoraWeights: boolean | 'gaussian';
}

/** What settings are where a user gives none: PEFT's defaults, and Unsloth's for rank, alpha and targets. */
export const LORA_DEFAULTS: LoraConfig = {
  r: 16,
  loraAlpha: 16,
  targetModules: TARGET_MODULES,
  excludeModules: null,
  layersToTransform: null,
  rankPattern: {},
  alphaPattern: {},
  useRslora: false,
  loraDropout: 0,
  initLoraWeights: true,
};

/** The update of a weight: B · A · scaling. */
export interface LoraPair {
  /** [r, in]. */
  a: Tensor;
  /** [out, r]. */
  b: Tensor;
  scaling: number;
}

/** A LoRA adapter: trainable low-rank updates of frozen weights. */
export interface LoraAdapter {
  config: LoraConfig;
  /** By the name of the weight that is updated, `model.layers.0.self_attn.q_proj.weight`. */
  pairs: Map<string, LoraPair>;
}

/** Name of a factor in `adapter_model.safetensors`. */
export function peftName(weight: string, factor: 'A' | 'B'): string {
  return `base_model.model.${weight.replace(/weight$/, `lora_${factor}.weight`)}`;
}

/** What the update of a layer is multiplied by. */
export function loraScaling({ r, loraAlpha }: { r: number; loraAlpha: number }, useRslora: boolean): number {
  return useRslora ? loraAlpha / Math.sqrt(r) : loraAlpha / r;
}

/** Far more than any weight has rows or columns. */
const LARGEST_RANK = 2 ** 16;

/** Checks settings as a user or a file gave them; an error names the setting and its valid values. */
export function checkLoraConfig(config: LoraConfig): void {
  const { loraDropout, initLoraWeights, useRslora, layersToTransform: layers } = config;
  for (const [name, value] of settingsOf(config, 'r', 'rankPattern')) {
    const isRank = typeof value === 'number' && Number.isInteger(value) && value >= 1;
    if (!isRank || value > LARGEST_RANK)
      throw new Error(
        `${name} must be a positive integer${isRank ? ` of at most ${LARGEST_RANK}` : ''}, not ${describe(value)}`,
      );
  }
  for (const [name, value] of settingsOf(config, 'loraAlpha', 'alphaPattern')) {
    if (!(typeof value === 'number' && value > 0 && value < Infinity))
      throw new Error(`${name} must be a positive number, not ${describe(value)}`);
  }
  for (const name of ['targetModules', 'excludeModules'] as const) {
    const value: unknown = config[name];
    const isList = Array.isArray(value) && value.every((entry) => typeof entry === 'string');
    if (!isList && typeof value !== 'string' && (value !== null || name === 'targetModules'))
      throw new Error(`${name} must be a list of names or a regular expression, not ${describe(value)}`);
  }
  if (layers !== null && !(Array.isArray(layers) ? layers : [layers]).every((layer) => Number.isSafeInteger(layer))) {
    throw new Error(`layersToTransform must be an index, a list of indices, or null, not ${describe(layers)}`);
  }
  if (typeof useRslora !== 'boolean') throw new Error(`useRslora must be true or false, not ${describe(useRslora)}`);
  if (!(typeof loraDropout === 'number' && loraDropout >= 0 && loraDropout < 1))
    throw new Error(`loraDropout must be a probability from 0 to less than 1, not ${describe(loraDropout)}`);
  if (typeof initLoraWeights !== 'boolean' && initLoraWeights !== 'gaussian') {
    throw new Error(
      `initLoraWeights ${describe(initLoraWeights)} is not supported; use true (A random, B zero), 'gaussian' (A normal, B zero) or false (both random)`,
    );
  }
}

/** A setting and those of its pattern, each with its name and value. */
function settingsOf(
  config: LoraConfig,
  name: 'r' | 'loraAlpha',
  pattern: 'rankPattern' | 'alphaPattern',
): [string, unknown][] {
  const values: unknown = config[pattern];
  if (!isObject(values)) throw new Error(`${pattern} must be an object of numbers by name, not ${describe(values)}`);
  return [
    [name, config[name]],
    ...Object.entries(values).map(([key, value]): [string, unknown] => [`${pattern}[${describe(key)}]`, value]),
  ];
}

/**
 * A new adapter, initialised as PEFT does. `initLoraWeights` true: A uniform
 * (Kaiming, a = √5), B zero, so that it changes nothing yet; 'gaussian': A
 * normal with deviation 1 / r instead; false: B is random like A.
 */
export function createLora(model: ModelConfig, config: LoraConfig, seed: number): LoraAdapter {
  checkLoraConfig(config);
  const pairs = new Map<string, LoraPair>();
  loraTargets(model, config, { strict: true }).forEach((target, index) => {
    const random = seededRandom(seed, index);
    const {
      name,
      r,
      shape: [outputs, inputs],
    } = target;
    const a = zeros([r, inputs]);
    const b = zeros([outputs, r]);
    if (config.initLoraWeights === 'gaussian') fillNormal(a, 1 / r, random);
    else fillUniform(a, 1 / Math.sqrt(inputs), random);
    if (config.initLoraWeights === false) fillUniform(b, 1 / Math.sqrt(r), random);
    pairs.set(name, { a, b, scaling: loraScaling(target, config.useRslora) });
  });
  return { config, pairs };
}

function fillUniform({ data }: Tensor, bound: number, random: Random): void {
  for (let i = 0; i < data.length; i++) data[i] = (2 * random.next() - 1) * bound;
}

/** Box and Muller's way from uniform to normal numbers. */
function fillNormal({ data }: Tensor, deviation: number, random: Random): void {
  for (let i = 0; i < data.length; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
    data[i] = deviation * radius * Math.cos(2 * Math.PI * random.next());
  }
}

/** The weight with its update added, as a new tensor. */
export function mergeLora(weight: Tensor, { a, b, scaling }: LoraPair): Tensor {
  const [outputs, inputs] = weight.shape;
  const rank = a.shape[0];
  const data = new Float32Array(weight.data);
  const row = new Float64Array(inputs);
  for (let o = 0; o < outputs; o++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = b.data[o * rank + k];
      if (factor === 0) continue;
      for (let i = 0, from = k * inputs; i < inputs; i++) row[i] += factor * a.data[from + i];
    }
    for (let i = 0, to = o * inputs; i < inputs; i++) data[to + i] += scaling * row[i];
  }
  return { shape: [outputs, inputs], data };
}
