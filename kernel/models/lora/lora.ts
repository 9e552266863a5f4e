import {
  checked,
  checkValues,
  flag,
  nullable,
  number,
  oneOf,
  whole,
  type Resolved,
  type Setting,
} from '../../common/settings';
import type { Tensor } from '../../onnx/tensor';
import { zeros } from '../../onnx/tensor';
import { TARGET_MODULES } from '../graph/architecture';
import type { ModelConfig } from '../config';
import { isObject } from '../checkpoint/jsonFile';
import { loraTargets } from './loraTargets';
import { seededRandom, type Random } from '../../common/random';

/** Largest rank, far above the rows or columns of any weight. */
const LARGEST_RANK = 2 ** 16;

const names = 'a list of names, or a regular expression';
const isListOf = (v: unknown, type: 'string' | 'number') =>
  Array.isArray(v) && v.every((entry) => typeof entry === type);
const isNames = (v: unknown) => typeof v === 'string' || isListOf(v, 'string');

const rank = whole(16, { from: 1, to: LARGEST_RANK });
const alpha = number(16, { above: 0 });

/** Returns a setting for values of some layers, by the ends of their paths. */
function pattern({ valid, accepts }: Setting<number>): Setting<Record<string, number>, Record<string, number>> {
  return checked(
    {},
    `an object that gives ${valid} to names of layers`,
    (v) => isObject(v) && Object.values(v).every(accepts),
  );
}

/** Settings of a LoRA adapter, by PEFT's names; its defaults, and Unsloth's for rank, alpha and targets. */
export const loraSettings = {
  /** Rank of the update of each weight. 16 by default. */
  r: rank,
  /** The update is scaled by loraAlpha / r (by loraAlpha / √r with `useRslora`). 16 by default. */
  loraAlpha: alpha,
  /**
   * Linear layers to adapt: names such as 'q_proj' or 'layers.0.mlp.up_proj', 'all-linear', or a regular expression that
   * is to match whole paths ('.*\\.(q|v)_proj'). All seven of a block by default.
   */
  targetModules: checked<string | string[], string[]>(TARGET_MODULES, names, isNames),
  /** Layers not to adapt, by names or a regular expression. `null` by default: none. */
  excludeModules: nullable(checked<string | string[], null>(null, names, isNames)),
  /** Indices of the blocks to adapt. `null` by default: all. */
  layersToTransform: nullable(
    checked<number | number[], null>(null, 'an index, a list of indices', (v) =>
      [v].flat().every(Number.isSafeInteger),
    ),
  ),
  /** Ranks of some layers, by name or by a regular expression of the end of their path: `{ 'layers.0.*q_proj': 32 }`. `{}` by default. */
  rankPattern: pattern(rank),
  /** The same for `loraAlpha`. `{}` by default. */
  alphaPattern: pattern(alpha),
  /** Scales by loraAlpha / √r instead. `false` by default. */
  useRslora: flag(false),
  /** Probability of dropout of the adapter's input in training. 0 by default. */
  loraDropout: number(0, { from: 0, below: 1 }),
  /** Initial values of an adapter. `true`: A random, B zero; 'gaussian': A normal with deviation 1 / r, B zero; `false`: both random. `true` by default. */
  initLoraWeights: oneOf(true, [true, false, 'gaussian']),
};

/** Settings of a LoRA adapter, by PEFT's names. */
export type LoraConfig = Resolved<typeof loraSettings>;

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
  /** Updates by the name of the weight, `model.layers.0.self_attn.q_proj.weight`. */
  pairs: Map<string, LoraPair>;
}

/** Returns the name of a factor in `adapter_model.safetensors`. */
export function peftName(weight: string, factor: 'A' | 'B'): string {
  return `base_model.model.${weight.replace(/weight$/, `lora_${factor}.weight`)}`;
}

/** Returns the factor of a layer's update. */
export function loraScaling({ r, loraAlpha }: { r: number; loraAlpha: number }, useRslora: boolean): number {
  return useRslora ? loraAlpha / Math.sqrt(r) : loraAlpha / r;
}

/**
 * Returns a new adapter, initialised as in PEFT. `initLoraWeights` true: A uniform
 * (Kaiming, a = √5), B zero, so that it changes nothing yet; 'gaussian': A normal with
 * deviation 1 / r instead; false: B is random like A.
 */
export function createLora(model: ModelConfig, config: LoraConfig, seed: number): LoraAdapter {
  checkValues('', loraSettings, config);
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

/** Fills a tensor with normally distributed numbers (Box and Muller). */
function fillNormal({ data }: Tensor, deviation: number, random: Random): void {
  for (let i = 0; i < data.length; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
    data[i] = deviation * radius * Math.cos(2 * Math.PI * random.next());
  }
}

/** Returns a weight [out, in] with its update added, as a new tensor. */
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
