import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import {
  adapter,
  assertRefused,
  folder,
  good,
  instead,
  loadAdapter,
  loadModel,
  model,
  nested,
  outside,
  SINGLE,
  write,
  type Case,
  type Damage,
} from './folders';

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
