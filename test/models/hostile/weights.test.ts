import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  assertRefused,
  good,
  instead,
  loadModel,
  names,
  outside,
  settings,
  SINGLE,
  write,
  type Case,
  type Damage,
} from './folders';

const INDEX = 'model.safetensors.index.json';
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
