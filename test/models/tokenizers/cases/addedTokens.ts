import { added, BOOLEANS, metaspace, SCHEMES, SPECIAL, type Json } from './file';

export const ADDED: Json[] = [
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
