import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { FastLanguageModel, type CausalLM } from '../../../kernel/models';
import { seededRandom } from '../../../kernel/common/random';
import { readSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { buildRoot } from '../../../kernel/common/packagePaths';
import { maxDifference, PythonPeer } from '../pythonPeer';

const peer = new PythonPeer('models/checkpoint/save_peer.py');
after(() => peer.close());
before(() =>
  peer.call('make_model', { folder: peer.path('model'), num_key_value_heads: 2, tie_word_embeddings: false }),
);

const ids = Array.from({ length: 40 }, (_, i) => (i * 37 + 11) % 300);

async function load(folder: string, options: object = {}): Promise<CausalLM> {
  return (await FastLanguageModel.fromPretrained({ modelName: peer.path(folder), ...options })).model;
}

async function withAdapter(folder = 'model', options: object = {}): Promise<CausalLM> {
  const model = FastLanguageModel.getPeftModel(await load(folder, options), { r: 4, loraAlpha: 8 });
  const random = seededRandom(5);
  for (const { data } of model.trainableParameters().values())
    data.forEach((_, i) => (data[i] = 0.2 * (random.next() - 0.5)));
  return model;
}

async function differenceToTransformers(model: CausalLM, folder: string): Promise<number> {
  const out = peer.path('logits.safetensors');
  await peer.call('logits', { folder: peer.path(folder), ids, out });
  return maxDifference((await model.logits([ids]))[0], readSafetensors(out).get('logits')!.data);
}

const files = (folder: string, pattern: RegExp) =>
  readdirSync(peer.path(folder))
    .filter((name) => pattern.test(name))
    .sort();

test('merged folders in all types hold what torch rounds to, and load in transformers with the same logits', async () => {
  const model = await withAdapter();
  await model.savePretrainedMerged(peer.path('float32'));
  assert.ok((await differenceToTransformers(model, 'float32')) <= 1e-4);
  for (const dtype of ['float16', 'bfloat16'] as const) {
    await model.savePretrainedMerged(peer.path(dtype), { dtype });
    const values = readSafetensors(peer.path(`${dtype}/model.safetensors`));
    await peer.call('rounded', { folder: peer.path('float32'), dtype, out: peer.path('rounded.safetensors') });
    const expected = readSafetensors(peer.path('rounded.safetensors'));
    assert.deepEqual([...values.keys()].sort(), [...expected.keys()].sort());
    for (const [name, { data }] of expected) assert.deepEqual(values.get(name)!.data, data, name);
    assert.deepEqual((await peer.call('stored', { file: peer.path(`${dtype}/model.safetensors`) })).dtypes, [
      `torch.${dtype}`,
    ]);
    assert.equal(JSON.parse(readFileSync(peer.path(`${dtype}/config.json`), 'utf8')).dtype, dtype);
    assert.ok((await differenceToTransformers(await load(dtype), dtype)) <= 1e-4);
    for (const name of files('model', /token|chat|generation/)) {
      assert.deepEqual(readFileSync(peer.path(`${dtype}/${name}`)), readFileSync(peer.path(`model/${name}`)), name);
    }
  }
});

test('above maxShardSize weights are split, as transformers reads them; a later save leaves no old files', async () => {
  const model = await withAdapter();
  const pattern = /safetensors|partial/;
  await model.savePretrainedMerged(peer.path('sharded'), { maxShardSize: 100_000 });
  const shards = files('sharded', /^model-\d{5}-of-\d{5}\.safetensors$/);
  assert.ok(shards.length > 3);
  assert.deepEqual(files('sharded', pattern), [...shards, 'model.safetensors.index.json'].sort());
  const index = JSON.parse(readFileSync(peer.path('sharded/model.safetensors.index.json'), 'utf8'));
  const stored = await Promise.all(shards.map((file) => peer.call('stored', { file: peer.path(`sharded/${file}`) })));
  const values = stored.reduce((sum, shard) => sum + shard.values, 0);
  assert.deepEqual(index.metadata, { total_parameters: values, total_size: 4 * values });
  assert.ok(stored.filter((shard) => 4 * shard.values > 100_000).length === 0);
  assert.ok((await differenceToTransformers(model, 'sharded')) <= 1e-4);
  assert.ok((await differenceToTransformers(await load('sharded'), 'sharded')) <= 1e-4);
  await model.savePretrainedMerged(peer.path('sharded'), { dtype: 'bfloat16', maxShardSize: 200_000 });
  assert.ok((await differenceToTransformers(await load('sharded'), 'sharded')) <= 1e-4);
  await model.savePretrainedMerged(peer.path('sharded'));
  assert.deepEqual(files('sharded', pattern), ['model.safetensors']);
  assert.ok((await differenceToTransformers(model, 'sharded')) <= 1e-4);
});

/** A process that loads the bundled model and saves it to a folder by `code`. */
function saver(folder: string, code: string, shell = ''): ReturnType<typeof spawn> {
  const script = `
    const { FastLanguageModel } = require(${JSON.stringify(join(buildRoot, 'kernel/models'))});
    FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' }).then(async ({ model }) => { const folder = ${JSON.stringify(folder)}; ${code} })
      .catch((error) => { console.error(error.message); process.exit(3); });`;
  return spawn('bash', ['-c', `${shell} exec "$0" -e "$1"`, process.execPath, script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

test('a disk without room, and a kill at any time, leave the folder as it was', {
  skip: process.platform === 'win32',
}, async () => {
  const model = await load('model');
  const folder = peer.path('kept');
  await model.savePretrained(folder);
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  const before = readdirSync(folder).sort();
  const [logits] = await model.logits([ids]);

  // A file of at most 4 MB: the write fails as it does on a full disk.
  const limited = saver(folder, 'await model.savePretrained(folder);', `trap '' XFSZ; ulimit -f 4096;`);
  let message = '';
  limited.stderr!.on('data', (data) => (message += data));
  const [code] = await once(limited, 'exit');
  assert.equal(code, 3, message);
  assert.match(message, /EFBIG|file too large/i);
  assert.deepEqual(readdirSync(folder).sort(), before);
  assert.deepEqual((await (await load('kept')).logits([ids]))[0], logits);

  // Killed in the middle of a save, which never ends here.
  const killed = saver(
    folder,
    `const read = model.mergedWeight; let n = 0; model.mergedWeight = function (name) { if (++n > 5) for (;;); return read.call(this, name); }; await model.savePretrained(folder);`,
  );
  while (!existsSync(join(folder, 'model.safetensors.partial'))) {
    assert.equal(killed.exitCode, null, 'the save is under way');
    await wait(10);
  }
  await wait(50);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  assert.deepEqual((await (await load('kept')).logits([ids]))[0], logits);
  await model.savePretrained(folder);
  assert.deepEqual(readdirSync(folder).sort(), before);
});

test('a kill while new files take the places of the old ones leaves no mixture of them', {
  skip: process.platform === 'win32',
}, async () => {
  const bundled = (await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' })).model;
  await bundled.savePretrainedMerged(peer.path('expected'), { dtype: 'float16' });
  const [expected] = await (await load('expected')).logits([ids]);
  for (const renames of [1, 2, 3]) {
    const name = `torn ${renames}`;
    const folder = peer.path(name);
    const model = await withAdapter();
    await model.savePretrainedMerged(folder, { maxShardSize: 100_000 });
    const before = (await model.logits([ids]))[0];
    const script = `let n = 0; const fs = require('node:fs'), rename = fs.renameSync;
      fs.renameSync = (from, to) => (n++ === ${renames} && process.kill(process.pid, 'SIGKILL'), rename(from, to));
      await model.savePretrainedMerged(folder, { dtype: 'float16' });`;
    const [, signal] = await once(saver(folder, script), 'exit');
    assert.equal(signal, 'SIGKILL');
    const [logits] = await (await load(name)).logits([ids]);
    assert.notDeepEqual(logits, before);
    assert.deepEqual(logits, expected);
    assert.deepEqual(files(name, /safetensors|partial|^\./), ['model.safetensors']);
  }
});

test('what cannot be saved is refused, and says what can', async () => {
  const model = await load('model');
  await assert.rejects(
    model.savePretrainedMerged(peer.path('x'), { dtype: 'int8' as never }),
    /dtype must be one of "float32", "float16", "bfloat16"/,
  );
  await assert.rejects(
    model.savePretrainedMerged(peer.path('x'), { maxShardSize: 0 }),
    /maxShardSize must be a number above 0 \(in bytes\)/,
  );
  writeFileSync(peer.path('file'), '');
  await assert.rejects(model.savePretrained(peer.path('file')), /is not a folder/);
  assert.equal(existsSync(peer.path('x')), false);
});

test("the ONNX graph gives transformers' logits: a padded batch, with its cache, in one file or two", async () => {
  const model = await withAdapter();
  await model.savePretrainedMerged(peer.path('reference'));
  for (const externalData of [false, true]) {
    await model.savePretrainedOnnx(peer.path('onnx'), { externalData });
    assert.deepEqual(files('onnx/onnx', /./), externalData ? ['model.onnx', 'model.onnx_data'] : ['model.onnx']);
    for (const pieces of [[20], [12, 1, 1, 6]]) {
      const { difference, inputs, outputs } = await peer.call('onnx_difference', {
        folder: peer.path('onnx'),
        reference: peer.path('reference'),
        pieces,
      });
      assert.ok(difference <= 1e-4, `difference ${difference}`);
      const layers = (name: string) => [0, 1, 2].flatMap((layer) => [`${name}.${layer}.key`, `${name}.${layer}.value`]);
      assert.deepEqual(inputs, ['input_ids', 'attention_mask', 'position_ids', ...layers('past_key_values')]);
      assert.deepEqual(outputs, ['logits', ...layers('present')]);
    }
  }
  const config = JSON.parse(readFileSync(peer.path('onnx/config.json'), 'utf8'));
  assert.deepEqual(config['transformers.js_config'], { use_external_data_format: { 'model.onnx': true } });
  assert.ok(existsSync(peer.path('onnx/tokenizer.json')));
  await model.savePretrainedOnnx(peer.path('onnx'));
  assert.deepEqual(files('onnx/onnx', /./), ['model.onnx']);
});

const FAMILIES = {
  qwen2: { num_key_value_heads: 3 },
  qwen3: { num_key_value_heads: 2, head_dim: 16 },
  gemma2: {
    num_key_value_heads: 2,
    head_dim: 16,
    query_pre_attn_scalar: 16,
    hidden_activation: 'gelu_pytorch_tanh',
    sliding_window: 128,
  },
};

for (const [family, settings] of Object.entries(FAMILIES)) {
  test(`the ONNX graph of another family: ${family}, in 8 bits`, async () => {
    await peer.call('make_family', { folder: peer.path(family), model_type: family, ...settings });
    const model = await withAdapter(family, { loadIn8bit: true });
    await model.savePretrainedMerged(peer.path('merged'));
    await model.savePretrainedOnnx(peer.path('graph'));
    const { difference } = await peer.call('onnx_difference', {
      folder: peer.path('graph'),
      reference: peer.path('merged'),
      pieces: [9, 1, 3],
    });
    assert.ok(difference <= 1e-4, `difference ${difference}`);
  });
}
