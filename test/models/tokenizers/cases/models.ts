import { BOOLEANS, bpe, merges, metaspace, vocab, type Json } from './file';

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

export const MODELS: Json[] = [
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
