/* What the files of all tokenizers are made of: texts, a vocabulary of their characters, and parts that many have. */
import { toByteCharacters } from '../../../../kernel/models/tokenizers/bytes';

export type Json = Record<string, unknown>;

export const TEXTS: readonly string[] = [
  '',
  ' ',
  '  two',
  'up',
  'up2 _up up_ (up) up.up éup upé up\u200d 漢up cup upper up',
  " Hello, world!  It's DON'T we'll  ",
  '12345 3.14 1e-7 x2y ²½٣Ⅷ五',
  'const naïve = "→ 🎮";\n  return x;\n\n\n\tif (a  ==   b) {}\r\n',
  '👩‍👩‍👧 ｆｕｌｌ 漢字かな カタ・ー العربية हिन्दी 🏳️‍🌈 e\u0301 \u00a0\u2028\ufeff\u200b\u0085\u001c x',
  'aaa    bbb!!!???---',
  '<s>special</s> <x>  y <l> q <r>  w <lr> e <n>Ab <N>',
  '▁ marks ▁▁a and <0x41> <0xE2><0x82> bytes\0 \u0001 \u{10FFFF}',
  'ÀÉÎ Straße ΑΣ İ ǅ ﬁ',
  "a . b ? c ! d , e ' f n't 'm do not 's 've 're x</w>y|z",
];

/** Characters, and pairs of neighbours: where a text is split, other pairs are joined. */
export const { vocab, merges } = (() => {
  const tokens = new Set([
    '<unk>',
    '▁',
    ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  ]);
  const all = TEXTS.flatMap((text) => [
    text,
    text.toLowerCase(),
    text.normalize('NFKD'),
    text.replaceAll(' ', '▁'),
    toByteCharacters(text),
  ]);
  // Some are unknown.
  for (const text of all) for (const character of text) if (!'👩🎮漢'.includes(character)) tokens.add(character);
  const pairs = new Map<string, [string, string]>();
  for (const text of all) {
    const characters = [...text];
    characters.slice(1).forEach((right, i) => {
      const left = characters[i];
      if (!tokens.has(left) || !tokens.has(right)) return;
      pairs.set(left + right, [left, right]);
    });
  }
  for (const pair of pairs.keys()) tokens.add(pair);
  return {
    vocab: Object.fromEntries([...tokens].map((token, id): [string, number] => [token, id])),
    merges: [...pairs.values()],
  };
})();
export const size = Object.keys(vocab).length;

export const bpe = (settings: Json = {}): Json => ({
  type: 'BPE',
  dropout: null,
  unk_token: '<unk>',
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
  vocab,
  merges,
  ...settings,
});
export const file = (settings: Json = {}): Json => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  model: bpe(),
  ...settings,
});

/** Returns added tokens with their IDs. */
export function added(...tokens: Json[]): Json[] {
  let next = size;
  return tokens.map((token) => ({
    id: vocab[token.content as string] ?? next++,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: true,
    special: false,
    ...token,
  }));
}

export const metaspace = (prepend_scheme: string, split = true): Json => ({
  type: 'Metaspace',
  replacement: '▁',
  prepend_scheme,
  split,
});
export const SPECIAL = added(
  { content: '<s>', special: true, normalized: false },
  { content: '</s>', special: true, normalized: false },
  { content: '<x>', normalized: false },
);
export const BOOLEANS = [true, false];
export const SCHEMES = ['always', 'first', 'never'];
