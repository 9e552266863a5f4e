import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../kernel/common/packagePaths';

const strategist = join(packageRoot, 'kernel/models/strategist/checkpoint');

/** Writes a folder of gpt-oss's family with the strategist's tokenizer and without weights: two small layers of four experts. */
export function writeGptOss(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(strategist, name), join(folder, name));
  const { vocab_size, eos_token_id, pad_token_id } = JSON.parse(readFileSync(join(strategist, 'config.json'), 'utf8'));
  const config = {
    architectures: ['GptOssForCausalLM'],
    model_type: 'gpt_oss',
    num_hidden_layers: 2,
    num_local_experts: 4,
    hidden_size: 64,
    intermediate_size: 96,
    head_dim: 16,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 512,
    vocab_size,
    eos_token_id,
    pad_token_id,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
}

/** What a safetensors file has of a name: its type, its shape, its bytes. */
export function readTensor(path: string, name: string): { dtype: string; shape: number[]; bytes: Buffer } {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const { dtype, shape, data_offsets } = JSON.parse(file.toString('utf8', 8, start))[name];
  return { dtype, shape, bytes: file.subarray(start + data_offsets[0], start + data_offsets[1]) };
}
