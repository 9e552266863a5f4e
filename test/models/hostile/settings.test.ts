import { readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allWeights } from '../../../kernel/models/graph/architecture';
import { parseConfig } from '../../../kernel/models/config';
import { sizeOf } from '../../../kernel/onnx/tensor';
import {
  adapter,
  assertRefused,
  edit,
  good,
  loadAdapter,
  loadModel,
  settings,
  SINGLE,
  type Case,
  type Damage,
} from './folders';

const config = (changes: object) => edit('config.json', changes);
/** With numbers that `JSON.stringify` does not write. */
const rawConfig =
  (setting: string, number: string): Damage =>
  (copy) => {
    edit('config.json', { [setting]: 'RAW' })(copy);
    writeFileSync(join(copy, 'config.json'), readFileSync(join(copy, 'config.json'), 'utf8').replace('"RAW"', number));
  };
/** Weights of a vocabulary of 2^31 - 1 tokens. The file takes no room on the disk. */
const hollow: Damage = (copy) => {
  config({ vocab_size: 2 ** 31 - 1, hidden_size: 240 })(copy);
  const weights = allWeights(parseConfig(JSON.parse(readFileSync(join(copy, 'config.json'), 'utf8'))));
  let end = 0;
  const header = Object.fromEntries(
    weights.map(({ name, shape }) => [name, { dtype: 'F32', shape, data_offsets: [end, (end += 4 * sizeOf(shape))] }]),
  );
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(join(copy, SINGLE), Buffer.concat([length, text]));
  truncateSync(join(copy, SINGLE), 8 + text.length + end);
};

test('files of settings that hold no object, have no end, or are no files', {
  skip: process.platform === 'win32',
}, async () => {
  for (const name of ['config.json', 'generation_config.json']) await assertRefused(good, settings(name), loadModel);
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    await assertRefused(
      good,
      settings(name).filter(([what]) => !what.endsWith('size')),
      loadModel,
    );
  await assertRefused(adapter, settings('adapter_config.json'), loadAdapter);
  await assertRefused(
    good,
    [
      [
        'a link to nothing',
        (copy) => (rmSync(join(copy, 'config.json')), symlinkSync('nowhere', join(copy, 'config.json'))),
        /has no config\.json/,
      ],
    ],
    loadModel,
  );
});

test('sizes and settings of a model that none has', async () => {
  const wanted = (name: string, wish = 'a positive integer') => new RegExp(`config\\.json: ${name} must be ${wish}`);
  const counts = [
    'num_hidden_layers',
    'head_dim',
    'vocab_size',
    'hidden_size',
    'intermediate_size',
    'num_attention_heads',
    'num_key_value_heads',
    'max_position_embeddings',
  ];
  const wrong = ['-1', '0', '0.5', '1e300', '1e400', '"8"', '[8]', '{}', 'true'];
  const kinds = (name: string, value: string): Case => [`${name} = ${value}`, rawConfig(name, value), wanted(name)];
  await assertRefused(
    good,
    [
      ...counts.flatMap((name) => wrong.map((value) => kinds(name, value))),
      [
        'many layers',
        config({ num_hidden_layers: 1e9 }),
        /num_hidden_layers must be a positive integer of at most 10000, not 1000000000/,
      ],
      [
        'all layers that there may be',
        config({ num_hidden_layers: 10_000 }),
        /no tensor "model\.layers\.2\.self_attn\.q_proj\.weight"/,
      ],
      ['large heads', config({ head_dim: 1e9 }), /head_dim must be a positive integer of at most 65536/],
      [
        'the largest heads',
        config({ head_dim: 65_536 }),
        /"model\.layers\.0\.self_attn\.q_proj\.weight" has shape \[8, 8\], config\.json wants \[131072, 8\]/,
      ],
      [
        'a large vocabulary',
        config({ vocab_size: 1e9 }),
        /"model\.embed_tokens\.weight" has shape \[\d+, 8\], config\.json wants \[1000000000, 8\]/,
      ],
      [
        'more than there is memory, in a file with holes',
        hollow,
        /copy: the model would take 2\.1 TB of memory, and there are .*B; choose a smaller one, or load it with loadIn4bit/,
      ],
      ['a wide part', config({ intermediate_size: 1e9 }), /wants \[1000000000, 8\]/],
      ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''].map(
        (name): Case => [
          name,
          config({ model_type: name }),
          new RegExp(`model_type = "${name}" \\(supported: "llama"`),
        ],
      ),
      ['a list of families', config({ model_type: ['llama'] }), /model_type = \["llama"\] \(supported/],
      ['no family', config({ model_type: null }), /model_type = null \(supported/],
      ['a long name', config({ model_type: 'x'.repeat(1e6) }), /model_type = "x{50,60}… \(supported/],
      ...['__proto__', 'constructor', 5].map(
        (rope_type): Case => [
          `rope ${rope_type}`,
          config({ rope_parameters: { rope_type, rope_theta: 1 } }),
          /rope_type ("\w+"|5) is not supported \(supported: default/,
        ],
      ),
      [
        'an activation',
        config({ hidden_act: 'constructor' }),
        /hidden_act = "constructor" \(supported: "silu", "swish"\)/,
      ],
      [
        'rope that is a text',
        config({ rope_parameters: 'yarn' }),
        /the parameters of a rotary embedding .* must be an object or null, not "yarn"/,
      ],
      [
        'rope that is a list',
        config({ rope_parameters: null, rope_scaling: [1] }),
        /must be an object or null, not \[1\]/,
      ],
      [
        'rope by type that is a number',
        config({ rope_parameters: { full_attention: 5 } }),
        /must be an object or null, not 5/,
      ],
      [
        'rope without an angle',
        config({ rope_parameters: { rope_type: 'yarn', rope_theta: 1, factor: 2 } }),
        /rope_type yarn give angles that are no numbers/,
      ],
      [
        'rope without end',
        rawConfig('rope_parameters', '{"rope_theta":1e400}'),
        /needs rope_theta as a positive number, not Infinity/,
      ],
      [
        'an epsilon without end',
        rawConfig('rms_norm_eps', '1e400'),
        /rms_norm_eps must be a positive number, not Infinity/,
      ],
      [
        'an epsilon that is a text',
        config({ rms_norm_eps: '1e-5' }),
        /rms_norm_eps must be a positive number, not "1e-5"/,
      ],
      ['a flag', config({ tie_word_embeddings: 'yes' }), /tie_word_embeddings must be true or false, not "yes"/],
      [
        'an end',
        config({ eos_token_id: '</s>' }),
        /eos_token_id must be a token ID, a list of them, or null, not "<\/s>"/,
      ],
      ['a list of ends', config({ eos_token_id: [1, [2]] }), /eos_token_id must be a token ID/],
      ['padding', config({ pad_token_id: 0.5 }), /pad_token_id must be a token ID/],
      [
        'layer types',
        config({ layer_types: ['__proto__', 'full_attention'] }),
        /layer_types with "__proto__" \(supported: "full_attention"\)/,
      ],
      [
        'many layer types',
        config({ layer_types: new Array(100_000).fill('x') }),
        /layer_types has 100000 entries for 2 layers/,
      ],
      [
        'an interval',
        config({ model_type: 'smollm3', no_rope_layer_interval: 0 }),
        /no_rope_layer_interval must be a positive integer/,
      ],
      ['a window', config({ model_type: 'mistral', sliding_window: -1 }), /sliding_window must be a positive integer/],
      [
        'a temperature',
        edit('generation_config.json', { temperature: 'hot' }),
        /generation_config\.json: temperature must be a number, or null, not "hot"/,
      ],
      [
        'sampling',
        edit('generation_config.json', { do_sample: 1 }),
        /generation_config\.json: do_sample must be true or false, or null, not 1/,
      ],
      [
        'an end of generations',
        edit('generation_config.json', { eos_token_id: { a: 1 } }),
        /generation_config\.json: eos_token_id must be a token ID/,
      ],
    ],
    loadModel,
  );
});
