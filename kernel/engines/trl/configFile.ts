import { join } from 'node:path';
import { COMPUTED_ELSEWHERE, tokenIds, type ModelConfig } from '../../models/config';
import { isObject, readJsonFile } from '../../models/checkpoint/jsonFile';
import { existsSync } from 'node:fs';

/** What is known of a model of any family. */
export function configOf(folder: string): ModelConfig {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) throw new Error(`${folder} has no config.json; is it a Hugging Face model folder?`);
  const raw = readJsonFile(file);
  // Models that see or hear have their language part in an object of its own.
  const settings = isObject(raw.text_config) ? (raw.text_config as Record<string, unknown>) : raw;
  const size = (name: string, otherwise = 0): number => {
    const value = settings[name] ?? otherwise;
    if (typeof value !== 'number') throw new Error(`${file}: ${name} must be a number, not ${JSON.stringify(value)}`);
    return value;
  };
  const generation = join(folder, 'generation_config.json');
  const ends = existsSync(generation) ? tokenIds(readJsonFile(generation), 'eos_token_id', generation) : [];
  const numHeads = size('num_attention_heads', 1);
  return {
    ...COMPUTED_ELSEWHERE,
    vocabSize: size('vocab_size'),
    hiddenSize: size('hidden_size'),
    intermediateSize: size('intermediate_size'),
    numLayers: size('num_hidden_layers'),
    numHeads,
    numKeyValueHeads: size('num_key_value_heads', numHeads),
    headSize: size('head_dim', size('hidden_size') / numHeads),
    maxPositions: size('max_position_embeddings', 2048),
    normEpsilon: size('rms_norm_eps'),
    tiedEmbeddings: settings.tie_word_embeddings === true,
    padTokenId: tokenIds(settings, 'pad_token_id', file)[0] ?? null,
    eosTokenIds: ends.length > 0 ? ends : tokenIds(settings, 'eos_token_id', file),
  };
}
