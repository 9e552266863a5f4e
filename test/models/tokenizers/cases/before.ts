/* What is done to a text before its tokens are looked up. */
import { BOOLEANS, metaspace, SCHEMES, type Json } from './file';

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

export const NORMALIZERS: Json[] = [
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
export const PRE_TOKENIZERS: Json[] = [
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
