/* Tokenizers with each part that there is, whose tokens must be those of the Rust library. */
import { ADDED } from './addedTokens';
import { DECODERS, POST_PROCESSORS } from './after';
import { NORMALIZERS, PRE_TOKENIZERS } from './before';
import { bpe, file, SPECIAL, type Json } from './file';
import { MODELS } from './models';

export const FILES: Record<string, Json[]> = {
  normalizers: NORMALIZERS.map((normalizer) => file({ normalizer })),
  'pre-tokenizers': PRE_TOKENIZERS.map((pre_tokenizer) => file({ pre_tokenizer })),
  models: MODELS.map(file),
  'added tokens': ADDED.map(file),
  decoders: DECODERS.map((decoder) => file({ decoder, model: bpe({ byte_fallback: true }), added_tokens: SPECIAL })),
  'post-processors': POST_PROCESSORS.map((post_processor) => file({ post_processor, added_tokens: SPECIAL })),
};
