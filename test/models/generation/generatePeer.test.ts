import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FastLanguageModel, type CausalLM } from '../../../kernel/models';
import { generationSettings } from '../../../kernel/models/generation/generationConfig';
import type { GenerationConfig } from '../../../kernel/models/generation/generateOptions';
import { InferenceEngine } from '../../../kernel/models/generation/inference';
import { seededRandom } from '../../../kernel/common/random';
import { Sampler } from '../../../kernel/models/generation/sampling';
import { maxDifference, PythonPeer } from '../pythonPeer';

const peer = new PythonPeer('models/generation/generate_peer.py');
const folder = peer.path('model');
const generationConfig = { do_sample: true, temperature: 0.6, top_k: 20, top_p: 0.95, max_new_tokens: 24 };
let model: CausalLM;
before(async () => {
  await peer.call('make_model', { folder, generation_config: generationConfig });
  ({ model } = await FastLanguageModel.fromPretrained({ modelName: folder }));
});
after(async () => {
  await model.dispose();
  peer.close();
});

const random = seededRandom(5);
const randomIds = (length: number) => Array.from({ length }, () => Math.floor(random.next() * 256));

test('prompts of several lengths in one batch: tokens and log-probabilities are those of transformers for each alone', async () => {
  const prompts = [5, 40, 1, 17, 40].map(randomIds);
  const expected = await peer.call('greedy', { folder, prompts, max_new_tokens: 50 });
  const { sequences, logprobs } = await model.generate({ inputIds: prompts, doSample: false, maxNewTokens: 50 });
  assert.deepEqual(sequences, expected.completions);
  logprobs.forEach((row, i) => assert.ok(maxDifference(row, expected.logprobs[i]) <= 1e-4, `prompt ${i}`));
});

test('a short prompt whose completion outlasts those of longer ones', async () => {
  const prompts = [200, 8, 150].map(randomIds);
  const { completions } = await peer.call('greedy', { folder, prompts, max_new_tokens: 312, min_new_tokens: 312 });
  const { sequences } = await model.generate({ inputIds: prompts, doSample: false, maxLength: 320, minNewTokens: 312 });
  assert.deepEqual(
    sequences,
    prompts.map((prompt, i) => completions[i].slice(0, 320 - prompt.length)),
  );
});

test('a long prompt, which is computed in parts, and a large batch, with the weights on the left', async () => {
  const prompts = [randomIds(700)];
  const expected = await peer.call('greedy', { folder, prompts, max_new_tokens: 30 });
  for (const numReturnSequences of [1, 20]) {
    const { sequences, logprobs } = await model.generate({
      inputIds: prompts,
      doSample: false,
      maxNewTokens: 30,
      numReturnSequences,
    });
    for (const [i, ids] of sequences.entries()) {
      assert.deepEqual(ids, expected.completions[0]);
      assert.ok(maxDifference(logprobs[i], expected.logprobs[0]) <= 1e-4);
    }
  }
});

test('repetitionPenalty and minNewTokens are those of transformers', async () => {
  const prompts = [12, 30].map(randomIds);
  const [first] = (await model.generate({ inputIds: prompts, doSample: false, maxNewTokens: 3, eosTokenId: null }))
    .sequences;
  const cases: Record<string, number>[] = [
    { repetition_penalty: 1.5 },
    { eos_token_id: first[2] },
    { eos_token_id: first[2], min_new_tokens: 10 },
  ];
  for (const settings of cases) {
    const expected = await peer.call('greedy', { folder, prompts, max_new_tokens: 20, ...settings });
    const { repetition_penalty: repetitionPenalty, eos_token_id: eosTokenId, min_new_tokens: minNewTokens } = settings;
    const { sequences } = await model.generate({
      inputIds: prompts,
      doSample: false,
      maxNewTokens: 20,
      repetitionPenalty,
      eosTokenId,
      minNewTokens,
    });
    assert.deepEqual(sequences, expected.completions, JSON.stringify(settings));
  }
});

test('temperature, topK, topP, minP and repetitionPenalty give the distributions of transformers, alone and together', async () => {
  const cases: [object, GenerationConfig][] = [
    [{ temperature: 0.7 }, { temperature: 0.7 }],
    [{ top_k: 7 }, { topK: 7 }],
    [{ top_p: 0.8 }, { topP: 0.8 }],
    [{ top_p: 0.05 }, { topP: 0.05 }],
    [{ min_p: 0.2 }, { minP: 0.2 }],
    [{ repetition_penalty: 1.4 }, { repetitionPenalty: 1.4 }],
    [
      { temperature: 1.5, top_k: 30, top_p: 0.9, min_p: 0.05, repetition_penalty: 0.8 },
      { temperature: 1.5, topK: 30, topP: 0.9, minP: 0.05, repetitionPenalty: 0.8 },
    ],
    [
      { temperature: 3, top_p: 0.99 },
      { temperature: 3, topP: 0.99 },
    ],
  ];
  const ids = randomIds(20);
  // From nearly equal to one that is nearly certain.
  for (const spread of [0.1, 2, 12]) {
    const logits = Array.from({ length: 257 }, () => (random.next() + random.next() - 1) * spread);
    const off = { temperature: 1, top_k: 0, top_p: 1 };
    const expected: number[][] = await peer.call('distributions', {
      folder,
      ids,
      logits,
      cases: cases.map(([theirs]) => ({ ...off, ...theirs })),
    });
    cases.forEach(([, ours], i) => {
      const sampler = new Sampler(generationSettings({ doSample: true, ...ours }, { topK: 0 }));
      const p = sampler.probabilities(Float32Array.from(logits), new Set(ids));
      sampler.choose(p, { random });
      const total = p.reduce((sum, value) => sum + value, 0);
      assert.ok(
        maxDifference(
          p.map((value) => value / total),
          expected[i],
        ) < 1e-6,
        `${JSON.stringify(ours)}, spread ${spread}`,
      );
    });
  }
});

test('settings that a call does not give are those of generation_config.json, then those of transformers', async () => {
  assert.deepEqual(model.generationConfig, {
    doSample: true,
    temperature: 0.6,
    topK: 20,
    topP: 0.95,
    maxNewTokens: 24,
  });
  const inputIds = randomIds(6);
  const own = await model.generate({ inputIds, seed: 1, eosTokenId: null });
  assert.equal(own.sequences[0].length, 24);
  const same = { temperature: 0.6, topK: 20, topP: 0.95, maxNewTokens: 24 };
  assert.deepEqual(await model.generate({ inputIds, seed: 1, eosTokenId: null, ...same }), own);
  assert.notDeepEqual(await model.generate({ inputIds, seed: 1, eosTokenId: null, topK: 0, temperature: 2 }), own);

  const { topK, temperature, maxNewTokens } = generationSettings({ doSample: true }, {});
  assert.deepEqual([topK, temperature, maxNewTokens(10)], [50, 1, 256]);
  assert.equal(generationSettings({}, {}).temperature, 0, 'greedy where nobody asks for sampling');
  assert.equal(generationSettings({ seed: 1 }, {}).temperature, 1, 'a seed is for sampling');
  assert.equal(generationSettings({ maxLength: 30 }, { maxNewTokens: 5 }).maxNewTokens(10), 20);
});

test('a completion does not depend on what else is in the batch; a list of seeds has one per prompt', async () => {
  const prompts = [9, 30, 14].map(randomIds);
  const free = { maxNewTokens: 25, numReturnSequences: 4, temperature: 1, topK: 0, eosTokenId: null };
  const { sequences: long } = await model.generate({ ...free, inputIds: prompts, seed: [3, 1, 4] });
  // A token that only some completions have ends these early.
  const eosTokenId = long[0].find((token) => !long.every((ids) => ids.includes(token)))!;
  const options = { ...free, eosTokenId };
  const together = await model.generate({ ...options, inputIds: prompts, seed: [3, 1, 4] });
  assert.ok(together.terminated.some((done) => done) && together.terminated.some((done) => !done));
  for (const [i, seed] of [3, 1, 4].entries()) {
    const alone = await model.generate({ ...options, inputIds: prompts[i], seed });
    assert.deepEqual(together.sequences.slice(4 * i, 4 * i + 4), alone.sequences);
    alone.logprobs.forEach((row, k) => assert.ok(maxDifference(row, together.logprobs[4 * i + k]) < 1e-4));
  }
  assert.deepEqual(
    await model.generate({ ...options, inputIds: prompts, seed: [3, 1, 4] }),
    together,
    'the same call, bit for bit',
  );
  await assert.rejects(model.generate({ inputIds: prompts, seed: [1, 2] }), /seed has 2 numbers for 3 prompts/);
});

test('more completions than are decoded at a time', async () => {
  const inputIds = randomIds(10);
  const options = { inputIds, maxNewTokens: 6, temperature: 1, topK: 0, seed: 2, eosTokenId: null };
  const many = await model.generate({ ...options, numReturnSequences: 150 });
  const few = await model.generate({ ...options, numReturnSequences: 70 });
  assert.deepEqual(many.sequences.slice(0, 70), few.sequences);
});

test('equal prompts are computed once, wherever they stand and however many their completions are; these stay the same', async (t) => {
  const prefill = t.mock.method(InferenceEngine.prototype, 'prefill');
  const [a, b, c] = [9, 30, 14].map(randomIds);
  const options = { maxNewTokens: 12, temperature: 1, topK: 0, eosTokenId: null, numReturnSequences: 30 };
  const given = [a, b, [...a], c, [...a], [...b]];
  const seed = given.map((_, i) => i + 1);
  // 180 rows: three batches, the prompts of which begin and end within them.
  const together = await model.generate({ ...options, inputIds: given, seed });
  assert.deepEqual(
    prefill.mock.calls.map((call) => call.arguments[0]),
    [a, b, c],
  );
  for (const [i, inputIds] of given.entries()) {
    const alone = await model.generate({ ...options, inputIds, seed: seed[i] });
    assert.deepEqual(together.sequences.slice(30 * i, 30 * i + 30), alone.sequences);
    alone.logprobs.forEach((row, k) => assert.ok(maxDifference(row, together.logprobs[30 * i + k]) < 1e-4));
  }
  prefill.mock.resetCalls();
  await model.generate({ ...options, inputIds: a, numReturnSequences: 150, seed: 1 });
  assert.equal(prefill.mock.callCount(), 1);
});

test('an interrupt is seen within a second of a long prompt', async () => {
  const controller = new AbortController();
  const running = model.generate({
    inputIds: Array.from({ length: 20 }, () => randomIds(900)),
    maxNewTokens: 100,
    signal: controller.signal,
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const start = performance.now();
  controller.abort(new Error('stop now'));
  await assert.rejects(running, /stop now/);
  // A fraction of a second on a quiet machine; all of it takes many times as long as this.
  assert.ok(performance.now() - start < 10_000);
});
