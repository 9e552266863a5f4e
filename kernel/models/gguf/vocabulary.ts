import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CausalLM } from '../causalLM';
import { isObject, readJsonFile, type JsonObject } from '../checkpoint/jsonFile';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { nameOfRule } from './preTokenizers';
import { bool, list, text, u32, type Setting } from './types';

/** llama.cpp's types of tokens. */
export const TOKEN_TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };

/** Setting with the whole tokenizer.json: programs that read it, such as Joylab, have the same tokens for every text. */
export const WHOLE_TOKENIZER = 'tokenizer.huggingface.json';

const MAXIMUM_BYTES = 500e6;

interface BpeModel {
  vocab: Record<string, number>;
  merges: Array<string | [string, string]>;
  byte_fallback?: boolean;
  ignore_merges?: boolean;
  unk_token?: string | null;
}

interface AddedToken {
  id: number;
  content: string;
  special?: boolean;
}

/** Returns the settings of a GGUF file for a model's tokenizer and chat templates. */
export function vocabularySettings({ folder, tokenizer, config, eosTokenIds }: CausalLM): Map<string, Setting> {
  const path = join(folder, 'tokenizer.json');
  const file = readJsonFile(path, MAXIMUM_BYTES);
  const model = bpeModel(file, path);
  const added = (Array.isArray(file.added_tokens) ? file.added_tokens : []) as AddedToken[];
  const { tokens, types } = tokenList(model, added, config.vocabSize, path);
  const settings = new Map<string, Setting>();
  const set = (name: string, setting: Setting) => settings.set(`tokenizer.ggml.${name}`, setting);
  if (isByteLevel(file)) byteLevel(file, model, path, set);
  else sentencePiece(file, model, tokens, types, set);
  set('tokens', list('string', tokens));
  set('token_type', list('i32', types));
  specialTokens(tokenizer, model, eosTokenIds, set);
  const start = tokenizer.encode('a');
  set('add_bos_token', bool(start[0] === tokenizer.bosTokenId));
  set('add_eos_token', bool(start.at(-1) === tokenizer.eosTokenId));
  if (tokenizer.chatTemplate) settings.set('tokenizer.chat_template', text(tokenizer.chatTemplate));
  settings.set(WHOLE_TOKENIZER, text(readFileSync(path, 'utf8')));
  return settings;
}

function bpeModel({ model }: JsonObject, path: string): BpeModel {
  if (isObject(model) && isObject(model.vocab) && Array.isArray(model.merges)) return model as unknown as BpeModel;
  throw new Error(
    `${path} is a tokenizer of type ${isObject(model) ? String(model.type) : 'unknown'}, which GGUF files of language models do not have; supported is BPE`,
  );
}

/** Returns the texts and types of all tokens; rows of the embedding without a token get an unused one. */
function tokenList(
  { vocab, byte_fallback, unk_token }: BpeModel,
  added: readonly AddedToken[],
  vocabSize: number,
  path: string,
): { tokens: string[]; types: number[] } {
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`);
  const types = new Array<number>(vocabSize).fill(TOKEN_TYPES.unused);
  const put = (content: string, id: number, type: number) => {
    if (id >= vocabSize)
      throw new Error(
        `${path}: token ${JSON.stringify(content)} has ID ${id}, and the model knows ${vocabSize} tokens; it cannot be written as GGUF`,
      );
    tokens[id] = content;
    types[id] = type;
  };
  for (const [content, id] of Object.entries(vocab)) {
    const isByte = byte_fallback && /^<0x[0-9A-F]{2}>$/.test(content);
    put(content, id, isByte ? TOKEN_TYPES.byte : content === unk_token ? TOKEN_TYPES.unknown : TOKEN_TYPES.normal);
  }
  for (const { content, id, special } of added) {
    if (types[id] === TOKEN_TYPES.unknown) continue;
    put(content, id, special ? TOKEN_TYPES.control : TOKEN_TYPES.userDefined);
  }
  return { tokens, types };
}

function isByteLevel({ pre_tokenizer, decoder }: JsonObject): boolean {
  return [pre_tokenizer, decoder].some((part) => JSON.stringify(part ?? null).includes('"ByteLevel"'));
}

type Set = (name: string, setting: Setting) => void;

function byteLevel({ pre_tokenizer }: JsonObject, { merges, ignore_merges }: BpeModel, path: string, set: Set): void {
  const rule = nameOfRule(pre_tokenizer, ignore_merges === true);
  if (!rule)
    console.warn(
      `${path} splits texts by a rule that llama.cpp does not have: other programs than Joylab will make other tokens of a text.`,
    );
  set('model', text('gpt2'));
  set('pre', text(rule ?? 'default'));
  set(
    'merges',
    list(
      'string',
      merges.map((pair) => (typeof pair === 'string' ? pair : pair.join(' '))),
    ),
  );
}

/** Sets the scores of tokens: llama.cpp merges by the score of the result, which is the higher the earlier the merge. */
function sentencePiece(file: JsonObject, { merges }: BpeModel, tokens: string[], types: number[], set: Set): void {
  const rank = new Map<string, number>();
  for (const pair of merges) {
    const merged = typeof pair === 'string' ? pair.replace(' ', '') : pair.join('');
    if (!rank.has(merged)) rank.set(merged, rank.size);
  }
  const last = rank.size + 1;
  const score = (token: string, id: number) =>
    [TOKEN_TYPES.normal, TOKEN_TYPES.unused].includes(types[id]) ? -(rank.get(token) ?? last) : 0;
  const prefix = JSON.stringify([file.normalizer, file.pre_tokenizer]);
  set('model', text('llama'));
  set('pre', text('default'));
  set('scores', list('f32', tokens.map(score)));
  set('add_space_prefix', bool(/"Prepend"|"prepend_scheme":"(?:first|always)"|"add_prefix_space":true/.test(prefix)));
}

function specialTokens(tokenizer: Tokenizer, { unk_token }: BpeModel, eosTokenIds: readonly number[], set: Set): void {
  const { eosTokenId, bosTokenId, padTokenId } = tokenizer;
  const eos = eosTokenId ?? eosTokenIds[0];
  const another = eosTokenIds.find((id) => id !== eos);
  const ids: Record<string, number | null | undefined> = {
    // llama.cpp would take token 11 for one that is not named.
    bos: bosTokenId ?? eos,
    eos,
    eot: another,
    padding: padTokenId,
    unknown: unk_token ? tokenizer.tokenToId(unk_token) : undefined,
  };
  for (const [name, id] of Object.entries(ids)) if (typeof id === 'number') set(`${name}_token_id`, u32(id));
}
