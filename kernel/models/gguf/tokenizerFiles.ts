import type { JsonObject } from '../checkpoint/jsonFile';
import type { Metadata } from './metadata';
import { ruleOf } from './preTokenizers';
import { TOKEN_TYPES, WHOLE_TOKENIZER } from './vocabulary';

const GGML = 'tokenizer.ggml.';

/** Returns a model's tokenizer in Hugging Face's form: tokenizer.json (as text) and tokenizer_config.json. */
export function tokenizerFiles(metadata: Metadata, path: string): { tokenizer: string; settings: JsonObject } {
  const settings = tokenizerSettings(metadata);
  if (metadata.has(WHOLE_TOKENIZER)) return { tokenizer: metadata.text(WHOLE_TOKENIZER), settings };
  const kind = metadata.text(`${GGML}model`);
  const tokens = metadata.texts(`${GGML}tokens`);
  const types = metadata.numbers(`${GGML}token_type`) ?? tokens.map(() => TOKEN_TYPES.normal);
  if (types.length !== tokens.length)
    throw new Error(`${path} has ${tokens.length} tokens and ${types.length} types of them; fetch the file again`);
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const parts =
    kind === 'gpt2'
      ? byteLevel(metadata, vocab, path)
      : kind === 'llama'
        ? sentencePiece(metadata, { tokens, types, vocab })
        : unknownKind(kind, path);
  const added = addedTokens(tokens, types);
  const tokenizer = { version: '1.0', truncation: null, padding: null, added_tokens: added, ...parts };
  return { tokenizer: JSON.stringify(tokenizer), settings };
}

function unknownKind(kind: string, path: string): never {
  throw new Error(
    `${path} has a tokenizer of kind "${kind}"; only "gpt2" and "llama" can be written as a Hugging Face folder`,
  );
}

/** Returns a tokenizer_config.json: special tokens by their roles, and the chat templates. */
export function tokenizerSettings(metadata: Metadata): JsonObject {
  const tokens = metadata.texts(`${GGML}tokens`);
  const token = (role: string): string | null => {
    const name = `${GGML}${role}_token_id`;
    return metadata.has(name) ? (tokens[metadata.number(name)] ?? null) : null;
  };
  const PREFIX = 'tokenizer.chat_template';
  const templates = metadata.names(`${PREFIX}.`).map((name) => ({
    name: name.slice(PREFIX.length + 1),
    template: metadata.text(name),
  }));
  const template = metadata.has(PREFIX) ? metadata.text(PREFIX) : undefined;
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: token('bos'),
    eos_token: token('eos'),
    unk_token: token('unknown'),
    pad_token: token('padding'),
    clean_up_tokenization_spaces: false,
    chat_template:
      templates.length > 0 && template !== undefined ? [{ name: 'default', template }, ...templates] : template,
  };
}

/** Returns the added tokens: control tokens are special; user-defined ones are recognised in texts, too. */
function addedTokens(tokens: readonly string[], types: readonly number[]): object[] {
  return tokens.flatMap((content, id) => {
    const special = types[id] === TOKEN_TYPES.control || types[id] === TOKEN_TYPES.unknown;
    if (!special && types[id] !== TOKEN_TYPES.userDefined) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

type Vocab = Record<string, number>;

function byteLevel(metadata: Metadata, vocab: Vocab, path: string): JsonObject {
  const name = metadata.text(`${GGML}pre`, 'default');
  const rule = ruleOf(name);
  if (!rule)
    throw new Error(
      `${path} splits texts by llama.cpp's rule "${name}", which cannot be written as a tokenizer.json here; take the folder of the model it was made from`,
    );
  const merges = metadata.texts(`${GGML}merges`).map((pair) => {
    // A token may begin with a space of its own kind, never with this one.
    const space = pair.indexOf(' ', 1);
    return [pair.slice(0, space), pair.slice(space + 1)];
  });
  return {
    normalizer: rule.normalizer ?? null,
    pre_tokenizer: rule.preTokenizer,
    post_processor: startToken(metadata, vocab, false),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', byte_fallback: false, ignore_merges: rule.ignoreMerges ?? false, vocab, merges },
  };
}

interface Tokens {
  tokens: readonly string[];
  types: readonly number[];
  vocab: Vocab;
}

function sentencePiece(metadata: Metadata, all: Tokens): JsonObject {
  const prefix = metadata.flag(`${GGML}add_space_prefix`, true);
  const space = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const decoders = [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ];
  const unknown = all.tokens[metadata.number(`${GGML}unknown_token_id`, 0)];
  return {
    normalizer: { type: 'Sequence', normalizers: [...(prefix ? [{ type: 'Prepend', prepend: '▁' }] : []), space] },
    pre_tokenizer: null,
    post_processor: startToken(metadata, all.vocab, true),
    decoder: { type: 'Sequence', decoders },
    model: {
      type: 'BPE',
      unk_token: unknown,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: all.vocab,
      merges: mergesOf(metadata.numbers(`${GGML}scores`) ?? [], all),
    },
  };
}

/** Returns every merge of two tokens into a third, those of the best scores first. */
function mergesOf(scores: readonly number[], { tokens, types, vocab }: Tokens): [string, string][] {
  const merges: { pair: [string, string]; score: number; left: number }[] = [];
  tokens.forEach((token, id) => {
    if (types[id] !== TOKEN_TYPES.normal) return;
    const characters = [...token];
    for (let i = 1; i < characters.length; i++) {
      const pair: [string, string] = [characters.slice(0, i).join(''), characters.slice(i).join('')];
      if (Object.hasOwn(vocab, pair[0]) && Object.hasOwn(vocab, pair[1]))
        merges.push({ pair, score: scores[id] ?? -id, left: vocab[pair[0]] });
    }
  });
  return merges.sort((a, b) => b.score - a.score || a.left - b.left).map(({ pair }) => pair);
}

/** Returns a post-processor that puts the start token before a text; null where the model has none. */
function startToken(metadata: Metadata, vocab: Vocab, otherwise: boolean): object | null {
  if (!metadata.flag(`${GGML}add_bos_token`, otherwise) || !metadata.has(`${GGML}bos_token_id`)) return null;
  const id = metadata.number(`${GGML}bos_token_id`);
  const content = Object.keys(vocab).find((token) => vocab[token] === id)!;
  const start = { SpecialToken: { id: content, type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [start, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [start, { Sequence: { id: 'A', type_id: 0 } }, start, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  };
}
