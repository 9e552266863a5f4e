/**
 * A family of models: what its code in transformers fixes, and the settings
 * that its `config.json` may leave out. All else is read from the file.
 */
export interface Family {
  /** Values of absent settings, by the names of `config.json`, where they are not {@link COMMON}. */
  defaults?: Record<string, unknown>;
  /** Settings that must have one of these values, because the family's code reads no other. */
  fixed?: Record<string, readonly unknown[]>;
  /** Whether queries, keys and values have a bias, and the output has none, whatever `attention_bias` says. */
  queryKeyValueBias?: boolean;
  /** Whether each head of queries and keys is normalised before it is rotated. */
  queryKeyNorm?: boolean;
  /** Whether norms multiply by 1 + weight, and embeddings are multiplied by √hidden_size. */
  gemma?: boolean;
  /** Whether attention and feed-forward layers are normalised after as well as before. */
  postNorms?: boolean;
  /** Returns the valid entries of `layer_types`; only 'full_attention' by default. */
  layerTypes?: (settings: Record<string, unknown>) => readonly string[];
  /** Returns for each layer whether it attends only to a sliding window. */
  slidingLayers?: (settings: Record<string, unknown>, layers: number) => boolean[];
}

/** Values of absent settings in every family. `undefined`: derived from others, or required. */
export const COMMON: Record<string, unknown> = {
  hidden_act: 'silu',
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: false,
  attention_bias: false,
  mlp_bias: false,
  sliding_window: null,
};

/** Settings with the values at which they change nothing; any other is not supported. */
export const FIXED: Record<string, readonly unknown[]> = {
  partial_rotary_factor: [1],
  attention_dropout: [0, null],
  use_bidirectional_attention: [false, null],
  // The same numbers in another order of rounding.
  pretraining_tp: [1, null],
};

/** Settings that only some families read: elsewhere transformers ignores them, and the file means another model. */
export const OF_ONE_FAMILY: Record<string, { families: readonly string[]; off: readonly unknown[] }> = {
  query_pre_attn_scalar: { families: ['gemma2', 'gemma3_text'], off: [null] },
  attn_logit_softcapping: { families: ['gemma2', 'gemma3_text'], off: [null] },
  final_logit_softcapping: { families: ['gemma2', 'gemma3_text'], off: [null] },
  no_rope_layers: { families: ['smollm3'], off: [null] },
  no_rope_layer_interval: { families: ['smollm3'], off: [null] },
  use_sliding_window: { families: ['qwen2', 'qwen3', 'smollm3'], off: [false, null] },
};

const NO_BIAS = { attention_bias: [false], mlp_bias: [false] };
const NO_MLP_BIAS = { mlp_bias: [false] };
const GEMMA = {
  hidden_act: 'gelu_pytorch_tanh',
  tie_word_embeddings: true,
  head_dim: 256,
  max_position_embeddings: 8192,
};
const GEMMA_ACTIVATIONS = ['gelu_pytorch_tanh'];

/** Returns whether a layer of SmolLM3 has a rotary embedding. */
export function isRotated(layer: number, { no_rope_layers, no_rope_layer_interval }: Record<string, unknown>): boolean {
  return Array.isArray(no_rope_layers)
    ? no_rope_layers[layer] !== 0
    : (layer + 1) % Number(no_rope_layer_interval) !== 0;
}

/** Returns a function that tells sliding layers by `layer_types`; where that is absent, by `rule`. */
function sliding(rule: (layer: number, settings: Record<string, unknown>) => boolean): Family['slidingLayers'] {
  return (settings, layers) => {
    const types = settings.layer_types;
    return Array.from({ length: layers }, (_, layer) =>
      Array.isArray(types) ? types[layer] === 'sliding_attention' : rule(layer, settings),
    );
  };
}

const eitherType = () => ['full_attention', 'sliding_attention'];

const afterMaxWindowLayers = sliding(
  (layer, settings) => settings.use_sliding_window === true && layer >= Number(settings.max_window_layers ?? 28),
);

const families = {
  // Also SmolLM, SmolLM2 and TinyLlama.
  llama: {},
  mistral: {
    defaults: { sliding_window: 4096, max_position_embeddings: 131072 },
    fixed: NO_BIAS,
    layerTypes: (settings) => [settings.sliding_window === null ? 'full_attention' : 'sliding_attention'],
    slidingLayers: (_, layers) => new Array<boolean>(layers).fill(true),
  },
  qwen2: {
    defaults: { sliding_window: 4096, max_position_embeddings: 32768 },
    fixed: NO_MLP_BIAS,
    queryKeyValueBias: true,
    layerTypes: eitherType,
    slidingLayers: afterMaxWindowLayers,
  },
  qwen3: {
    defaults: { sliding_window: 4096, max_position_embeddings: 32768, head_dim: 128 },
    fixed: NO_MLP_BIAS,
    queryKeyNorm: true,
    layerTypes: eitherType,
    slidingLayers: afterMaxWindowLayers,
  },
  smollm3: {
    defaults: {
      rope_theta: 2_000_000,
      tie_word_embeddings: true,
      max_position_embeddings: 32768,
      no_rope_layer_interval: 4,
    },
    layerTypes: eitherType,
    // As transformers has it: the layers without a rotary embedding.
    slidingLayers: sliding((layer, settings) => settings.use_sliding_window === true && !isRotated(layer, settings)),
  },
  gemma: {
    defaults: GEMMA,
    fixed: { ...NO_MLP_BIAS, hidden_activation: [...GEMMA_ACTIVATIONS, null] },
    gemma: true,
  },
  gemma2: {
    defaults: {
      ...GEMMA,
      sliding_window: 4096,
      query_pre_attn_scalar: 256,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
    },
    fixed: { ...NO_MLP_BIAS, hidden_activation: GEMMA_ACTIVATIONS },
    gemma: true,
    postNorms: true,
    layerTypes: eitherType,
    slidingLayers: sliding((layer) => layer % 2 === 0),
  },
  gemma3_text: {
    defaults: {
      ...GEMMA,
      sliding_window: 4096,
      query_pre_attn_scalar: 256,
      max_position_embeddings: 131072,
      rope_theta: 1_000_000,
    },
    fixed: { ...NO_MLP_BIAS, hidden_activation: GEMMA_ACTIVATIONS, attn_logit_softcapping: [null] },
    gemma: true,
    postNorms: true,
    queryKeyNorm: true,
    layerTypes: eitherType,
    slidingLayers: sliding((layer, settings) => (layer + 1) % Number(settings.sliding_window_pattern ?? 6) !== 0),
  },
} satisfies Record<string, Family>;

/** Families by `model_type`. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map(Object.entries(families));
