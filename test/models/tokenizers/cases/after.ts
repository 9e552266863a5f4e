/* What is done to tokens: others are put around them, and they are made a text again. */
import { BOOLEANS, metaspace, SCHEMES, size, type Json } from './file';

export const DECODERS: (Json | null)[] = [
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
export const POST_PROCESSORS: Json[] = [
  template(START, A, { SpecialToken: { id: '</s>', type_id: 0 } }),
  template(START),
  BERT,
  { ...BERT, type: 'RobertaProcessing', trim_offsets: true, add_prefix_space: true },
  BYTES,
  { type: 'Sequence', processors: [BYTES, BERT] },
];
