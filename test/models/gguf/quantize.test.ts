import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { FastLanguageModel, ggufToFolder } from '../../../kernel/models';
import { GgufFile } from '../../../kernel/models/gguf/reader';
import type { QuantizationMethod } from '../../../kernel/models/gguf/save';
import { readSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { PythonPeer } from '../pythonPeer';
import { writeRandomModel } from './randomModel';

const peer = new PythonPeer('models/gguf/gguf_peer.py');
after(() => peer.close());

test("every quantisation has the bytes that the gguf package's has, and its settings are read there", async () => {
  writeRandomModel(peer.path('model'), { model_type: 'llama' });
  const { model } = await FastLanguageModel.fromPretrained({ modelName: peer.path('model') });
  const save = (quantizationMethod: QuantizationMethod) =>
    model.savePretrainedGguf(peer.path('gguf'), { quantizationMethod });
  const exact = await save('f32');
  for (const method of ['f16', 'bf16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0', 'tq2_0', 'tq1_0'] as const) {
    const { different, types } = await peer.call('differing_bytes', { file: await save(method), exact });
    assert.equal(different, 0, method);
    assert.ok(types.includes(method.toUpperCase()), `${method}: ${types}`);
  }
  const settings = await peer.call('metadata', { file: exact });
  assert.equal(settings['general.architecture'], 'llama');
  assert.equal(settings['llama.context_length'], 256);
  assert.equal(settings['tokenizer.ggml.pre'], 'smollm');
  assert.equal(settings['tokenizer.ggml.tokens'], 320);
  assert.equal(settings['tokenizer.chat_template'], model.tokenizer.chatTemplate);
});

test('blocks of every type are read as the gguf package reads them', async () => {
  await peer.call('random_blocks', { path: peer.path('blocks.gguf'), out: peer.path('blocks.safetensors') });
  const file = new GgufFile(peer.path('blocks.gguf'));
  const expected = readSafetensors(peer.path('blocks.safetensors'));
  assert.equal(expected.size, 18);
  for (const [name, { data }] of expected) {
    // Random bytes are also factors that are no numbers.
    const read = file.read(name).data.map((value) => (Number.isFinite(value) ? value : 0));
    assert.deepEqual(read, data, name);
  }
  file.close();
});

test('a model in several files is read whole, whichever of them is named', async () => {
  writeRandomModel(peer.path('whole'), { model_type: 'llama' });
  const { model } = await FastLanguageModel.fromPretrained({ modelName: peer.path('whole') });
  const file = await model.savePretrainedGguf(peer.path('whole-gguf'), { quantizationMethod: 'f32' });
  await peer.call('split', { file, out: peer.path('split.gguf') });
  const parts = readdirSync(peer.folder).filter((name) => /^split-\d{5}-of-\d{5}\.gguf$/.test(name));
  assert.ok(parts.length > 2);
  await ggufToFolder(peer.path(parts[1]), peer.path('back'));
  const { model: back } = await FastLanguageModel.fromPretrained({ modelName: peer.path('back') });
  for (const [name, { data }] of model.weights) assert.deepEqual(back.weights.get(name)!.data, data, name);
});
