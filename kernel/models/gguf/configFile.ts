import type { JsonObject } from '../checkpoint/jsonFile';
import { parseRope } from '../graph/rope';
import { modelTypeOf } from './architectures';
import type { Metadata } from './metadata';

/** The tensors of a file from which its configuration follows. */
export interface FileTensors {
  shapes: ReadonlyMap<string, readonly number[]>;
  /** Factors of the pairs of a head, where the file has them. */
  pairFactors: Float32Array | null;
}

/** Returns a `config.json` from the metadata of a GGUF file. */
export function configFile(metadata: Metadata, { shapes, pairFactors }: FileTensors, path: string): JsonObject {
  const name = metadata.text('general.architecture');
  const modelType = modelTypeOf(name, path);
  const number = (key: string, otherwise?: number) => shortest(metadata.number(`${name}.${key}`, otherwise));
  const optional = (key: string) => (metadata.has(`${name}.${key}`) ? number(key) : undefined);
  const hiddenSize = number('embedding_length');
  const numHeads = number('attention.head_count');
  const headSize = optional('attention.key_length') ?? optional('rope.dimension_count') ?? hiddenSize / numHeads;
  const theta = number('rope.freq_base', 10000);
  const maxPositions = number('context_length');
  const scaling = scalingOf(metadata, name, { pairFactors, headSize, theta, maxPositions }, path);
  const isGemma = name.startsWith('gemma');
  return {
    architectures: [ARCHITECTURE_CLASSES[modelType]],
    model_type: modelType,
    vocab_size: shapes.get('token_embd.weight')?.[0],
    hidden_size: hiddenSize,
    intermediate_size: number('feed_forward_length'),
    num_hidden_layers: number('block_count'),
    num_attention_heads: numHeads,
    num_key_value_heads: number('attention.head_count_kv', numHeads),
    head_dim: headSize,
    max_position_embeddings: maxPositions,
    rms_norm_eps: number('attention.layer_norm_rms_epsilon'),
    rope_theta: theta,
    ...(scaling && { rope_scaling: scaling }),
    tie_word_embeddings: !shapes.has('output.weight'),
    ...(modelType === 'llama' && {
      attention_bias: shapes.has('blk.0.attn_q.bias'),
      mlp_bias: shapes.has('blk.0.ffn_up.bias'),
    }),
    hidden_act: isGemma ? 'gelu_pytorch_tanh' : 'silu',
    ...(isGemma && { hidden_activation: 'gelu_pytorch_tanh' }),
    ...(modelType.startsWith('qwen') && { use_sliding_window: false }),
    ...(name === 'gemma2' && {
      attn_logit_softcapping: number('attn_logit_softcapping', 50),
      final_logit_softcapping: number('final_logit_softcapping', 30),
    }),
    ...(name === 'gemma3' && {
      rope_local_base_freq: number('rope.freq_base_swa', 10000),
      final_logit_softcapping: optional('final_logit_softcapping') ?? null,
    }),
    ...((name === 'gemma2' || name === 'gemma3') && {
      sliding_window: number('attention.sliding_window', 4096),
      query_pre_attn_scalar: isLargest(name, number('block_count')) ? hiddenSize / numHeads : headSize,
    }),
    bos_token_id: tokenId(metadata, 'bos'),
    eos_token_id: tokenId(metadata, 'eos'),
    pad_token_id: tokenId(metadata, 'padding'),
    torch_dtype: 'float32',
  };
}

const ARCHITECTURE_CLASSES: Readonly<Record<string, string>> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  smollm3: 'SmolLM3ForCausalLM',
  gemma: 'GemmaForCausalLM',
  gemma2: 'Gemma2ForCausalLM',
  gemma3_text: 'Gemma3ForCausalLM',
};

/** Returns whether it is a Gemma of 27 billion weights, whose attention has a scale of its own. */
function isLargest(name: string, layers: number): boolean {
  return (name === 'gemma2' && layers === 46) || (name === 'gemma3' && layers === 62);
}

/** Returns a `generation_config.json` with the tokens that end a generation. */
export function generationFile(metadata: Metadata): JsonObject {
  const eos = [tokenId(metadata, 'eos'), tokenId(metadata, 'eot')].filter((id) => id !== null);
  return {
    bos_token_id: tokenId(metadata, 'bos'),
    eos_token_id: eos.length === 1 ? eos[0] : eos,
    pad_token_id: tokenId(metadata, 'padding'),
  };
}

function tokenId(metadata: Metadata, role: string): number | null {
  const name = `tokenizer.ggml.${role}_token_id`;
  return metadata.has(name) ? metadata.number(name) : null;
}

interface Rope {
  pairFactors: Float32Array | null;
  headSize: number;
  theta: number;
  maxPositions: number;
}

function scalingOf(metadata: Metadata, name: string, rope: Rope, path: string): JsonObject | null {
  if (rope.pairFactors) return llama3(rope.pairFactors, rope, path);
  const type = metadata.text(`${name}.rope.scaling.type`, 'none');
  if (type === 'none') return null;
  const factor = shortest(metadata.number(`${name}.rope.scaling.factor`));
  if (type === 'linear') return { rope_type: 'linear', factor };
  if (type !== 'yarn')
    throw new Error(`${path}: rope.scaling.type "${type}" cannot be written as a Hugging Face folder`);
  const original = metadata.number(`${name}.rope.scaling.original_context_length`, rope.maxPositions);
  return { rope_type: 'yarn', factor, original_max_position_embeddings: original };
}

/**
 * Returns the parameters of Llama 3's rule for the factors of pairs. The file has only
 * the rule's result, so the parameters of the Llama 3 models are tried; throws when
 * they do not give it.
 */
function llama3(pairFactors: Float32Array, { headSize, theta, maxPositions }: Rope, path: string): JsonObject {
  const factor = Math.round(Math.max(...pairFactors));
  const parameters = {
    rope_type: 'llama3',
    factor,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const { frequencies } = parseRope({ ...parameters, rope_theta: theta }, { headSize, maxPositions }, path);
  const fits = pairFactors.every((given, pair) => {
    const unscaled = theta ** (-(2 * pair) / headSize);
    return Math.abs((frequencies[pair] * given) / unscaled - 1) < 1e-4;
  });
  if (!fits)
    throw new Error(
      `${path}: the factors of its rotary embedding (rope_freqs.weight) are not those of a Llama 3 model`,
    );
  return parameters;
}

/** Returns the shortest number that is the same in float32: 1e-5 for 0.000009999999747. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value) && Math.abs(short - value) <= 1e-6 * Math.abs(value)) return short;
  }
  return value;
}
