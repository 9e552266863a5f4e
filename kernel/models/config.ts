import { COMMON, FAMILIES, FIXED, isRotated, OF_ONE_FAMILY, type Family } from './families';
import { describe, isObject } from './checkpoint/jsonFile';
import { parseRope, type RopeSettings } from './graph/rope';

/** A model's configuration as the graph needs it, the same for every family. */
export interface ModelConfig {
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  numLayers: number;
  numHeads: number;
  /** Heads of keys and values; each serves `numHeads / numKeyValueHeads` heads of queries. */
  numKeyValueHeads: number;
  headSize: number;
  /** Longest sequence that is computed exactly, in tokens: what the model was trained for, or its sliding window. */
  maxPositions: number;
  /** The sliding window in tokens, where it limits `maxPositions`; else null. */
  slidingWindow: number | null;
  normEpsilon: number;
  /** Norms multiply by `normOffset` + weight. */
  normOffset: 0 | 1;
  /** Whether attention and feed-forward layers are normalised after as well as before. */
  postNorms: boolean;
  /** Whether each head of queries and keys is normalised before it is rotated. */
  queryKeyNorm: boolean;
  /** Linear layers of a block that have a bias, such as 'q_proj'. */
  biases: readonly string[];
  activation: 'silu' | 'gelu_pytorch_tanh';
  /** Factor of embeddings. */
  embeddingScale: number;
  /** Factor of the products of queries and keys. */
  attentionScale: number;
  /** Cap of attention scores s, which become cap · tanh(s / cap) before the mask; null: none. */
  attentionSoftcap: number | null;
  /** Cap of logits; null: none. */
  logitSoftcap: number | null;
  /** Rotary embedding of each layer (layers share objects); null: none. */
  rope: readonly (RopeSettings | null)[];
  /** Whether the head is the transposed embedding. */
  tiedEmbeddings: boolean;
  /** The token whose embedding is not trained as such (PyTorch's `padding_idx`), or null. */
  padTokenId: number | null;
  eosTokenIds: number[];
}

/** What a model has of it that is computed elsewhere: by a worker, or by llama.cpp. */
export const COMPUTED_ELSEWHERE = {
  slidingWindow: null,
  normOffset: 0,
  postNorms: false,
  queryKeyNorm: false,
  biases: [],
  activation: 'silu',
  embeddingScale: 1,
  attentionScale: 1,
  attentionSoftcap: null,
  logitSoftcap: null,
  rope: [],
} as const satisfies Partial<ModelConfig>;

/**
 * Returns the longest sequence of a model: what was asked for, or all that it was made for.
 *
 * @throws where more was asked for
 */
export function sequenceLength(
  wanted: number | undefined,
  { maxPositions, slidingWindow }: Pick<ModelConfig, 'maxPositions' | 'slidingWindow'>,
): number {
  if (wanted === undefined || wanted <= maxPositions) return wanted ?? maxPositions;
  const why = slidingWindow
    ? `the sliding window of this model (${slidingWindow}), which must hold the whole sequence: attention beyond it is not supported`
    : `the model was made for (${maxPositions})`;
  throw new Error(`maxSeqLength ${wanted} is more than ${why}`);
}

type Settings = Record<string, unknown>;

/** Returns the configuration of a parsed `config.json`. Throws an error that names settings which Joylab does not support. */
export function parseConfig(raw: Settings, where = 'config.json'): ModelConfig {
  const family = typeof raw.model_type === 'string' ? FAMILIES.get(raw.model_type) : undefined;
  if (!family) {
    throw new Error(
      `${where}: this model is not supported: model_type = ${describe(raw.model_type)} (supported: ${[...FAMILIES.keys()].map(describe).join(', ')})`,
    );
  }
  const settings: Settings = { ...COMMON, ...family.defaults, ...raw };
  const numLayers = count(settings, 'num_hidden_layers', where, undefined, MOST_LAYERS);
  checkFixed(family, settings, numLayers, where);
  checkKinds(settings, where);

  const hiddenSize = count(settings, 'hidden_size', where);
  const numHeads = count(settings, 'num_attention_heads', where);
  const numKeyValueHeads = count(settings, 'num_key_value_heads', where, numHeads);
  if (numHeads % numKeyValueHeads !== 0) {
    throw new Error(
      `${where}: num_attention_heads (${numHeads}) must be a multiple of num_key_value_heads (${numKeyValueHeads})`,
    );
  }
  const headSize = evenHead(count(settings, 'head_dim', where, hiddenSize / numHeads, LARGEST_HEAD), where);
  const maxPositions = count(settings, 'max_position_embeddings', where);
  const sliding = family.slidingLayers?.(settings, numLayers) ?? [];
  const window =
    sliding.includes(true) && settings.sliding_window !== null ? count(settings, 'sliding_window', where) : Infinity;
  return {
    vocabSize: count(settings, 'vocab_size', where),
    hiddenSize,
    intermediateSize: count(settings, 'intermediate_size', where),
    numLayers,
    numHeads,
    numKeyValueHeads,
    headSize,
    maxPositions: Math.min(maxPositions, window),
    slidingWindow: window < maxPositions ? window : null,
    normEpsilon: positive(settings, 'rms_norm_eps', where),
    normOffset: family.gemma ? 1 : 0,
    postNorms: family.postNorms ?? false,
    queryKeyNorm: family.queryKeyNorm ?? false,
    biases: biases(family, settings),
    activation: family.gemma ? 'gelu_pytorch_tanh' : 'silu',
    embeddingScale: family.gemma ? Math.sqrt(hiddenSize) : 1,
    attentionScale: 1 / Math.sqrt(optional(settings, 'query_pre_attn_scalar', where) ?? headSize),
    attentionSoftcap: optional(settings, 'attn_logit_softcapping', where),
    logitSoftcap: optional(settings, 'final_logit_softcapping', where),
    rope: layerRopes(settings, { headSize, maxPositions, sliding, numLayers }, where),
    tiedEmbeddings: settings.tie_word_embeddings === true,
    padTokenId: tokenIds(settings, 'pad_token_id', where)[0] ?? null,
    eosTokenIds: tokenIds(settings, 'eos_token_id', where),
  };
}

/** Returns the token IDs of a setting, which may be a number, a list, null or absent. */
export function tokenIds(settings: Settings, name: string, where: string): number[] {
  const ids: unknown[] = [settings[name] ?? []].flat();
  const isId = (id: unknown): id is number => Number.isSafeInteger(id);
  if (!ids.every(isId))
    throw new Error(`${where}: ${name} must be a token ID, a list of them, or null, not ${describe(settings[name])}`);
  return ids;
}

/** Settings that are true or false. */
const FLAGS = ['tie_word_embeddings', 'attention_bias', 'mlp_bias', 'use_sliding_window'];
/** Settings that are positive integers, where they are given. */
const COUNTS = ['no_rope_layer_interval', 'sliding_window_pattern'];

function checkKinds(settings: Settings, where: string): void {
  const given = (name: string) => (settings[name] ?? null) !== null;
  for (const name of FLAGS) {
    if (given(name) && typeof settings[name] !== 'boolean')
      throw new Error(`${where}: ${name} must be true or false, not ${describe(settings[name])}`);
  }
  for (const name of COUNTS.filter(given)) count(settings, name, where);
  if (given('max_window_layers') && settings.max_window_layers !== 0) count(settings, 'max_window_layers', where);
}

function checkFixed(family: Family, settings: Settings, numLayers: number, where: string): void {
  // Gemma's old files say 'gelu' and mean its approximation by tanh.
  const activations: Record<string, readonly unknown[]> = {
    hidden_act: family.gemma ? ['gelu_pytorch_tanh', 'gelu'] : ['silu', 'swish'],
  };
  const problems = Object.entries({ ...FIXED, ...activations, ...family.fixed })
    .filter(([name, allowed]) => name in settings && !allowed.includes(settings[name]))
    .map(([name, allowed]) => `${name} = ${describe(settings[name])} (supported: ${quoted(allowed)})`);
  for (const [name, { families, off }] of Object.entries(OF_ONE_FAMILY)) {
    if (name in settings && !families.includes(String(settings.model_type)) && !off.includes(settings[name])) {
      problems.push(
        `${name} = ${describe(settings[name])}, which ${describe(settings.model_type)} does not have (only ${quoted(families)})`,
      );
    }
  }
  problems.push(...layerProblems(family, settings, numLayers));
  if (settings.quantization_config) {
    problems.push(
      'quantization_config: its weights are saved quantised (supported: float32, float16, bfloat16; load the model it was made from, with loadIn4bit or loadIn8bit)',
    );
  }
  if (problems.length > 0) throw new Error(`${where}: this model is not supported: ${problems.join('; ')}`);
}

/** Returns the problems of lists that have an entry per layer. */
function layerProblems({ layerTypes }: Family, settings: Settings, layers: number): string[] {
  const problems: string[] = [];
  const valid = layerTypes?.(settings) ?? ['full_attention'];
  for (const [name, allowed] of [
    ['layer_types', valid],
    ['no_rope_layers', [0, 1]],
  ] as const) {
    const given = settings[name] ?? null;
    if (given === null) continue;
    if (!Array.isArray(given)) problems.push(`${name} = ${describe(given)} (supported: a list, or null)`);
    else if (given.length !== layers) problems.push(`${name} has ${given.length} entries for ${layers} layers`);
    else {
      const wrong = given.filter((entry) => !(allowed as readonly unknown[]).includes(entry));
      if (wrong.length > 0)
        problems.push(`${name} with ${quoted([...new Set(wrong)])} (supported: ${quoted(allowed)})`);
    }
  }
  return problems;
}

/** Returns a head size. Throws when it is odd: a rotary embedding rotates pairs. */
function evenHead(size: number, where: string): number {
  if (size % 2 !== 0) throw new Error(`${where}: head_dim must be even, not ${size}`);
  return size;
}

function biases(family: Family, settings: Settings): string[] {
  const attention = family.queryKeyValueBias
    ? ['q_proj', 'k_proj', 'v_proj']
    : settings.attention_bias === true
      ? ['q_proj', 'k_proj', 'v_proj', 'o_proj']
      : [];
  return settings.mlp_bias === true ? [...attention, 'gate_proj', 'up_proj', 'down_proj'] : attention;
}

/**
 * Returns the rotary embedding of every layer. Newer files keep the parameters in
 * `rope_parameters` (by type of layer, where types differ), older ones in `rope_theta`
 * and `rope_scaling` (Gemma 3's sliding layers: `rope_local_base_freq`).
 */
function layerRopes(
  settings: Settings,
  {
    headSize,
    maxPositions,
    sliding,
    numLayers,
  }: { headSize: number; maxPositions: number; sliding: boolean[]; numLayers: number },
  where: string,
): (RopeSettings | null)[] {
  const given = ropeObject(settings.rope_parameters ?? settings.rope_scaling, where);
  const read = (parameters: Settings) => {
    const original = settings.original_max_position_embeddings;
    const all = {
      rope_theta: settings.rope_theta,
      partial_rotary_factor: settings.partial_rotary_factor,
      ...parameters,
    };
    return parseRope(
      original === undefined ? all : { ...all, original_max_position_embeddings: original },
      { headSize, maxPositions },
      where,
    );
  };
  const byType = 'full_attention' in given || 'sliding_attention' in given;
  const full = read(byType ? ropeObject(given.full_attention, where) : given);
  let local = full;
  if (byType) local = read({ rope_theta: 10000, ...ropeObject(given.sliding_attention, where) });
  else if (settings.model_type === 'gemma3_text') local = read({ rope_theta: settings.rope_local_base_freq ?? 10000 });

  return Array.from({ length: numLayers }, (_, layer) =>
    !isRotated(layer, settings) ? null : sliding[layer] ? local : full,
  );
}

function ropeObject(value: unknown, where: string): Settings {
  if (!isObject(value ?? {}))
    throw new Error(
      `${where}: the parameters of a rotary embedding (rope_parameters, rope_scaling) must be an object or null, not ${describe(value)}`,
    );
  return (value ?? {}) as Settings;
}

function quoted(values: readonly unknown[]): string {
  return values.slice(0, 8).map(describe).join(', ') + (values.length > 8 ? ', …' : '');
}

/*
 * Bounds of what is made or looped over before the weights are looked at, many
 * times what any model has. All other sizes are compared with the weights.
 */
const MOST_LAYERS = 10_000;
const LARGEST_HEAD = 2 ** 16;
const LARGEST = 2 ** 31 - 1;

function count(settings: Settings, name: string, where: string, fallback?: number, maximum = LARGEST): number {
  const value = settings[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value <= 0 || value > maximum) {
    throw new Error(
      `${where}: ${name} must be a positive integer${typeof value === 'number' && value > maximum ? ` of at most ${maximum}` : ''}, not ${describe(value)}`,
    );
  }
  return value;
}

function positive(settings: Settings, name: string, where: string): number {
  const value = settings[name];
  if (typeof value !== 'number' || !(value > 0 && value < Infinity)) {
    throw new Error(`${where}: ${name} must be a positive number, not ${describe(value)}`);
  }
  return value;
}

/** Returns a positive number, or null where the setting is absent or null. */
function optional(settings: Settings, name: string, where: string): number | null {
  return (settings[name] ?? null) === null ? null : positive(settings, name, where);
}
