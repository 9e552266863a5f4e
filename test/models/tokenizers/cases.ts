/* Tokenizers with each part that there is, whose tokens must be those of the Rust library. */
import { toByteCharacters } from '../../../kernel/models/tokenizers/bytes';

type Json = Record<string, unknown>;

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
const { vocab, merges } = (() => {
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
const size = Object.keys(vocab).length;

const bpe = (settings: Json = {}): Json => ({
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

/** Added tokens with the IDs that they get. */
function added(...tokens: Json[]): Json[] {
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

const metaspace = (prepend_scheme: string, split = true): Json => ({
  type: 'Metaspace',
  replacement: '▁',
  prepend_scheme,
  split,
});
const SPECIAL = added(
  { content: '<s>', special: true, normalized: false },
  { content: '</s>', special: true, normalized: false },
  { content: '<x>', normalized: false },
);
const BOOLEANS = [true, false];
const SCHEMES = ['always', 'first', 'never'];

const PATTERNS = [
  '[aeiou]',
  '(?i:A|b)',
  '\\d',
  '\\w+',
  '\\bup\\b',
  '^a',
  'a$',
  '\\Aa',
  'a\\z',
  'a\\Z',
  '\\h',
  '\\p{L}{2}',
  '[[:alpha:]]+',
  '[^\\S\\n]',
  '(?<=u)p',
  '(?<!c)up',
  '(?=p)',
  'a++b',
  '(a)\\1',
  '.',
  '[a-c&&[^b]]',
  '\\p{Han}',
  '[[:punct:]]',
  'a{,2}',
  '\\S',
  '\\W',
  '(?>a+)b',
  '[\\d\\s]',
  'x*',
  'a|',
  '\\s?\\p{L}+',
  '[🎮-👩]',
];

const NORMALIZERS: Json[] = [
  ...['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel'].map((type) => ({ type })),
  ...BOOLEANS.flatMap((strip_left) => BOOLEANS.map((strip_right) => ({ type: 'Strip', strip_left, strip_right }))),
  { type: 'Prepend', prepend: '▁' },
  { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  { type: 'Replace', pattern: { String: '' }, content: 'x' },
  { type: 'Replace', pattern: { String: 'a' }, content: '$&$1b' },
  ...PATTERNS.map((Regex) => ({ type: 'Replace', pattern: { Regex }, content: '<>' })),
  ...BOOLEANS.flatMap((clean_text) =>
    [null, true, false].flatMap((strip_accents) =>
      BOOLEANS.map((lowercase) => ({
        type: 'BertNormalizer',
        clean_text,
        handle_chinese_chars: clean_text,
        strip_accents,
        lowercase,
      })),
    ),
  ),
  {
    type: 'Sequence',
    normalizers: [
      { type: 'NFKC' },
      { type: 'Lowercase' },
      { type: 'Replace', pattern: { String: 'a' }, content: 'bb' },
    ],
  },
];

const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];
const PRE_TOKENIZERS: Json[] = [
  ...SCHEMES.flatMap((scheme) => BOOLEANS.map((split) => metaspace(scheme, split))),
  { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
  ...BOOLEANS.flatMap((add_prefix_space) =>
    BOOLEANS.map((use_regex) => ({ type: 'ByteLevel', add_prefix_space, trim_offsets: true, use_regex })),
  ),
  ...['Whitespace', 'WhitespaceSplit', 'BertPreTokenizer', 'Punctuation'].map((type) => ({ type })),
  ...BEHAVIORS.map((behavior) => ({ type: 'Punctuation', behavior })),
  ...BEHAVIORS.flatMap((behavior) =>
    BOOLEANS.flatMap((invert) =>
      [{ String: ' ' }, { Regex: '[aeiou]+|\\d' }].map((pattern) => ({ type: 'Split', pattern, behavior, invert })),
    ),
  ),
  { type: 'Split', pattern: { String: '' }, behavior: 'Isolated', invert: false },
  ...BOOLEANS.map((individual_digits) => ({ type: 'Digits', individual_digits })),
  { type: 'CharDelimiterSplit', delimiter: 'a' },
  { type: 'FixedLength', length: 3 },
  {
    type: 'Sequence',
    pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace('first'), { type: 'Digits', individual_digits: true }],
  },
];

const WORDS = Object.fromEntries(
  [
    '[UNK]',
    'a',
    'b',
    'up',
    '##up',
    '##per',
    'Hello',
    'He',
    '##l',
    '##lo',
    's',
    'c',
    '##p',
    '##er',
    ',',
    '!',
    '.',
    '字',
    '1',
    '##2',
    'x',
    '##2y',
    'é',
    '##é',
  ].map((token, id) => [token, id]),
);
const PARTS = Object.fromEntries(
  [
    '<unk>',
    'a',
    'b',
    '##b',
    'a</w>',
    'b</w>',
    '##b</w>',
    'ab',
    'ab</w>',
    '##a',
    '##ab',
    'u',
    '##p',
    '##p</w>',
    'up</w>',
  ].map((token, id) => [token, id]),
);
const SCORES = [
  ['<unk>', 0],
  ['▁', -3],
  ['a', -2.5],
  ['b', -3],
  ['▁a', -2],
  ['up', -2],
  ['u', -4],
  ['p', -4],
  ['▁up', -1.5],
  ['per', -2],
  ['e', -4],
  ['r', -4],
  ['Hello', -1],
  ['l', -3],
  ['o', -3],
  ['lo', -3.5],
  [' ', -3],
  ['▁▁', -2],
  ['é', -4],
  ['aa', -4.9],
  ['bb', -6],
  ...Array.from({ length: 256 }, (_, byte) => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, -9]),
];
const bert = {
  pre_tokenizer: { type: 'BertPreTokenizer' },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
};
const byWord = { pre_tokenizer: { type: 'WhitespaceSplit' } };

const MODELS: Json[] = [
  ...BOOLEANS.flatMap((fuse_unk) =>
    BOOLEANS.flatMap((byte_fallback) =>
      ['<unk>', null].map((unk_token) => ({ model: bpe({ fuse_unk, byte_fallback, unk_token }) })),
    ),
  ),
  ...BOOLEANS.map((ignore_merges) => ({ model: bpe({ ignore_merges }), ...byWord })),
  { model: bpe({ merges: merges.filter((pair) => !/\s/.test(pair.join(''))).map((pair) => pair.join(' ')) }) },
  {
    model: bpe({
      vocab: PARTS,
      merges: [
        ['a', '##b'],
        ['##a', '##b'],
      ],
      continuing_subword_prefix: '##',
    }),
    ...byWord,
  },
  {
    model: bpe({
      vocab: PARTS,
      merges: [
        ['a', 'b</w>'],
        ['a', 'b'],
      ],
      end_of_word_suffix: '</w>',
    }),
    ...byWord,
    decoder: { type: 'BPEDecoder', suffix: '</w>' },
  },
  {
    model: bpe({
      vocab: PARTS,
      merges: [
        ['u', '##p</w>'],
        ['a', '##b</w>'],
      ],
      continuing_subword_prefix: '##',
      end_of_word_suffix: '</w>',
    }),
    ...byWord,
  },
  ...[100, 3].map((max_input_chars_per_word) => ({
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word,
      vocab: WORDS,
    },
    ...bert,
  })),
  { model: { type: 'WordLevel', unk_token: '[UNK]', vocab: WORDS }, pre_tokenizer: { type: 'Whitespace' } },
  { model: { type: 'WordLevel', unk_token: 'missing', vocab: WORDS }, pre_tokenizer: { type: 'Whitespace' } },
  ...BOOLEANS.flatMap((byte_fallback) =>
    [{}, { pre_tokenizer: metaspace('always'), decoder: metaspace('always') }].map((rest) => ({
      model: { type: 'Unigram', unk_id: 0, vocab: SCORES, byte_fallback },
      ...rest,
    })),
  ),
  { model: { type: 'Unigram', unk_id: null, vocab: SCORES, byte_fallback: false } },
  { model: { vocab, merges, unk_token: '<unk>' } },
];

const ADDED: Json[] = [
  ...BOOLEANS.flatMap((single_word) =>
    BOOLEANS.flatMap((normalized) =>
      BOOLEANS.map((special) => ({
        added_tokens: added({ content: 'up', single_word, normalized, special }),
        normalizer: { type: 'Lowercase' },
      })),
    ),
  ),
  ...BOOLEANS.flatMap((lstrip) =>
    BOOLEANS.flatMap((rstrip) =>
      BOOLEANS.map((single_word) => ({
        added_tokens: added(
          { content: '<x>', lstrip, rstrip, single_word, special: true },
          { content: 'up', lstrip, rstrip, single_word, normalized: false },
        ),
      })),
    ),
  ),
  ...SCHEMES.map((scheme) => ({ added_tokens: SPECIAL, pre_tokenizer: metaspace(scheme), decoder: metaspace(scheme) })),
  {
    added_tokens: added(
      { content: '<l>', lstrip: true },
      { content: '<r>', rstrip: true },
      { content: '<lr>', lstrip: true, rstrip: true },
      { content: '<n>' },
      { content: '<N>', normalized: false },
    ),
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: metaspace('always'),
    decoder: metaspace('always'),
  },
  {
    added_tokens: added(
      ...['up', 'upper', 'pper u', 'u', 'cup', 'aa', 'aaa', ' ', '  ', '\n\n', '\n'].map((content) => ({ content })),
    ),
  },
  {
    added_tokens: added(
      { content: 'upper', single_word: true },
      { content: 'up' },
      { content: 'cup up', single_word: true },
    ),
  },
  { added_tokens: added({ content: 'UP', special: true }, { content: 'Hello' }), normalizer: { type: 'Lowercase' } },
  {
    added_tokens: added({ content: 'up' }, { content: '<x>', special: true, normalized: false }),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
  },
  { added_tokens: added({ content: 'a' }, { content: '<unk>', special: true }, { content: '▁', special: true }) },
  { added_tokens: [{ ...added({ content: '<x>' })[0], id: 99_999 }] },
];

const DECODERS: (Json | null)[] = [
  null,
  { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  ...BOOLEANS.map((cleanup) => ({ type: 'WordPiece', prefix: 'a', cleanup })),
  ...SCHEMES.map((scheme) => metaspace(scheme)),
  { type: 'BPEDecoder', suffix: 'a' },
  { type: 'CTC', pad_token: 'a', word_delimiter_token: '|', cleanup: true },
  { type: 'CTC', pad_token: '<pad>', word_delimiter_token: ' ', cleanup: false },
  ...['Fuse', 'ByteFallback'].map((type) => ({ type })),
  { type: 'Strip', content: ' ', start: 1, stop: 0 },
  {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
  { type: 'Replace', pattern: { Regex: '[aeiou]' }, content: '*' },
];

const special = {
  '<s>': { id: '<s>', ids: [size], tokens: ['<s>'] },
  '</s>': { id: '</s>', ids: [size + 1], tokens: ['</s>'] },
};
const A = { Sequence: { id: 'A', type_id: 0 } };
const template = (...single: Json[]): Json => ({
  type: 'TemplateProcessing',
  single,
  pair: [A, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: special,
});
const START = { SpecialToken: { id: '<s>', type_id: 0 } };
const BERT = { type: 'BertProcessing', sep: ['</s>', size + 1], cls: ['<s>', size] };
const BYTES = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
const POST_PROCESSORS: Json[] = [
  template(START, A, { SpecialToken: { id: '</s>', type_id: 0 } }),
  template(START),
  BERT,
  { ...BERT, type: 'RobertaProcessing', trim_offsets: true, add_prefix_space: true },
  BYTES,
  { type: 'Sequence', processors: [BYTES, BERT] },
];

export const FILES: Record<string, Json[]> = {
  normalizers: NORMALIZERS.map((normalizer) => file({ normalizer })),
  'pre-tokenizers': PRE_TOKENIZERS.map((pre_tokenizer) => file({ pre_tokenizer })),
  models: MODELS.map(file),
  'added tokens': ADDED.map(file),
  decoders: DECODERS.map((decoder) => file({ decoder, model: bpe({ byte_fallback: true }), added_tokens: SPECIAL })),
  'post-processors': POST_PROCESSORS.map((post_processor) => file({ post_processor, added_tokens: SPECIAL })),
};
