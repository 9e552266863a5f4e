import type { Tensor } from '../onnx/tensor';
import { zeros } from '../onnx/tensor';
import { TARGET_MODULES, moduleWeights } from './architecture';
import type { ModelConfig } from './config';
import { seededRandom } from './random';

/** Settings of a LoRA adapter, by PEFT's names. */
export interface LoraConfig {
  /** Rank of the update of each weight. */
  r: number;
  /** The update is scaled by loraAlpha / r (by loraAlpha / √r with rslora). */
  loraAlpha: number;
  /** Which linear layers are adapted, such as 'q_proj'. */
  targetModules: string[];
  useRslora: boolean;
}

/** The two factors of a weight's update, B · A · scaling. */
export interface LoraPair {
  /** [r, in]. */
  a: Tensor;
  /** [out, r]. */
  b: Tensor;
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

/** What the update is multiplied by. */
export function loraScaling({ r, loraAlpha, useRslora }: LoraConfig): number {
  return useRslora ? loraAlpha / Math.sqrt(r) : loraAlpha / r;
}

/** Checks settings as a user gave them; an error names the setting and its valid values. */
export function checkLoraConfig(config: LoraConfig): void {
  if (!Number.isInteger(config.r) || config.r < 1) throw new Error(`r must be a positive integer, not ${config.r}`);
  if (!(config.loraAlpha > 0)) throw new Error(`loraAlpha must be a positive number, not ${config.loraAlpha}`);
  const unknown = config.targetModules.filter((module) => !TARGET_MODULES.includes(module));
  if (unknown.length > 0 || config.targetModules.length === 0) {
    throw new Error(`targetModules: ${unknown.length > 0 ? `unknown ${unknown.join(', ')}` : 'empty'}; valid are ${TARGET_MODULES.join(', ')}`);
  }
}

/** A new adapter, initialised as PEFT does: A uniform (Kaiming, a = √5), B zero, so that it changes nothing yet. */
export function createLora(model: ModelConfig, config: LoraConfig, seed: number): LoraAdapter {
  checkLoraConfig(config);
  const pairs = new Map<string, LoraPair>();
  moduleWeights(model, config.targetModules).forEach(({ name, shape: [outputs, inputs] }, index) => {
    const random = seededRandom(seed, index);
    const bound = 1 / Math.sqrt(inputs);
    const a = zeros([config.r, inputs]);
    for (let i = 0; i < a.data.length; i++) a.data[i] = (2 * random.next() - 1) * bound;
    pairs.set(name, { a, b: zeros([outputs, config.r]) });
  });
  return { config, pairs };
}

/** The weight with its update added, as a new tensor. */
export function mergeLora(weight: Tensor, { a, b }: LoraPair, scaling: number): Tensor {
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
