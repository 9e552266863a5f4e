import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TextTokenizer } from '../../../kernel/models/tokenizers';
import { PythonPeer } from '../pythonPeer';
import { file, TEXTS } from './cases/file';
import { FILES } from './cases/files';

const peer = new PythonPeer('models/tokenizers/tokenizers_peer.py');
after(() => peer.close());

interface Row {
  ids?: number[];
  plain?: number[];
  text?: string;
  skipped?: string;
  error?: string;
}

function ours(tokenizer: TextTokenizer, text: string): Row {
  try {
    const ids = tokenizer.encode(text, true);
    return {
      ids,
      plain: tokenizer.encode(text, false),
      text: tokenizer.decode(ids, false),
      skipped: tokenizer.decode(ids, true),
    };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

for (const [part, files] of Object.entries(FILES)) {
  test(`${part}: tokens and texts are those of the Rust library`, async () => {
    const expected: { rows?: Row[]; size?: number; error?: string }[] = await peer.call('run', { files, texts: TEXTS });
    files.forEach((one, i) => {
      const { rows, size, error } = expected[i];
      const { model, version, ...rest } = one;
      const { vocab, merges, ...settings } = model as Record<string, unknown>;
      const about = JSON.stringify({ ...rest, model: settings });
      assert.ok(rows, `${about}: ${error}`);
      const tokenizer = new TextTokenizer(one, 'tokenizer.json');
      assert.equal(tokenizer.size, size, about);
      TEXTS.forEach((text, j) => {
        const mine = ours(tokenizer, text);
        if (rows[j].error) assert.ok(mine.error, `${about}, ${JSON.stringify(text)}: ${rows[j].error}`);
        else assert.deepEqual(mine, rows[j], `${about}, ${JSON.stringify(text)}`);
      });
    });
  });
}

const small = { type: 'BPE', unk_token: '<unk>', vocab: { '<unk>': 0, a: 1, b: 2, aa: 3 }, merges: [] };
const made = (settings: object): TextTokenizer =>
  new TextTokenizer({ ...file(), model: small, ...settings }, 'tokenizer.json');
const replace = (Regex: string): object => ({ type: 'Replace', pattern: { Regex }, content: 'x' });
const slow = `${'a'.repeat(5000)}!`;

test('patterns that would take for ever end with an error, wherever they stand', () => {
  const late = /its patterns took more than 2\.0 s for a text of 500\d characters/;
  assert.throws(() => made({ normalizer: replace('^(a+)+$') }).encode(slow, true), late);
  assert.throws(
    () =>
      made({
        pre_tokenizer: { type: 'Split', pattern: { Regex: '(a|aa)+$' }, behavior: 'Isolated', invert: false },
      }).encode(slow, true),
    late,
  );
  const fused = made({ decoder: { type: 'Sequence', decoders: [{ type: 'Fuse' }, replace('^(a+)+b$')] } });
  assert.throws(() => fused.decode(fused.encode(slow, true), false), late);
  assert.throws(
    () =>
      made({
        normalizer: replace('^(a+)+$'),
        added_tokens: [{ id: 4, content: slow, normalized: true, special: false }],
      }),
    /its patterns took more than/,
  );
  assert.deepEqual(made({ normalizer: replace('^(a+)+$') }).encode('ab', true), [1, 2]);
});

test('steps that make a text longer and longer end with an error', () => {
  const doubling = Array.from({ length: 40 }, () => ({ type: 'Replace', pattern: { String: 'a' }, content: 'aa' }));
  assert.throws(
    () => made({ normalizer: { type: 'Sequence', normalizers: doubling } }).encode('a', true),
    /makes a text more than 1000000 characters long/,
  );
  const decoding = made({ decoder: { type: 'Sequence', decoders: doubling } });
  assert.throws(() => decoding.decode([1], false), /makes a text more than 1000000 characters long/);
  const prefixes = Array.from({ length: 200 }, () => ({ type: 'Prepend', prepend: 'a'.repeat(100_000) }));
  assert.throws(
    () => made({ normalizer: { type: 'Sequence', normalizers: prefixes } }).encode('a', true),
    /too much for the text/,
  );
  assert.throws(
    () =>
      made({
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: Array.from({ length: 40 }, () => ({
            type: 'ByteLevel',
            add_prefix_space: false,
            trim_offsets: true,
            use_regex: false,
          })),
        },
      }).encode('é', true),
    /too much for the text/,
  );
});

test('words and tokens of any length are split in a time that their lengths bound', () => {
  const long = 'a'.repeat(100_000);
  const wordPiece = made({
    model: {
      type: 'WordPiece',
      unk_token: 'a',
      vocab: { a: 0, ['b'.repeat(100_000)]: 1 },
      max_input_chars_per_word: 4e9,
      continuing_subword_prefix: '',
    },
  });
  assert.equal(wordPiece.encode(long, true).length, 100_000);
  assert.equal(made({ model: { ...small, merges: [['a', 'a']] } }).encode(long, true).length, 50_000);
});

test('what is wrong in a file is said in a sentence that names the place', () => {
  const wrong: [object, RegExp][] = [
    [
      { model: { ...small, vocab: { a: 4e9 } } },
      /^tokenizer\.json\.model\.vocab gives the token "a" the ID 4000000000; IDs are integers from 0 to 2147483647$/,
    ],
    ...[-1, 1.5, '1', null, {}].map((id): [object, RegExp] => [
      { model: { ...small, vocab: { a: id } } },
      /gives the token "a" the ID/,
    ]),
    [{ model: { ...small, vocab: { a: 0, b: 0 } } }, /gives the ID 0 to two tokens/],
    [{ model: { ...small, merges: [['a', 'c']] } }, /merges\[0\] names "c", which the vocabulary does not have/],
    [{ model: { ...small, merges: [['a']] } }, /merges\[0\] should be two tokens/],
    [{ model: { ...small, dropout: 0.1 } }, /dropout makes other tokens of a text each time/],
    [{ model: { type: 'Unigram', vocab: [['a', null]] } }, /vocab\[0\] should be a token and its score/],
    [{ model: null }, /^tokenizer\.json\.model should be an object, not null$/],
    [{ model: { type: 'constructor' } }, /model\.type is constructor, which is not known here/],
    [{ normalizer: [] }, /normalizer should be an object, not an array/],
    [{ normalizer: { type: 'Sequence', normalizers: [null] } }, /normalizers\[0\] should be an object, not null/],
    [{ normalizer: { type: 'Replace', pattern: 'a', content: '' } }, /pattern should be an object, not "a"/],
    [{ normalizer: replace('(a') }, /is a pattern that cannot be used here/],
    [{ normalizer: replace('a'.repeat(20_000)) }, /has 20000 characters/],
    [{ normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } }, /is not a table of sentencepiece/],
    [
      { pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'removed', invert: false } },
      /behavior should be one of "Removed", "Isolated"/,
    ],
    [
      { pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'sometimes' } },
      /prepend_scheme should be one of "always", "first", "never"/,
    ],
    [
      {
        post_processor: {
          type: 'TemplateProcessing',
          single: [{ SpecialToken: { id: '<q>', type_id: 0 } }],
          special_tokens: {},
        },
      },
      /names the token "<q>", which .* does not have/,
    ],
    [{ decoder: { type: 'Strip', content: '', start: 1, stop: 1 } }, /content should be one character/],
    [{ added_tokens: [null] }, /added_tokens\[0\] should be an object, not null/],
    [{ added_tokens: [{ id: 'x', content: 'a' }] }, /added_tokens\[0\]\.id should be an integer from 0/],
  ];
  for (const [settings, message] of wrong) assert.throws(() => made(settings), { name: 'Error', message });
});
