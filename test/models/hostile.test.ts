import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { FastLanguageModel, PeftModel, type CausalLM } from '../../kernel/models';
import { allWeights } from '../../kernel/models/graph/architecture';
import { parseConfig } from '../../kernel/models/config';
import { sizeOf } from '../../kernel/onnx/tensor';
import { writeTinyModel } from './tinyModel';

/*
 * Folders as someone might make them who means no good. Each is an error of a
 * sentence or two that names the file, at once, and changes nothing anywhere.
 */

const folder = mkdtempSync(join(tmpdir(), 'joylab-hostile-'));
const good = join(folder, 'good');
const adapter = join(folder, 'adapter');
const outside = join(folder, 'outside');
const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
let model: CausalLM;
after(() => rmSync(folder, { recursive: true }));
before(async () => {
  writeTinyModel(good);
  ({ model } = await FastLanguageModel.fromPretrained({ modelName: good }));
  await FastLanguageModel.getPeftModel(model, { r: 2 }).savePretrained(adapter);
  mkdirSync(outside);
  for (const name of ['keep.txt', 'notes.partial', 'model.safetensors.partial'])
    writeFileSync(join(outside, name), 'mine');
  cpSync(join(good, SINGLE), join(outside, SINGLE));
});

type Damage = (copy: string) => void;
/** What it is, what makes it of a good folder, and the error. */
type Case = [string, Damage, RegExp];

const write =
  (name: string, content: unknown): Damage =>
  (copy) =>
    writeFileSync(join(copy, name), typeof content === 'string' ? content : JSON.stringify(content));
const edit =
  (name: string, changes: object): Damage =>
  (copy) =>
    writeFileSync(
      join(copy, name),
      JSON.stringify({ ...JSON.parse(readFileSync(join(copy, name), 'utf8')), ...changes }),
    );
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
const nested = '['.repeat(100_000) + ']'.repeat(100_000);
const names = Array.from({ length: 200_000 }, (_, i) => [`t${i}`, `${i}.safetensors`]);

/** Puts something else in the place of a file. */
const instead: Record<string, (path: string) => void> = {
  'a pipe': (path) => void assert.equal(spawnSync('mkfifo', [path]).status, 0),
  'a folder': (path) => mkdirSync(path),
  'a device': (path) => symlinkSync('/dev/zero', path),
  'a socket': (path) => symlinkSync(socket, path),
};
const socket = join(folder, 'socket');
const server = createServer().listen(socket);
after(() => server.close());

/** Calls `load` for a copy of `from` with each damage. */
async function assertRefused(from: string, cases: Case[], load: (copy: string) => Promise<unknown>): Promise<void> {
  const copy = join(folder, 'copy');
  for (const [name, damage, message] of cases) {
    cpSync(from, copy, { recursive: true });
    damage(copy);
    const state = () => [copy, outside].map((place) => readdirSync(place, { recursive: true }).sort());
    const before = state();
    await assert.rejects(load(copy), (error: Error) => {
      assert.match(error.message, message, name);
      assert.ok(
        error.message.startsWith(folder) && error.message.length < 800,
        `${name}: ${error.message.slice(0, 1000)}`,
      );
      return true;
    });
    assert.deepEqual(state(), before, name);
    rmSync(copy, { recursive: true });
  }
}

const loadModel = (modelName: string) => FastLanguageModel.fromPretrained({ modelName });
const loadAdapter = (copy: string) => PeftModel.fromPretrained(model, copy);

/** What can be wrong with any file of settings. */
function settings(name: string): Case[] {
  const file = `${name.replaceAll('.', '\\.')}`;
  const is = (what: string) => new RegExp(`${file} must hold a JSON object, not ${what}; fetch or save it again`);
  const cases: Case[] = [
    ['null', write(name, null), is('null')],
    ['a list', write(name, []), is('\\[\\]')],
    ['a number', write(name, 5), is('5')],
    ['a text', write(name, '"text"'), is('"text"')],
    ['nothing', write(name, ''), new RegExp(`${file} is not valid JSON`)],
    ['half of it', write(name, '{"a":'), new RegExp(`${file} is not valid JSON`)],
    ['nesting', write(name, `{"a":${nested}}`), new RegExp(`${file} is nested more than 512 levels deep`)],
    [
      'size',
      (copy) => truncateSync(join(copy, name), 65 * 2 ** 20),
      new RegExp(`${file} has 68\\.2 MB, more than such a file may have \\(67\\.1 MB\\)`),
    ],
    ...Object.entries(instead).map(
      ([kind, put]): Case => [
        kind,
        (copy) => (rmSync(join(copy, name)), put(join(copy, name))),
        new RegExp(`${file} is ${kind}, where a file is expected`),
      ],
    ),
  ];
  return cases.map(([what, damage, message]) => [`${name}: ${what}`, damage, message]);
}

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

/** Replaces the weights by an index that puts one tensor into a file of this name. */
const indexed =
  (name: unknown, put: Damage = () => {}): Damage =>
  (copy) => {
    rmSync(join(copy, SINGLE));
    write(INDEX, { weight_map: { 'model.norm.weight': name } })(copy);
    put(copy);
  };

test('indices that name no file of the folder', { skip: process.platform === 'win32' }, async () => {
  const outsideName = /weight_map has .*, which is not the name of a file in the folder/;
  const noMap = (weight_map: unknown): Case => [
    JSON.stringify(weight_map),
    (copy) => (rmSync(join(copy, SINGLE)), write(INDEX, { weight_map })(copy)),
    /weight_map must be an object that gives each tensor the name of its file/,
  ];
  await assertRefused(
    good,
    [
      ...settings(INDEX).map(
        ([name, damage, message]): Case => [name, (copy) => (indexed('x')(copy), damage(copy)), message],
      ),
      ...[null, [], {}, 5, 'x', undefined].map(noMap),
      ...[
        '../outside/model.safetensors',
        '/etc/passwd',
        'a/../../outside/model.safetensors',
        '..\\outside',
        '..',
        '',
        5,
        null,
        [],
        {},
        'x'.repeat(100_000),
      ].map((name): Case => [String(name).slice(0, 50), indexed(name), outsideName]),
      ...['C:\\weights', 'nowhere.safetensors', 'CON', 'a\0b', 'x'.repeat(300)].map(
        (name): Case => [name, indexed(name), /which model\.safetensors\.index\.json lists, is missing/],
      ),
      ['the folder itself', indexed('.'), /is a folder, where a file is expected/],
      ['the configuration', indexed('config.json'), /is not a safetensors file, or is cut short/],
      [
        'a link to another folder',
        indexed('a.safetensors', (copy) => symlinkSync(join(outside, SINGLE), join(copy, 'a.safetensors'))),
        /a\.safetensors, which .* lists, is a link to another folder; put the file in its place/,
      ],
      [
        'a file behind a link',
        indexed('away/model.safetensors', (copy) => symlinkSync(outside, join(copy, 'away'))),
        /is a link to another folder/,
      ],
      ...Object.entries(instead)
        .filter(([kind]) => !/device|socket/.test(kind))
        .map(
          ([kind, put]): Case => [
            kind,
            indexed('a.safetensors', (copy) => put(join(copy, 'a.safetensors'))),
            new RegExp(`a\\.safetensors is ${kind}, where a file is expected`),
          ],
        ),
      ...Object.entries(instead).map(
        ([kind, put]): Case => [
          `${kind} for all weights`,
          (copy) => (rmSync(join(copy, SINGLE)), put(join(copy, SINGLE))),
          new RegExp(`model\\.safetensors is ${kind}, where a file is expected`),
        ],
      ),
      [
        'many files',
        (copy) => (rmSync(join(copy, SINGLE)), write(INDEX, { weight_map: Object.fromEntries(names) })(copy)),
        /is missing/,
      ],
      [
        'a pickle',
        (copy) => renameSync(join(copy, SINGLE), join(copy, 'pytorch_model.bin')),
        /has neither model\.safetensors nor model\.safetensors\.index\.json \(it has pytorch_model\.bin, which cannot be read\); save the model with safe_serialization=True/,
      ],
      [
        'other formats',
        (copy) => (
          renameSync(join(copy, SINGLE), join(copy, 'model.gguf')),
          write('consolidated.00.pth', '')(copy),
          write('training_args.bin', '')(copy)
        ),
        /\(it has consolidated\.00\.pth, model\.gguf, which cannot be read\)/,
      ],
    ],
    loadModel,
  );
});

test('adapters whose settings and weights no adapter has', { skip: process.platform === 'win32' }, async () => {
  const peft = (changes: object) => edit('adapter_config.json', changes);
  const weights = 'adapter_model.safetensors';
  await assertRefused(
    adapter,
    [
      [
        'a pickle',
        (copy) => renameSync(join(copy, weights), join(copy, 'adapter_model.bin')),
        /has no adapter_model\.safetensors \(it has adapter_model\.bin, which cannot be read\); save the adapter with safe_serialization=True/,
      ],
      ['no weights', (copy) => rmSync(join(copy, weights)), /has no adapter_model\.safetensors; save the adapter/],
      ...Object.entries(instead).map(
        ([kind, put]): Case => [
          kind,
          (copy) => (rmSync(join(copy, weights)), put(join(copy, weights))),
          new RegExp(`adapter_model\\.safetensors is ${kind}, where a file is expected`),
        ],
      ),
      [
        'an endless pattern',
        peft({ target_modules: '(.*.*)*x(.*a)*b' }),
        /adapter_config\.json: targetModules: "\(\.\*\.\*\)\*x\(\.\*a\)\*b" cannot be matched: it took more than 1 s; write a simpler expression, or names of layers/,
      ],
      [
        'an endless rank',
        peft({ rank_pattern: { '(([a-z_.0-9]+)+)+!': 2 } }),
        /adapter_config\.json: rankPattern: .* cannot be matched/,
      ],
      [
        'a pattern that is none',
        peft({ target_modules: '(' }),
        /adapter_config\.json: targetModules: Invalid regular expression/,
      ],
      [
        'layers by numbers',
        peft({ target_modules: [5] }),
        /adapter_config\.json: targetModules must be a list of names, or a regular expression, not \[5\]/,
      ],
      ['no layers', peft({ target_modules: null }), /targetModules must be a list of names/],
      ['many names', peft({ target_modules: names.map(([name]) => name) }), /chooses no layer/],
      [
        'many ranks',
        peft({ rank_pattern: Object.fromEntries(names.map(([name]) => [name, 1])) }),
        /rankPattern has 200000 entries; at most 10000/,
      ],
      [
        'ranks in a list',
        peft({ rank_pattern: [1] }),
        /rankPattern must be an object that gives .* to names of layers, not \[1\]/,
      ],
      [
        'a rank that is a text',
        peft({ rank_pattern: { q_proj: '2' } }),
        /rankPattern must be an object that gives .* to names of layers, not \{"q_proj":"2"\}/,
      ],
      [
        'a large rank',
        peft({ r: 1e9 }),
        /adapter_config\.json: r must be a whole number from 1 to 65536, not 1000000000/,
      ],
      ['another rank', peft({ r: 65_536 }), /has shape \[2, 8\], this model wants \[65536, 8\]/],
      ['a rank of one half', peft({ r: 0.5 }), /r must be a whole number from 1 to 65536, not 0\.5/],
      ['a rank in a list', peft({ r: [2] }), /r must be a whole number from 1 to 65536, not \[2\]/],
      ['an alpha', peft({ lora_alpha: -1 }), /loraAlpha must be a number above 0, not -1/],
      ['excluded layers', peft({ exclude_modules: { a: 1 } }), /excludeModules must be a list of names/],
      [
        'layers to transform',
        peft({ layers_to_transform: ['0'] }),
        /layersToTransform must be an index, a list of indices, or null, not \["0"\]/,
      ],
      ['dropout', peft({ lora_dropout: '0.1' }), /loraDropout must be a number from 0 to below 1/],
      ['scaling', peft({ use_rslora: 1 }), /useRslora must be true or false, not 1/],
      ['modules to save', peft({ modules_to_save: ['x'.repeat(1e6)] }), /modules_to_save = \["x+… \(supported: null\)/],
    ],
    loadAdapter,
  );
  await assertRefused(
    adapter,
    [
      ['no base', peft({ base_model_name_or_path: null }), /does not name its base model/],
      ['a list for a base', peft({ base_model_name_or_path: [good] }), /does not name its base model/],
      ['an adapter for a base', peft({ base_model_name_or_path: adapter }), /has no config\.json/],
    ],
    loadModel,
  );
  const wrongBase = (changes: object) => {
    const copy = mkdtempSync(join(folder, 'base-'));
    cpSync(adapter, copy, { recursive: true });
    peft(changes)(copy);
    return loadModel(copy);
  };
  for (const name of ['__proto__', 'constructor'])
    await assert.rejects(
      wrongBase({ base_model_name_or_path: name }),
      /there is no model "\w+": modelName is 'joylab\/strategist'/,
    );
  await assert.rejects(
    wrongBase({ base_model_name_or_path: 'a/b', revision: '../../../x' }),
    /"\.\.\/\.\.\/\.\.\/x" is no revision of a\/b/,
  );
});

const LIST = '.update.json';
/** A list with the inode that it has itself, as one of ours. */
const ownList =
  (places: object): Damage =>
  (copy) => {
    write(LIST, '')(copy);
    const { status, stdout } = spawnSync('stat', ['-c', '%i', join(copy, LIST)], { encoding: 'utf8' });
    assert.equal(status, 0);
    write(LIST, { inode: stdout.trim(), ...places })(copy);
  };

test('lists of an interrupted save that no save has left: nothing is removed or renamed, here or elsewhere', {
  skip: process.platform !== 'linux',
}, async () => {
  const notOurs =
    /\.update\.json was not left by a save to this folder: .* save or fetch it again, or delete this file to take the rest as it is/;
  const link: Damage = (copy) => symlinkSync(outside, join(copy, 'onnx'));
  const lists: Case[] = [
    ['null', write(LIST, null), notOurs],
    ['a list', write(LIST, []), notOurs],
    ['an empty name', write(LIST, { files: [''], obsolete: [] }), notOurs],
    ['nesting', write(LIST, `{"files":${nested},"obsolete":[]}`), notOurs],
    [
      'files of the folder',
      write(LIST, { files: [], obsolete: [SINGLE, 'config.json', 'adapter_config.json'] }),
      notOurs,
    ],
    ['a link', (copy) => symlinkSync(join(outside, 'keep.txt'), join(copy, LIST)), notOurs],
    ['a pipe', (copy) => instead['a pipe'](join(copy, LIST)), notOurs],
    ['a folder', (copy) => mkdirSync(join(copy, LIST)), notOurs],
    [
      'files behind a link',
      (copy) => (link(copy), write(LIST, { files: ['onnx/notes'], obsolete: ['onnx/keep.txt'] })(copy)),
      notOurs,
    ],
    [
      'files behind a link, as ours',
      (copy) => (link(copy), ownList({ files: ['onnx/notes'], obsolete: ['onnx/keep.txt'] })(copy)),
      /a save to it was interrupted and cannot be finished \(.*onnx is a link; put a folder in its place/,
    ],
    ...[
      '..',
      '.',
      '../outside/keep.txt',
      join(outside, 'keep.txt'),
      'a/../../outside/keep.txt',
      'C:\\keep.txt',
      '..\\keep.txt',
      'x'.repeat(10_000),
      'a\0b',
      '.ssh',
    ].map(
      (name): Case => [
        `${name.slice(0, 40)}, as ours`,
        ownList({ files: [], obsolete: [name] }),
        /is not the name of a file that is saved/,
      ],
    ),
    ['names that are none, as ours', ownList({ files: [5, null], obsolete: [] }), notOurs],
    ['an object, as ours', ownList({ files: { 0: SINGLE, length: 1 }, obsolete: [] }), notOurs],
  ];
  await assertRefused(good, lists, loadModel);
  await assertRefused(adapter, lists, loadAdapter);
  await assertRefused(good, lists, (copy) => model.savePretrained(copy));
  assert.equal(readFileSync(join(outside, 'keep.txt'), 'utf8'), 'mine');
});

test('what is saved goes through no link, and saves nothing of other folders', {
  skip: process.platform === 'win32',
}, async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const copy = join(folder, 'linked');
  cpSync(good, copy, { recursive: true });
  symlinkSync(join(outside, 'keep.txt'), join(copy, 'vocab.json'));
  symlinkSync(join(copy, 'config.json'), join(copy, 'merges.txt'));
  const linked = (await loadModel(copy)).model;
  const to = join(folder, 'to');
  mkdirSync(to);
  for (const name of ['config.json', `${SINGLE}.partial`, '.update.json.partial', 'tokenizer.json.partial'])
    symlinkSync(join(outside, 'keep.txt'), join(to, name));
  await linked.savePretrained(to);
  assert.equal(readFileSync(join(outside, 'keep.txt'), 'utf8'), 'mine');
  assert.deepEqual(readdirSync(to).sort(), [
    'config.json',
    'generation_config.json',
    'merges.txt',
    SINGLE,
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  assert.match(
    warn.mock.calls[0].arguments[0],
    /vocab\.json is a link to another folder and is not saved with the model/,
  );
  await loadModel(to);

  symlinkSync(outside, join(to, 'onnx'));
  await assert.rejects(
    linked.savePretrainedOnnx(to),
    /onnx is a link; put a folder in its place, or save to another folder/,
  );
  rmSync(join(to, 'config.json'));
  mkdirSync(join(to, 'config.json'));
  const before = readdirSync(to).sort();
  await assert.rejects(
    linked.savePretrained(to),
    /config\.json is a folder, where a file is to be saved; remove it, or save to another folder/,
  );
  assert.deepEqual(readdirSync(to).sort(), before);
});

test("links that are meant well: the hub's cache, folders of links, and a folder that is one", {
  skip: process.platform === 'win32',
}, async () => {
  const sharded = join(folder, 'sharded');
  await model.savePretrainedMerged(sharded, { maxShardSize: 3000 });
  const files = readdirSync(sharded);
  assert.ok(files.filter((name) => name.endsWith('.safetensors')).length > 2);
  const blobs = join(folder, 'models--a--b', 'blobs');
  const snapshot = join(folder, 'models--a--b', 'snapshots', 'c');
  const farm = join(folder, 'farm');
  const mixed = join(folder, 'mixed');
  for (const made of [blobs, snapshot, farm, mixed]) mkdirSync(made, { recursive: true });
  files.forEach((name, i) => {
    const blob = join(blobs, i.toString(16).padStart(40, '0'));
    cpSync(join(sharded, name), blob);
    symlinkSync(relative(snapshot, blob), join(snapshot, name));
    symlinkSync(join(sharded, name), join(farm, name));
    if (name.endsWith('.safetensors')) symlinkSync(blob, join(mixed, name));
    else cpSync(blob, join(mixed, name));
  });
  symlinkSync(sharded, join(folder, 'link'));
  const [expected] = await model.logits([[5, 6, 7]]);
  for (const place of [sharded, snapshot, farm, mixed, join(folder, 'link')]) {
    const { model: loaded } = await loadModel(place);
    assert.deepEqual((await loaded.logits([[5, 6, 7]]))[0], expected);
    await loaded.savePretrained(join(folder, 'link-out'));
  }
  await model.savePretrained(join(folder, 'link'));
  assert.deepEqual((await (await loadModel(sharded)).model.logits([[5, 6, 7]]))[0], expected);
});
