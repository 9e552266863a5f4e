import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  adapter,
  assertRefused,
  edit,
  folder,
  good,
  instead,
  loadAdapter,
  loadModel,
  names,
  type Case,
} from './folders';

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
