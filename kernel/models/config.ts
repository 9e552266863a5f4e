/** What a model's `config.json` says, in the form that the graph wants. */
export interface ModelConfig {
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  numLayers: number;
  numHeads: number;
  /** Heads of keys and values; each serves `numHeads / numKeyValueHeads` heads of queries. */
  numKeyValueHeads: number;
  headSize: number;
  /** Longest sequence, in tokens. */
  maxPositions: number;
  normEpsilon: number;
  ropeTheta: number;
  /** Whether the head is the transposed embedding. */
  tiedEmbeddings: boolean;
  eosTokenIds: number[];
  /** The file as it was read, for saving. */
  raw: Record<string, unknown>;
}

/** Settings that must have one of these values, or be absent: anything else would compute something else. */
const FIXED: Record<string, readonly unknown[]> = {
  model_type: ['llama'],
  hidden_act: ['silu'],
  attention_bias: [false],
  mlp_bias: [false],
  pretraining_tp: [1],
  quantization_config: [null],
  sliding_window: [null],
};

/** Reads a parsed `config.json`. Settings that Joylab does not support are an error that names them. */
export function parseConfig(raw: Record<string, unknown>, where = 'config.json'): ModelConfig {
  const problems = Object.entries(FIXED)
    .filter(([name, allowed]) => name in raw && !allowed.includes(raw[name]))
    .map(([name, allowed]) => `${name} = ${JSON.stringify(raw[name])} (supported: ${allowed.map((value) => JSON.stringify(value)).join(', ')})`);
  const rope = ropeSettings(raw);
  if (rope.type !== 'default') problems.push(`rope type ${JSON.stringify(rope.type)} (supported: "default")`);
  if (problems.length > 0) throw new Error(`${where}: this model is not supported: ${problems.join('; ')}`);

  const hiddenSize = count(raw, 'hidden_size', where);
  const numHeads = count(raw, 'num_attention_heads', where);
  const numKeyValueHeads = count(raw, 'num_key_value_heads', where, numHeads);
  if (numHeads % numKeyValueHeads !== 0) {
    throw new Error(`${where}: num_attention_heads (${numHeads}) must be a multiple of num_key_value_heads (${numKeyValueHeads})`);
  }
  return {
    vocabSize: count(raw, 'vocab_size', where),
    hiddenSize,
    intermediateSize: count(raw, 'intermediate_size', where),
    numLayers: count(raw, 'num_hidden_layers', where),
    numHeads,
    numKeyValueHeads,
    headSize: count(raw, 'head_dim', where, hiddenSize / numHeads),
    maxPositions: count(raw, 'max_position_embeddings', where, 2048),
    normEpsilon: positive(raw, 'rms_norm_eps', where, 1e-6),
    ropeTheta: rope.theta,
    tiedEmbeddings: raw.tie_word_embeddings === true,
    eosTokenIds: tokenIds(raw.eos_token_id),
    raw,
  };
}

/** The token IDs of `eos_token_id`, which may be a number, a list, null or absent. */
export function tokenIds(value: unknown): number[] {
  if (Array.isArray(value)) return value.filter((id): id is number => typeof id === 'number');
  return typeof value === 'number' ? [value] : [];
}

/** Rotary settings, which newer files keep in `rope_parameters` and older ones in `rope_theta` and `rope_scaling`. */
function ropeSettings(raw: Record<string, unknown>): { type: unknown; theta: number } {
  const settings = ((raw.rope_parameters ?? raw.rope_scaling) as Record<string, unknown> | null | undefined) ?? {};
  const theta = settings.rope_theta ?? raw.rope_theta ?? 10000;
  return { type: settings.rope_type ?? settings.type ?? 'default', theta: Number(theta) };
}

function count(raw: Record<string, unknown>, name: string, where: string, fallback?: number): number {
  const value = raw[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value <= 0) {
    throw new Error(`${where}: ${name} must be a positive integer, not ${JSON.stringify(value)}`);
  }
  return value;
}

function positive(raw: Record<string, unknown>, name: string, where: string, fallback: number): number {
  const value = raw[name] ?? fallback;
  if (typeof value !== 'number' || !(value > 0)) {
    throw new Error(`${where}: ${name} must be a positive number, not ${JSON.stringify(value)}`);
  }
  return value;
}
