import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { FastLanguageModel, PeftModel, type CausalLM } from '../../../kernel/models';
import { readSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { seededRandom } from '../../../kernel/common/random';
import { maxDifference, PythonPeer } from '../pythonPeer';

const peer = new PythonPeer('models/graph/transformers_peer.py');
after(() => peer.close());

const ids = Array.from({ length: 40 }, (_, i) => (i * 37 + 11) % 300);

async function load(name: string): Promise<CausalLM> {
  return (await FastLanguageModel.fromPretrained({ modelName: peer.path(name) })).model;
}

/** Largest difference of our logits to those of the same folder (and adapter) in transformers. */
async function differenceToTransformers(model: CausalLM, folder: string, adapter?: string): Promise<number> {
  const out = peer.path('logits.safetensors');
  await peer.call('logits', { folder: peer.path(folder), ids, out, adapter: adapter && peer.path(adapter) });
  const [ours] = await model.logits([ids]);
  return maxDifference(ours, readSafetensors(out).get('logits')!.data);
}

/** Gives an adapter factors that change something. */
function randomise(model: PeftModel): void {
  const random = seededRandom(5);
  for (const { data } of model.trainableParameters().values())
    data.forEach((_, i) => (data[i] = 0.4 * (random.next() - 0.5)));
}

before(async () => {
  await peer.call('make_model', { folder: peer.path('gqa'), num_key_value_heads: 2, tie_word_embeddings: false });
  await peer.call('make_model', { folder: peer.path('tied head'), tie_word_embeddings: true });
});

test('the most likely completion and its log-probabilities are those of transformers', async () => {
  const model = await load('gqa');
  const expected = await peer.call('greedy', { folder: peer.path('gqa'), ids, count: 70 });
  const { sequences, logprobs, terminated } = await model.generate({
    inputIds: ids,
    doSample: false,
    maxNewTokens: 70,
    eosTokenId: null,
  });
  assert.deepEqual(sequences[0], expected.ids);
  assert.ok(maxDifference(logprobs[0], expected.logprobs) <= 1e-4);
  assert.deepEqual(terminated, [false]);
});

test('repetitionPenalty is that of transformers', async () => {
  const model = await load('gqa');
  const expected = await peer.call('greedy', { folder: peer.path('gqa'), ids, count: 40, repetition_penalty: 1.7 });
  const options = { inputIds: ids, doSample: false, maxNewTokens: 40, eosTokenId: null };
  const { sequences } = await model.generate({ ...options, repetitionPenalty: 1.7 });
  assert.deepEqual(sequences[0], expected.ids);
  assert.notDeepEqual((await model.generate(options)).sequences[0], expected.ids);
});

test('the tokenizer reads and writes as that of transformers', async () => {
  const { tokenizer } = await FastLanguageModel.fromPretrained({ modelName: peer.path('gqa') });
  const texts = ['in the beginning', 'const naïve = "→ 🎮";\n  return x;', ''];
  const messages = [{ role: 'user', content: 'Play "Breakout"!' }];
  const expected = await peer.call('tokenize', { folder: peer.path('gqa'), texts, messages });
  texts.forEach((text, i) => {
    assert.deepEqual(tokenizer(text).inputIds, expected.ids[i]);
    assert.equal(tokenizer.decode(expected.ids[i]), expected.texts[i]);
  });
  const chat = tokenizer.applyChatTemplate(messages, { tokenize: false, addGenerationPrompt: true });
  assert.equal(chat, expected.chat);
  assert.equal(chat, '[user] Play "Breakout"!<eos>[assistant] ');
  assert.deepEqual(tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true }), tokenizer.encode(chat));
  assert.equal(tokenizer.eosTokenId, 0);
  assert.equal(tokenizer.decode([...tokenizer.encode('end'), 0], { skipSpecialTokens: true }), 'end');
});

test('a saved model loads in transformers with the same logits', async () => {
  const model = await load('gqa');
  await model.savePretrained(peer.path('saved'));
  assert.ok((await differenceToTransformers(model, 'saved')) <= 1e-4);
});

test('an adapter saved by Joylab loads in PEFT with the same logits, and here again', async () => {
  for (const useRslora of [false, true]) {
    const name = `adapter ${useRslora}`;
    const model = FastLanguageModel.getPeftModel(await load('gqa'), {
      r: 4,
      loraAlpha: 8,
      useRslora,
      targetModules: ['q_proj', 'v_proj', 'down_proj'],
    });
    randomise(model);
    await model.savePretrained(peer.path(name));
    assert.ok((await differenceToTransformers(model, 'gqa', name)) <= 1e-4);
    const again = await PeftModel.fromPretrained(await load('gqa'), peer.path(name));
    assert.deepEqual(await again.logits([ids]), await model.logits([ids]));
  }
});

test('an adapter saved by PEFT gives the same logits here', async () => {
  const settings = {
    r: 8,
    lora_alpha: 4,
    use_rslora: true,
    target_modules: ['k_proj', 'o_proj', 'gate_proj', 'up_proj'],
  };
  await peer.call('make_adapter', { folder: peer.path('gqa'), adapter: peer.path('theirs'), ...settings });
  const model = await PeftModel.fromPretrained(await load('gqa'), peer.path('theirs'));
  assert.ok((await differenceToTransformers(model, 'gqa', 'theirs')) <= 1e-4);
  // The adapter names its base, so that the folder alone is enough.
  assert.deepEqual(await (await load('theirs')).logits([ids]), await model.logits([ids]));
});

test('a merged model loads in transformers with the logits of model and adapter', async () => {
  const model = FastLanguageModel.getPeftModel(await load('tied head'), { r: 4, loraAlpha: 8 });
  randomise(model);
  await model.savePretrainedMerged(peer.path('merged'));
  assert.ok(existsSync(peer.path('merged/tokenizer.json')));
  assert.ok((await differenceToTransformers(model, 'merged')) <= 1e-4);
  for (const dtype of ['float16', 'bfloat16'] as const) {
    await model.savePretrainedMerged(peer.path(dtype), { dtype });
    assert.ok((await differenceToTransformers(await load(dtype), dtype)) <= 1e-4);
  }
});

test('a new adapter changes nothing, and is the same for the same randomState', async () => {
  const base = await load('gqa');
  const make = (randomState: number) => FastLanguageModel.getPeftModel(base, { r: 4, randomState });
  assert.deepEqual(await make(1).logits([ids]), await base.logits([ids]));
  const values = (model: PeftModel) => [...model.trainableParameters().values()].map(({ data }) => data);
  assert.deepEqual(values(make(1)), values(make(1)));
  assert.notDeepEqual(values(make(1)), values(make(2)));
});
