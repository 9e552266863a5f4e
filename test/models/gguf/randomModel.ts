import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allWeights } from '../../../kernel/models/graph/architecture';
import { parseConfig } from '../../../kernel/models/config';
import { writeSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { seededRandom } from '../../../kernel/common/random';

const SIZES = {
  vocab_size: 320,
  hidden_size: 256,
  intermediate_size: 256,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 64,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  eos_token_id: 1,
};

/** Models of each family that can be written as GGUF: settings of config.json besides sizes. */
export const FAMILIES: Record<string, Record<string, unknown>> = {
  llama: { model_type: 'llama' },
  'llama, tied, biases': { model_type: 'llama', tie_word_embeddings: true, attention_bias: true, mlp_bias: true },
  'llama, rope of llama 3': {
    model_type: 'llama',
    rope_theta: 10000,
    max_position_embeddings: 16384,
    rope_scaling: {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
  },
  'llama, linear rope': { model_type: 'llama', rope_scaling: { rope_type: 'linear', factor: 4 } },
  'llama, yarn': {
    model_type: 'llama',
    rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 },
  },
  mistral: { model_type: 'mistral', sliding_window: 128 },
  qwen2: { model_type: 'qwen2' },
  qwen3: { model_type: 'qwen3', tie_word_embeddings: true },
  smollm3: { model_type: 'smollm3', num_hidden_layers: 5 },
  gemma: { model_type: 'gemma', hidden_activation: 'gelu_pytorch_tanh' },
  gemma2: { model_type: 'gemma2', query_pre_attn_scalar: 64, sliding_window: 64 },
  gemma3: { model_type: 'gemma3_text', query_pre_attn_scalar: 64, sliding_window: 64, num_hidden_layers: 7 },
};

/** Writes a folder with a random model and a byte-level tokenizer with some merges. */
export function writeRandomModel(
  folder: string,
  settings: Record<string, unknown>,
  tokenizer: object = byteLevel(),
): void {
  mkdirSync(folder, { recursive: true });
  const raw = { ...SIZES, ...settings };
  const json = (name: string, value: object) => writeFileSync(join(folder, name), JSON.stringify(value));
  json('config.json', raw);
  json('tokenizer.json', tokenizer);
  json('tokenizer_config.json', {
    eos_token: '<|end|>',
    bos_token: '<|start|>',
    chat_template: "{% for m in messages %}<|start|>{{ m['role'] }}: {{ m['content'] }}<|end|>{% endfor %}",
  });
  const random = seededRandom(7);
  const isGemma = String(settings.model_type).startsWith('gemma');
  const weights = allWeights(parseConfig(raw)).map(({ name, shape }) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    const mean = name.includes('norm') && !isGemma ? 1 : 0;
    data.forEach((_, i) => (data[i] = mean + 0.2 * (random.next() + random.next() - 1)));
    return [name, { shape, data }] as const;
  });
  writeSafetensors(join(folder, 'model.safetensors'), new Map(weights));
}

const ADDED = ['<|start|>', '<|end|>', '<|tool|>'];
const added = ADDED.map((content, id) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: id < 2,
}));

/** Returns the characters that stand for bytes in a byte-level vocabulary. */
function byteCharacters(): string[] {
  const visible = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
}

const MERGES = [
  ['t', 'h'],
  ['th', 'e'],
  ['Ġ', 'the'],
  ['i', 'n'],
  ['Ġ', 'in'],
  ['l', 'l'],
  ['o', 'n'],
];

/** Returns a tokenizer.json like SmolLM2's. */
export function byteLevel(): object {
  const tokens = [...ADDED, ...byteCharacters(), ...MERGES.map((pair) => pair.join(''))];
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, level] },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: MERGES,
    },
  };
}

/** Returns a tokenizer.json like Llama 2's. */
export function sentencePiece(): object {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const characters = [...'▁abcdefghijklmnopqrstuvwxyz'];
  const merges = [
    ['▁', 't'],
    ['h', 'e'],
    ['▁t', 'he'],
    ['▁', 'a'],
    ['i', 'n'],
    ['▁', 'in'],
    ['▁a', 'n'],
    ['▁an', 'd'],
  ];
  const tokens = ['<unk>', ...ADDED, ...bytes, ...characters, ...merges.map((pair) => pair.join(''))];
  return {
    version: '1.0',
    added_tokens: [{ ...added[0], id: 0, content: '<unk>' }, ...added.map((token) => ({ ...token, id: token.id + 1 }))],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}
