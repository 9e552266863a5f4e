import { readJson } from '../checkpoint/checkpoint';
import type { ModelConfig } from '../config';
import { COMMON, FAMILIES } from '../families';
import { isObject, type JsonObject } from '../checkpoint/jsonFile';
import type { RopeSettings } from '../graph/rope';
import type { Architecture } from './architectures';
import { f32, text, u32, type Setting } from './types';

/** Settings of a GGUF file for a model's shape, and the factors of its rotary embedding where each pair has its own. */
export interface ModelSettings {
  settings: Map<string, Setting>;
  pairFactors: Float32Array | null;
}

/** Returns a model's `config.json` with absent settings filled in. */
export function filledConfig(folder: string): JsonObject & { model_type: string } {
  const raw = readJson(folder, 'config.json') as JsonObject & { model_type: string };
  return { ...COMMON, ...FAMILIES.get(raw.model_type)?.defaults, ...raw };
}

/** Returns the settings of a GGUF file for a model. Throws when llama.cpp would compute something else. */
export function modelSettings(raw: JsonObject, config: ModelConfig, architecture: Architecture): ModelSettings {
  check(raw, config, architecture);
  const { name, isSliding } = architecture;
  const settings = new Map<string, Setting>();
  const set = (key: string, setting: Setting) => settings.set(`${name}.${key}`, setting);
  const window = isSliding ? Number(raw.sliding_window) : null;
  set('block_count', u32(config.numLayers));
  // Beyond a window that llama.cpp does not have the model would be another one.
  set('context_length', u32(window ? Number(raw.max_position_embeddings) : config.maxPositions));
  set('embedding_length', u32(config.hiddenSize));
  set('feed_forward_length', u32(config.intermediateSize));
  set('attention.head_count', u32(config.numHeads));
  set('attention.head_count_kv', u32(config.numKeyValueHeads));
  set('attention.layer_norm_rms_epsilon', f32(config.normEpsilon));
  set('attention.key_length', u32(config.headSize));
  set('attention.value_length', u32(config.headSize));
  set('rope.dimension_count', u32(config.headSize));
  set('vocab_size', u32(config.vocabSize));
  if (window) set('attention.sliding_window', u32(window));
  if (config.attentionSoftcap) set('attn_logit_softcapping', f32(config.attentionSoftcap));
  if (config.logitSoftcap) set('final_logit_softcapping', f32(config.logitSoftcap));
  return { settings, pairFactors: rope(raw, config, architecture, set) };
}

type Set = (key: string, setting: Setting) => void;

function unsupported(what: string): never {
  throw new Error(`this model cannot be written as GGUF: llama.cpp has ${what}`);
}

function check(
  raw: JsonObject,
  config: ModelConfig,
  { name, biases = [], isSliding, isUnrotated }: Architecture,
): void {
  const layers = Array.from({ length: config.numLayers }, (_, layer) => layer);
  const bias = config.biases.find((module) => !biases.includes(module));
  if (bias) unsupported(`no bias of ${bias} in the architecture ${name}`);
  if (layers.some((layer) => (config.rope[layer] === null) !== (isUnrotated?.(layer) ?? false)))
    unsupported(`other layers without a rotary embedding in the architecture ${name}`);
  const sliding = FAMILIES.get(String(raw.model_type))?.slidingLayers?.(raw, config.numLayers);
  if (isSliding && layers.some((layer) => sliding?.[layer] !== isSliding(layer)))
    unsupported(`other layers with a sliding window in the architecture ${name}`);
  if (name === 'gemma2' && (!config.attentionSoftcap || !config.logitSoftcap))
    unsupported('caps on the scores of attention and on logits in the architecture gemma2, which this model has not');
  if (name.startsWith('gemma') && !config.tiedEmbeddings) unsupported(`no head of its own in the architecture ${name}`);
  if (Math.abs(config.attentionScale * attentionRoot(name, config) - 1) > 1e-6)
    unsupported(
      `another scale of attention in the architecture ${name} (query_pre_attn_scalar = ${raw.query_pre_attn_scalar})`,
    );
}

/** Returns llama.cpp's divisor of attention scores: it recognises the largest Gemmas by their number of layers. */
function attentionRoot(name: string, { headSize, hiddenSize, numHeads, numLayers }: ModelConfig): number {
  const isLargest = (name === 'gemma2' && numLayers === 46) || (name === 'gemma3' && numLayers === 62);
  return Math.sqrt(isLargest ? hiddenSize / numHeads : headSize);
}

/** Sets the rotary embedding. Returns the factor of each pair, where llama.cpp has no rule for them. */
function rope(
  raw: JsonObject,
  config: ModelConfig,
  { name, pairFactors, isSliding }: Architecture,
  set: Set,
): Float32Array | null {
  const given = raw.rope_parameters ?? raw.rope_scaling;
  const all = isObject(given) ? given : {};
  const full = isObject(all.full_attention) ? all.full_attention : all;
  const theta = Number(full.rope_theta ?? raw.rope_theta);
  set('rope.freq_base', f32(theta));
  if (isSliding) {
    const local = isObject(all.sliding_attention) ? all.sliding_attention.rope_theta : undefined;
    const otherwise = name === 'gemma3' ? (raw.rope_local_base_freq ?? 10000) : theta;
    set('rope.freq_base_swa', f32(Number(local ?? otherwise)));
  }
  const rotated = fullRope(config, isSliding);
  const type = rotated ? (full.rope_type ?? full.type ?? 'default') : 'default';
  if (type === 'linear') {
    set('rope.scaling.type', text('linear'));
    set('rope.scaling.factor', f32(Number(full.factor)));
  } else if (type === 'yarn') {
    yarn(full, raw, rotated!, set);
  } else if (type === 'llama3') {
    if (!pairFactors) unsupported(`no rotary embedding of type llama3 in the architecture ${name}`);
    return rotated!.frequencies.map((frequency, pair) => {
      const unscaled = 1 / Math.fround(theta ** Math.fround((2 * pair) / config.headSize));
      return unscaled / frequency;
    });
  }
  return null;
}

/** Returns the rotary embedding of the layers with full attention. */
function fullRope({ rope }: ModelConfig, isSliding?: (layer: number) => boolean): RopeSettings | null {
  return rope.find((one, layer) => one && !isSliding?.(layer)) ?? null;
}

function yarn(full: JsonObject, raw: JsonObject, { attentionFactor }: RopeSettings, set: Set): void {
  const original = Number(full.original_max_position_embeddings ?? raw.max_position_embeddings);
  const factor = Number(full.factor ?? Number(raw.max_position_embeddings) / original);
  const usual = 0.1 * Math.log(factor) + 1;
  if (Math.abs(attentionFactor - usual) > 1e-6 || full.truncate === false)
    unsupported('one form of yarn only, and this model sets attention_factor, mscale or truncate');
  set('rope.scaling.type', text('yarn'));
  set('rope.scaling.factor', f32(factor));
  set('rope.scaling.original_context_length', u32(original));
  if (full.beta_fast !== undefined) set('rope.scaling.yarn_beta_fast', f32(Number(full.beta_fast)));
  if (full.beta_slow !== undefined) set('rope.scaling.yarn_beta_slow', f32(Number(full.beta_slow)));
}
