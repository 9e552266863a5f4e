import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FastLanguageModel, PeftModel, type CausalLM } from '../../../kernel/models';
import { dequantize, quantize } from '../../../kernel/models/checkpoint/quantization';
import { seededRandom } from '../../../kernel/common/random';
import { readSafetensors, writeSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { AdamW } from '../../../kernel/training/update/adamw';
import { ModelUpdate } from '../../../kernel/training/update/modelUpdate';
import type { Objective } from '../../../kernel/training/update/objective';
import { neg, sumAll } from '../../../kernel/onnx/operators/arithmetic';
import { sizeOf, type Tensor } from '../../../kernel/onnx/tensor';
import { maxDifference, PythonPeer, relativeError } from '../pythonPeer';

const peer = new PythonPeer('models/lora/lora_peer.py');
after(() => peer.close());
before(() =>
  peer.call('make_model', {
    folder: peer.path('model'),
    hidden_size: 64,
    intermediate_size: 192,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    tie_word_embeddings: false,
    attention_bias: true,
  }),
);

const ids = Array.from({ length: 40 }, (_, i) => (i * 37 + 11) % 300);
const FORMATS = [
  { bits: 4, options: { loadIn4bit: true } },
  { bits: 8, options: { loadIn8bit: true } },
] as const;

async function load(options: object): Promise<CausalLM> {
  return (await FastLanguageModel.fromPretrained({ modelName: peer.path('model'), ...options })).model;
}

function withAdapter(model: CausalLM, options: object = {}): PeftModel {
  const peft = FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8, ...options });
  const random = seededRandom(5);
  for (const { data } of peft.trainableParameters().values())
    data.forEach((_, i) => (data[i] = 0.2 * (random.next() - 0.5)));
  return peft;
}

async function logitsOf(args: object): Promise<Float32Array> {
  const out = peer.path('logits.safetensors');
  await peer.call('logits', { folder: peer.path('model'), ids, out, ...args });
  return readSafetensors(out).get('logits')!.data;
}

/** The values of our quantised weights as a file, which the first test compares with bitsandbytes'. */
function writeDequantized(model: CausalLM): string {
  const path = peer.path('dequantised.safetensors');
  writeSafetensors(path, new Map(Array.from(model.quantized, ([name, weight]) => [name, dequantize(weight)])));
  return path;
}

/** Minus the log-probability of all tokens. */
const likelihood: Objective = { inputs: [], build: ({ logprobs }) => ({ loss: neg(sumAll(logprobs)) }) };

/** Gradients of the adapter's factors, as the optimizer gets them. */
async function gradientsOf(
  model: CausalLM,
  prompt: number[],
  completion: number[],
): Promise<{ loss: number; gradients: Map<string, Float32Array> }> {
  const original = AdamW.prototype.step;
  const gradients = new Map<string, Float32Array>();
  AdamW.prototype.step = (found) => found.forEach((gradient, name) => gradients.set(name, gradient.slice()));
  const update = await ModelUpdate.create(model, { objective: likelihood });
  try {
    const { loss } = await update.step(
      { promptIds: [prompt], completionIds: [completion], promptOf: [0], tokens: {} },
      1e-3,
    );
    return { loss, gradients };
  } finally {
    AdamW.prototype.step = original;
    await update.dispose();
  }
}

for (const { bits, options } of FORMATS) {
  test(`${bits} bits: the weights are those of bitsandbytes; embedding, norms, biases and head stay as they are`, async () => {
    const model = await load(options);
    const out = peer.path('weights.safetensors');
    await peer.call('quantised_weights', { folder: peer.path('model'), bits, out });
    const theirs = readSafetensors(out);
    assert.deepEqual([...model.quantized.keys()].sort(), [...theirs.keys()].sort());
    for (const [name, weight] of model.quantized) {
      const ours = dequantize(weight).data;
      const expected = theirs.get(name)!.data;
      // bitsandbytes' 8-bit layers take the weights by way of float16, which moves a few over the border between two codes.
      if (bits === 4) assert.deepEqual(ours, expected, name);
      else assert.ok(relativeError(ours, expected) <= 5e-3, `${name}: ${relativeError(ours, expected)}`);
    }
    const full = await load({});
    assert.equal(model.weights.size + model.quantized.size, full.weights.size);
    for (const [name, { data }] of model.weights) assert.deepEqual(data, full.weights.get(name)!.data);
  });

  test(`${bits} bits: logits are those of the same base in transformers, alone and with an adapter from its folder`, async () => {
    const model = await load(options);
    const [ours] = await model.logits([ids]);
    assert.ok(maxDifference(ours, await logitsOf({ weights: writeDequantized(model) })) <= 1e-4);
    const peft = withAdapter(model);
    await peft.savePretrained(peer.path(`adapter${bits}`));
    const [adapted] = await peft.logits([ids]);
    assert.ok(
      maxDifference(
        adapted,
        await logitsOf({ weights: writeDequantized(model), adapter: peer.path(`adapter${bits}`) }),
      ) <= 1e-4,
    );
    // The same folder on the full base, there and here.
    const onFull = await PeftModel.fromPretrained(await load({}), peer.path(`adapter${bits}`));
    const [full] = await onFull.logits([ids]);
    assert.ok(maxDifference(full, await logitsOf({ adapter: peer.path(`adapter${bits}`) })) <= 1e-4);
    // And on the quantised base again, by the adapter's folder alone.
    const again = await FastLanguageModel.fromPretrained({ modelName: peer.path(`adapter${bits}`), ...options });
    assert.deepEqual((await again.model.logits([ids]))[0], adapted);
    assert.equal(again.model.quantized.size, 21);
  });

  test(`${bits} bits: gradients of the adapter are PyTorch's`, async () => {
    const model = withAdapter(await load(options));
    await model.savePretrained(peer.path('trained'));
    const [prompt, completion] = [ids.slice(0, 25), ids.slice(25)];
    const { loss, gradients } = await gradientsOf(model, prompt, completion);
    const out = peer.path('gradients.safetensors');
    // In 8 bits bitsandbytes also rounds what comes in: there the peer takes float32 layers of the same values.
    const base = bits === 4 ? { bits } : { weights: writeDequantized(model) };
    await peer.call('gradients', {
      folder: peer.path('model'),
      adapter: peer.path('trained'),
      prompt,
      completion,
      out,
      ...base,
    });
    const expected = readSafetensors(out);
    assert.ok(Math.abs(loss - expected.get('loss')!.data[0]) <= 1e-5 * Math.abs(loss));
    assert.equal(gradients.size, 42);
    for (const [name, gradient] of gradients) {
      const error = relativeError(gradient, expected.get(name)!.data);
      assert.ok(error <= 1e-4, `${name}: relative error ${error}`);
    }
  });

  test(`${bits} bits: generation takes the quantised weights, and training the adapter makes the completion likelier`, async () => {
    const base = await load(options);
    const model = FastLanguageModel.getPeftModel(base, { r: 4 });
    const [prompt, completion] = [ids.slice(0, 10), ids.slice(10)];
    const codes = Array.from(base.quantized.values(), (weight) => weight.codes.slice());
    const update = await ModelUpdate.create(model, { objective: likelihood });
    const batch = { promptIds: [prompt], completionIds: [completion], promptOf: [0], tokens: {} };
    const losses: number[] = [];
    for (let step = 0; step < 12; step++) losses.push((await update.step(batch, 2e-2)).loss);
    await update.dispose();
    assert.ok(losses[11] < 0.5 * losses[0], losses.join(' '));
    // Greedy tokens are those that the logits of the same model name.
    const greedy = { inputIds: prompt, doSample: false, maxNewTokens: 8, eosTokenId: null };
    const { sequences } = await model.generate(greedy);
    const { sequences: many } = await model.generate({ ...greedy, numReturnSequences: 9 });
    for (const sequence of many) assert.deepEqual(sequence, sequences[0]);
    const [logits] = await model.logits([[...prompt, ...sequences[0]]]);
    sequences[0].forEach((token, i) => {
      const row = logits.subarray((prompt.length - 1 + i) * 300, (prompt.length + i) * 300);
      assert.equal(row.indexOf(Math.max(...row)), token);
    });
    assert.deepEqual(
      Array.from(base.quantized.values(), (weight) => weight.codes),
      codes,
    );
  });

  test(`${bits} bits: a merged model has the logits of base and adapter, in transformers too`, async () => {
    const model = withAdapter(await load(options));
    await model.savePretrainedMerged(peer.path('merged'));
    const [ours] = await model.logits([ids]);
    assert.ok(maxDifference(ours, await logitsOf({ folder: peer.path('merged') })) <= 1e-4);
  });
}

test('each value is the nearest that its format has', () => {
  const random = seededRandom(3);
  const shape = [48, 72];
  const data = Float32Array.from(
    { length: sizeOf(shape) },
    () => (random.next() + random.next() + random.next() - 1.5) * 0.1,
  );
  const weight: Tensor = { shape, data: data.slice() };
  data.fill(0, 64, 128);
  weight.data.fill(0, 64, 128);
  const levels = [
    -1, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105, 0, 0.0795803, 0.1609302, 0.2461123,
    0.33791524, 0.44070983, 0.562617, 0.72295684, 1,
  ];
  const nf4 = dequantize(quantize(weight, 'nf4')).data;
  for (let i = 0; i < data.length; i++) {
    const block = data.subarray(64 * Math.floor(i / 64), 64 * Math.floor(i / 64) + 64);
    const absmax = Math.max(...block.map(Math.abs));
    const best = Math.min(...levels.map((level) => Math.abs(level * absmax - data[i])));
    assert.ok(Math.abs(nf4[i] - data[i]) <= best + 1e-6, `value ${i}`);
  }
  const int8 = dequantize(quantize(weight, 'int8')).data;
  for (let i = 0; i < data.length; i++) {
    const row = data.subarray(72 * Math.floor(i / 72), 72 * Math.floor(i / 72) + 72);
    assert.ok(Math.abs(int8[i] - data[i]) <= Math.max(...row.map(Math.abs)) / 254 + 1e-7, `value ${i}`);
  }
});

test('8 bits: rounding is that of bitsandbytes', async () => {
  const random = seededRandom(8);
  const weight = { shape: [20, 96], data: Float32Array.from({ length: 1920 }, () => random.next() - 0.5) };
  weight.data.fill(0, 96, 192);
  writeSafetensors(peer.path('in.safetensors'), new Map([['weight', weight]]));
  await peer.call('int8', { weights: peer.path('in.safetensors'), out: peer.path('out.safetensors') });
  const expected = readSafetensors(peer.path('out.safetensors')).get('weight')!.data;
  expected.fill(0, 96, 192);
  assert.ok(maxDifference(dequantize(quantize(weight, 'int8')).data, expected) <= 1e-7);
});

test('a quantised model without an adapter is not trained, and says what it is', async () => {
  const model = await load({ loadIn4bit: true });
  await assert.rejects(
    ModelUpdate.create(model, { objective: likelihood }),
    /held in 4 bits and cannot be trained; give it an adapter, FastLanguageModel\.getPeftModel\(model\), or load it without loadIn4bit/,
  );
  assert.match(String(model), /linear layers in 4 bits/);
  const count = (text: CausalLM) => /: ([\d,]+) parameters/.exec(String(text))![1];
  assert.equal(count(model), count(await load({})));
});
