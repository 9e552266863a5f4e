import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FastLanguageModel, type CausalLM } from '../../../kernel/models';
import { llamaPackage } from '../../../kernel/models/gguf/install';
import type { QuantizationMethod } from '../../../kernel/models/gguf/save';
import { GRPOTrainer } from '../../../kernel/grpo/trainer';
import { runtimeSettings } from '../../../kernel/onnx/threads';
import { SFTTrainer } from '../../../kernel/sft/trainer';
import { maxDifference, PythonPeer } from '../pythonPeer';
import { FAMILIES, sentencePiece, writeRandomModel } from './randomModel';
import { unreachable } from './unreachable';

// Threads of llama.cpp wait for one another without sleeping, which takes minutes on a machine with other work.
runtimeSettings.threads = 1;

const peer = new PythonPeer('models/gguf/gguf_peer.py');
after(() => peer.close());

let reason: string | false = false;
let library = '';
before(async () => {
  try {
    library = join(await llamaPackage(), '../@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so');
  } catch (error) {
    reason = unreachable(error);
  }
});

const ids = Array.from({ length: 40 }, (_, i) => 3 + ((i * 37 + 11) % 250));

async function load(folder: string): Promise<CausalLM> {
  return (await FastLanguageModel.fromPretrained({ modelName: peer.path(folder) })).model;
}

/** Logits as log-probabilities. */
function logSoftmax(logits: Float32Array, width: number): Float32Array {
  const result = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += width) {
    const row = logits.subarray(at, at + width);
    const most = Math.max(...row);
    const total = most + Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0));
    for (let i = 0; i < width; i++) result[at + i] = row[i] - total;
  }
  return result;
}

async function logprobs(model: CausalLM): Promise<Float32Array> {
  return logSoftmax((await model.logits([ids]))[0], model.config.vocabSize);
}

for (const [name, settings] of Object.entries(FAMILIES)) {
  test(`${name}: llama.cpp computes the same log-probabilities and the same completion`, async (t) => {
    if (reason) return t.skip(reason);
    const place = name.replace(/\W/g, '_');
    writeRandomModel(peer.path(place), settings);
    const model = await load(place);
    await model.savePretrainedGguf(peer.path(`${place}-gguf`), { quantizationMethod: 'f32' });
    const played = await load(`${place}-gguf`);
    const difference = maxDifference(await logprobs(played), await logprobs(model));
    // Keys and values are float16 there.
    assert.ok(difference < 0.03, `${difference}`);
    const call = { inputIds: ids, maxNewTokens: 12, temperature: 0 };
    const [expected, actual] = [await model.generate(call), await played.generate(call)];
    assert.deepEqual(actual.sequences, expected.sequences);
    assert.ok(maxDifference(actual.logprobs[0], expected.logprobs[0]) < 0.03);
    await played.dispose();
  });
}

test('a quantised file is as near as its quantisation, down to three values, and those that llama.cpp made itself play', async (t) => {
  if (reason) return t.skip(reason);
  writeRandomModel(peer.path('quantised'), { model_type: 'llama' });
  const model = await load('quantised');
  const expected = await logprobs(model);
  const errors: Record<string, number> = {};
  const measure = async (file: string, name: string) => {
    const played = await load(file);
    const actual = await logprobs(played);
    errors[name] = Math.sqrt(expected.reduce((sum, value, i) => sum + (value - actual[i]) ** 2, 0) / expected.length);
    const { sequences } = await played.generate({ inputIds: ids, maxNewTokens: 8, minNewTokens: 8, temperature: 0 });
    assert.equal(sequences[0].length, 8);
    await played.dispose();
  };
  const save = (quantizationMethod: QuantizationMethod) =>
    model.savePretrainedGguf(peer.path(`q-${quantizationMethod}`), { quantizationMethod });
  for (const method of ['f16', 'bf16', 'q8_0', 'q5_1', 'q4_0', 'tq2_0', 'tq1_0'] as const) {
    await save(method);
    await measure(`q-${method}`, method);
  }
  if (process.platform === 'linux' && process.arch === 'x64') {
    const file = await save('f32');
    await peer.call('split', { file, out: peer.path('split.gguf') });
    await measure('split-00001-of-00003.gguf', 'several files');
    for (const type_name of ['Q4_K', 'IQ1_S', 'IQ1_M']) {
      const out = peer.path(`${type_name}.gguf`);
      await peer.call('requantize', { file, out, type_name, library });
      await measure(`${type_name}.gguf`, type_name);
    }
  }
  t.diagnostic(JSON.stringify(errors));
  const limits = { 'several files': 0.01, f16: 0.02, bf16: 0.05, q8_0: 0.1, q5_1: 0.3, q4_0: 0.8 };
  for (const [name, limit] of Object.entries(limits)) assert.ok(errors[name] < limit, `${name}: ${errors[name]}`);
});

test("llama.cpp's own tokenizer makes the tokens that ours makes, where it has the rule", async (t) => {
  if (reason) return t.skip(reason);
  const { Metadata } = await import('../../../kernel/models/gguf/metadata.js');
  const { GgufFile } = await import('../../../kernel/models/gguf/reader.js');
  const { ggufTokenizer } = await import('../../../kernel/models/gguf/tokens.js');
  const { WHOLE_TOKENIZER } = await import('../../../kernel/models/gguf/vocabulary.js');
  const { llamaCpp } = await import('../../../kernel/models/gguf/llama.js');
  const texts = ['the thing in the hall, 2048 on it', ' and  a\ttab', 'héllo ☃ 🙂', '<|start|>in<|tool|>the<|end|>'];
  for (const [kind, tokenizer] of Object.entries({ bytes: undefined, pieces: sentencePiece() })) {
    writeRandomModel(peer.path(kind), { model_type: 'llama' }, tokenizer);
    const model = await load(kind);
    const path = await model.savePretrainedGguf(peer.path(`${kind}-gguf`));
    const settings = new Map(new GgufFile(path).metadata);
    settings.delete(WHOLE_TOKENIZER);
    const { llama } = await llamaCpp();
    const own = ggufTokenizer(new Metadata(settings, path), await llama.loadModel({ modelPath: path }), path);
    assert.equal(own.eosTokenId, model.tokenizer.eosTokenId);
    for (const text of texts.slice(0, kind === 'pieces' ? 3 : 4)) {
      const expected = model.tokenizer.encode(text);
      assert.deepEqual(own.encode(text), expected, `${kind}: ${text}`);
      assert.equal(own.decode(expected).trim(), model.tokenizer.decode(expected).trim());
    }
  }
});

test('sampling follows its seed, in a batch of more completions than run at a time; an abort ends it', async (t) => {
  if (reason) return t.skip(reason);
  writeRandomModel(peer.path('sampled'), { model_type: 'llama' });
  const model = await load('sampled');
  await model.savePretrainedGguf(peer.path('sampled-gguf'), { quantizationMethod: 'q8_0' });
  const played = await load('sampled-gguf');
  const call = { inputIds: [ids, ids.slice(5)], maxNewTokens: 6, temperature: 1, topK: 0, numReturnSequences: 12 };
  const first = await played.generate({ ...call, seed: 1 });
  assert.deepEqual(await played.generate({ ...call, seed: 1 }), first);
  assert.notDeepEqual((await played.generate({ ...call, seed: 2 })).sequences, first.sequences);
  assert.ok(new Set(first.sequences.map(String)).size > 12);
  // Each token's log-probability is that of the model.
  const sequence = [...ids, ...first.sequences[0]];
  const width = played.config.vocabSize;
  const all = (await played.logits([sequence]))[0];
  first.sequences[0].forEach((token, i) => {
    const expected = all[(ids.length - 1 + i) * width + token];
    assert.ok(Math.abs(expected - first.logprobs[0][i]) < 0.1, `${expected} ${first.logprobs[0][i]}`);
  });
  const stopped = await played.generate({ ...call, seed: 1, eosTokenId: first.sequences[0][2] });
  assert.ok(stopped.terminated[0] && stopped.sequences[0].length <= 3);
  const forbidden = first.sequences[0][0];
  const longer = await played.generate({ ...call, seed: 1, eosTokenId: forbidden, minNewTokens: 4 });
  assert.ok(longer.sequences.every((tokens) => tokens.slice(0, 4).every((token) => token !== forbidden)));
  const abort = AbortSignal.timeout(30);
  await assert.rejects(played.generate({ ...call, maxNewTokens: 150, signal: abort }), { name: 'TimeoutError' });
  await played.dispose();
});

test('a search without training takes such a model; training says what to load instead', async (t) => {
  if (reason) return t.skip(reason);
  writeRandomModel(peer.path('search'), { model_type: 'llama' });
  await (await load('search')).savePretrainedGguf(peer.path('search-gguf'));
  const played = await load('search-gguf');
  const parts = {
    model: played,
    processingClass: played.tokenizer,
    trainDataset: [{ prompt: 'the' }],
    rewardFuncs: [({ completion }: { completion: string }) => completion.length],
  };
  const args = {
    maxSteps: 2,
    numGenerations: 4,
    maxCompletionLength: 6,
    saveSteps: 1,
    outputDir: peer.path('runs'),
  };
  const trainer = new GRPOTrainer({ ...parts, args: { ...args, learningRate: 0 } });
  assert.equal((await trainer.train()).globalStep, 2);
  assert.ok(trainer.logHistory.some(({ reward }) => reward > 0));
  const again = new GRPOTrainer({ ...parts, args: { ...args, learningRate: 0, maxSteps: 3 } });
  assert.equal((await again.train({ resumeFromCheckpoint: true })).globalStep, 3);
  const sentence =
    /is a GGUF model, which generates but is not trained: load the model that it was made from, or write/;
  await assert.rejects(new GRPOTrainer({ ...parts, args }).train(), sentence);
  assert.throws(() => FastLanguageModel.getPeftModel(played), sentence);
  const sft = new SFTTrainer({ ...parts, trainDataset: [{ text: 'the hall' }], args: { maxSteps: 1 } });
  await assert.rejects(sft.train(), sentence);
  await assert.rejects(played.savePretrainedMerged(peer.path('merged')), /is the GGUF file .* already/);
  assert.match(String(played), /^GgufModel\(.*llama, [\d,]+ parameters in F16, 2 layers/);
});
