import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { matchWithin } from '../../../kernel/models/lora/loraPatterns';
import { SafetensorsFile } from '../../../kernel/models/checkpoint/safetensors';
import { PythonPeer } from '../pythonPeer';

const peer = new PythonPeer('models/checkpoint/formats_peer.py');
after(() => peer.close());

/** A file with this header and so many bytes of values. */
function safetensors(header: unknown, bytes: number, length?: bigint): Buffer {
  const text = Buffer.isBuffer(header)
    ? header
    : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([start, text, Buffer.alloc(bytes)]);
}

const tensor = (begin: unknown, end: unknown, shape: unknown = [2], dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const good = { a: tensor(0, 8), b: tensor(8, 16) };

const files: Record<string, Buffer> = {
  'two tensors': safetensors(good, 16),
  'in another order than the values': safetensors({ b: tensor(8, 16), a: tensor(0, 8) }, 16),
  'no tensors': safetensors({}, 0),
  'metadata alone': safetensors({ __metadata__: { format: 'pt' } }, 0),
  'metadata that is null': safetensors({ __metadata__: null, ...good }, 16),
  'spaces after the header': safetensors(`${JSON.stringify(good)}     `, 16),
  'spaces before the header': safetensors(`  ${JSON.stringify(good)}`, 16),
  'a scalar': safetensors({ a: tensor(0, 4, []) }, 4),
  'an empty tensor': safetensors({ a: tensor(0, 0, [0]), b: tensor(0, 8) }, 8),
  'an empty tensor in between': safetensors({ a: tensor(0, 8), b: tensor(8, 8, [3, 0]), c: tensor(8, 16) }, 16),
  'half precision that is not aligned': safetensors({ a: tensor(0, 2, [1], 'F16'), b: tensor(2, 10) }, 10),
  'a further field': safetensors({ a: { ...tensor(0, 8), more: -1.5e3 } }, 8),
  'numbers in names': safetensors({ 'a:1.5,-2': tensor(0, 8), 'b": [-1.0': tensor(8, 16) }, 16),
  'a name of the language': safetensors(
    `{"__proto__": ${JSON.stringify(tensor(0, 8))}, "constructor": ${JSON.stringify(tensor(8, 16))}}`,
    16,
  ),
  'a name that comes twice': safetensors(
    `{"a": ${JSON.stringify(tensor(0, 8))}, "a": ${JSON.stringify(tensor(0, 8))}}`,
    8,
  ),

  'a negative offset': safetensors({ a: tensor(-8, 0), b: tensor(0, 8) }, 8),
  'offsets that overlap': safetensors({ a: tensor(0, 8), b: tensor(4, 12) }, 12),
  'two tensors in the same place': safetensors({ a: tensor(0, 8), b: tensor(0, 8) }, 8),
  'a gap': safetensors({ a: tensor(0, 8), b: tensor(12, 20) }, 20),
  'a gap at the beginning': safetensors({ a: tensor(4, 12) }, 12),
  'bytes after the last tensor': safetensors(good, 17),
  'a tensor beyond the end': safetensors(good, 12),
  'offsets in reverse': safetensors({ a: tensor(8, 0) }, 8),
  'offsets of another size': safetensors({ a: tensor(0, 4) }, 4),
  'offsets with a point': safetensors('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0.0,8.0]}}', 8),
  'offsets with an exponent': safetensors('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8e0]}}', 8),
  'negative zero': safetensors('{"a":{"dtype":"F32","shape":[2],"data_offsets":[-0,8]}}', 8),
  'a fraction of an offset': safetensors({ a: tensor(0.5, 8.5) }, 9),
  'offsets that are texts': safetensors({ a: tensor('0', '8') }, 8),
  'one offset': safetensors({ a: { dtype: 'F32', shape: [2], data_offsets: [0] } }, 8),
  'three offsets': safetensors({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8, 8] } }, 8),
  'no offsets': safetensors({ a: { dtype: 'F32', shape: [2] } }, 8),
  'offsets that are null': safetensors({ a: { dtype: 'F32', shape: [2], data_offsets: null } }, 8),
  'a shape that is no list': safetensors({ a: tensor(0, 8, 2) }, 8),
  'a negative shape': safetensors({ a: tensor(0, 8, [-2]) }, 8),
  'two negative sizes': safetensors({ a: tensor(0, 8, [-2, -1]) }, 8),
  'a fraction in a shape': safetensors({ a: tensor(0, 8, [2.5]) }, 8),
  'a nested shape': safetensors({ a: tensor(0, 8, [[2]]) }, 8),
  'a shape beyond all bounds': safetensors(
    '{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}',
    0,
  ),
  'a huge shape': safetensors('{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}', 8),
  'a size beyond all bounds': safetensors(
    '{"a":{"dtype":"F32","shape":[100000000000000000000],"data_offsets":[0,8]}}',
    8,
  ),
  'a type that is not known': safetensors({ a: tensor(0, 8, [2], 'F31') }, 8),
  'a type with a name of the language': safetensors({ a: tensor(0, 8, [2], 'constructor') }, 8),
  'a type that is null': safetensors({ a: tensor(0, 8, [2], null) }, 8),
  'a tensor that is null': safetensors({ a: null }, 0),
  'a tensor that is a list': safetensors({ a: [] }, 0),
  'metadata that is no object': safetensors({ __metadata__: 'pt' }, 0),
  'metadata of numbers': safetensors({ __metadata__: { format: 1 } }, 0),
  'a header that is null': safetensors('null', 0),
  'a header that is a list': safetensors('[]', 0),
  'a header that is a number': safetensors('5', 0),
  'a header that is not JSON': safetensors('{"a":', 0),
  'a header with a comma too many': safetensors('{"a":{"dtype":"F32","shape":[2,],"data_offsets":[0,8]}}', 8),
  'a header that is not UTF-8': safetensors(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 0),
  'a header with a byte order mark': safetensors(`\ufeff${JSON.stringify(good)}`, 16),
  'a nested header': safetensors(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 0),
  'no header': safetensors('', 0),
  'no bytes': Buffer.alloc(0),
  'seven bytes': Buffer.alloc(7),
  'a length beyond the file': safetensors(good, 0, 10_000n),
  'a length of 2^63': safetensors(good, 16, 2n ** 63n),
  'the largest length': safetensors(good, 16, 2n ** 64n - 1n),
};

test('safetensors files are opened or refused as by their own library, with a message that names the file', async () => {
  const names = Object.keys(files);
  const paths = names.map((name) => peer.path(`${name.replace(/\W/g, '_')}.safetensors`));
  paths.forEach((path, i) => writeFileSync(path, files[names[i]]));
  const theirs: (string | null)[] = await peer.call('opens', { files: paths });
  assert.equal(theirs.filter((problem) => problem === null).length, 15);
  paths.forEach((path, i) => {
    const open = () => new SafetensorsFile(path).close();
    if (theirs[i] === null) assert.doesNotThrow(open, names[i]);
    else
      assert.throws(
        open,
        (error: Error) => error.message.startsWith(path) && error.message.length < 500,
        `${names[i]}: ${theirs[i]}`,
      );
  });
});

test('a header of a million tensors is refused before it is read', () => {
  const path = peer.path('million.safetensors');
  const entry = Buffer.from('"t":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},');
  const header = Buffer.concat([Buffer.from('{'), ...new Array<Buffer>(1e6).fill(entry), Buffer.from('"u":{}}')]);
  writeFileSync(path, safetensors(header, 0));
  assert.throws(
    () => new SafetensorsFile(path),
    /the safetensors header has 53\.\d MB, more than that of a model may have/,
  );
});

const keys = [
  'model.layers.0.self_attn.q_proj',
  'model.layers.10.mlp.up_proj',
  'model.layers.1.self_attn.k_proj',
  'model.embed_tokens',
  'lm_head',
];

const patterns = [
  '.*q_proj',
  '.*\\.(?P<part>self_attn|mlp)\\.(q|k|gate)_proj',
  '^(?:(?!embed).)*(?:q_proj|k_proj)$',
  '.*(?<=self_attn\\.)q_proj',
  '.*(?=q_proj)q_proj',
  'model.*(self_attn|mlp).*(q|k|v|o|gate|up|down)_proj',
  '.*\\.layers\\.(0|10)\\..*',
  '.*\\.layers\\.[0-9]{,1}\\..*',
  'm{,}.*',
  'm{1}.*',
  'm{,1}.*',
  'm{a}.*',
  'x{2,1}',
  '[]m].*',
  '[^]x]*',
  '[[]?lm_head',
  '[a-z&&[^b]]+_head',
  '[\\]lm_head]+',
  'lm[\\_]head',
  '\\Amodel.*\\Z',
  '(?i)MODEL.*',
  '(?s).*head',
  '(?u)lm_head',
  '(?#left)lm_head',
  '(?P<a>m).*(?P=a).*',
  '(m).*\\1.*',
  'lm\\_head',
  '^lm_head',
  'lm_head$',
  '\\x6cm_head',
  '\\u006cm_head',
  '\\101.*',
  '[^\\W\\d_]+_head',
  '.*\\d{1,2}.*proj',
  '(|lm_head)',
  '',
  'lm_head',
  'head',
  'a)|(b',
  '.*\\h',
  '[\\A]',
  '\\p{L}+_head',
  '.*proj(',
  '[',
  '\\',
  '\\k<n>',
  '(?P<n>x)|(?P<n>y)',
  '*',
  '(?P=n)',
];

test("patterns of layers match as Python's, or are errors where Python has them", async () => {
  const theirs: (boolean[] | null)[] = await peer.call('fullmatch', { patterns, keys });
  const ours = (patterns: string[]) => matchWithin('target_modules', { patterns, keys });
  const valid = patterns.filter((_, i) => theirs[i] !== null);
  const matched = ours(valid);
  valid.forEach((pattern, i) => assert.deepEqual(matched[i], theirs[patterns.indexOf(pattern)], pattern));
  const wrong = patterns.filter((pattern) => !valid.includes(pattern));
  assert.ok(valid.length > 30 && wrong.length > 8);
  for (const pattern of wrong)
    assert.throws(() => ours([pattern]), /^Error: target_modules: Invalid regular expression/, pattern);
});

test('patterns that would not end are given up, and those that are too many', () => {
  const slow = ['(([a-z_.0-9]+)+)+!', '(.|\\w)*[0-9]!'];
  const keys = ['model.layers.0.self_attn.q_proj'.repeat(2)];
  for (const pattern of slow) {
    assert.throws(
      () => matchWithin('rank_pattern', { patterns: [pattern], keys, ends: true }),
      /rank_pattern: ".*" cannot be matched: it took more than 1 s; write a simpler expression, or names of layers/,
      pattern,
    );
  }
  assert.throws(
    () => matchWithin('rank_pattern', { patterns: new Array<string>(10_001).fill('q_proj'), keys }),
    /rank_pattern has 10001 entries; at most 10000/,
  );
});
