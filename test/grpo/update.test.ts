import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AdamW } from '../../kernel/training/update/adamw';
import { PolicyUpdate } from '../../kernel/grpo/update/policyUpdate';
import type { PolicyBatch } from '../../kernel/grpo/update/preparedStep';
import type { UpdateMetrics } from '../../kernel/grpo/update/policyMetrics';
import type { UpdateOptions } from '../../kernel/grpo/updateSettings';
import { FastLanguageModel, type CausalLM } from '../../kernel/models';
import { LogprobScorer } from '../../kernel/training/update/logprobScorer';
import { dequantize } from '../../kernel/models/checkpoint/quantization';
import { readSafetensors, writeSafetensors } from '../../kernel/models/checkpoint/safetensors';
import { seededRandom } from '../../kernel/common/random';
import type { Tensor } from '../../kernel/onnx/tensor';
import { PythonPeer, relativeError } from '../models/pythonPeer';

const peer = new PythonPeer('grpo/update_peer.py');
after(() => peer.close());
before(async () => {
  await peer.call('make_model', { folder: peer.path('tied'), tie_word_embeddings: true, num_key_value_heads: 4 });
  await peer.call('make_model', { folder: peer.path('gqa'), tie_word_embeddings: false, num_key_value_heads: 2 });
});

const STEPS = 5;
const LEARNING_RATE = 1e-3;

async function load(folder: string, lora = false, options: object = {}): Promise<CausalLM> {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: peer.path(folder), ...options });
  if (!lora) return model;
  const peft = FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8 });
  const random = seededRandom(9);
  for (const { data } of peft.trainableParameters().values())
    data.forEach((_, i) => (data[i] = 0.4 * (random.next() - 0.5)));
  return peft;
}

/** Completions of two prompts, of 1 to 12 tokens, the second prompt's in between the first's. */
function makeBatch(seed: number): PolicyBatch {
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random.next() * n);
  const ids = (length: number) => Array.from({ length }, () => below(64));
  const completionIds = [9, 12, 1, 7, 3, 12].map(ids);
  return {
    promptIds: [ids(10), ids(6)],
    completionIds,
    promptOf: [0, 1, 0, 1, 0, 1],
    advantages: completionIds.map(() => 3 * random.next() - 1.5),
  };
}

/** Adds what the policy at the start says of the completions, with noise so that some ratios are clipped. */
async function withOldLogprobs(model: CausalLM, batch: PolicyBatch, temperature: number): Promise<PolicyBatch> {
  const scorer = await LogprobScorer.create(model.config, model.parameters, temperature);
  const random = seededRandom(4);
  const oldLogprobs: number[][] = [];
  for (const scores of (await scorer.scoreBatch(batch)).logprobs)
    oldLogprobs.push(Array.from(scores, (score) => score + 0.8 * (random.next() - 0.5)));
  await scorer.dispose();
  return { ...batch, oldLogprobs };
}

/** Gradients of the first step as the optimizer gets them. */
function spyOnGradients(run: () => Promise<unknown>): Promise<Map<string, Float32Array>> {
  const original = AdamW.prototype.step;
  let found: Map<string, Float32Array> | undefined;
  AdamW.prototype.step = function (gradients, ...rest) {
    found ??= new Map([...gradients].map(([name, gradient]) => [name, gradient.slice()]));
    original.call(this, gradients, ...rest);
  };
  return run()
    .then(() => found!)
    .finally(() => (AdamW.prototype.step = original));
}

interface Scenario {
  model: CausalLM;
  folder: string;
  /** Ours, and TRL's for the same. */
  settings: UpdateOptions;
  trl: object;
  batches: PolicyBatch[];
}

const METRICS = [
  'loss',
  'grad_norm',
  'entropy',
  'kl',
  'clip_ratio/low_mean',
  'clip_ratio/low_min',
  'clip_ratio/high_mean',
  'clip_ratio/high_max',
  'clip_ratio/region_mean',
  'cispo_clip_ratio',
] as const;

/** The values that weights in 4 or 8 bits stand for (they are bitsandbytes', see models/quantized.test), as a file. */
function writeDequantized(model: CausalLM): string {
  const path = peer.path('dequantised.safetensors');
  writeSafetensors(path, new Map(Array.from(model.quantized, ([name, weight]) => [name, dequantize(weight)])));
  return path;
}

/** Makes the same steps here and in TRL and compares gradients, metrics and weights. */
async function compareWithTrl({ model, folder, settings, trl, batches }: Scenario): Promise<UpdateMetrics[]> {
  const adapter = model.adapter ? peer.path('adapter') : null;
  if (adapter) await model.savePretrained(adapter);
  const ours: UpdateMetrics[] = [];
  const update = await PolicyUpdate.create(model, settings);
  const gradients = await spyOnGradients(async () => {
    for (const batch of batches) ours.push(await update.step(batch, LEARNING_RATE));
  });
  await update.dispose();

  const out = peer.path('updated.safetensors');
  const weights = model.quantized.size > 0 ? writeDequantized(model) : null;
  const plain = JSON.parse(JSON.stringify(batches));
  const theirs: Record<string, number>[] = await peer.call('updates', {
    folder: peer.path(folder),
    adapter,
    settings: trl,
    batches: plain,
    learning_rate: LEARNING_RATE,
    out,
    weights,
  });
  const expected = readSafetensors(out);
  for (const [name, gradient] of gradients) {
    const error = relativeError(gradient, expected.get(`gradient ${name}`)!.data);
    assert.ok(error <= 1e-4, `gradient of ${name}: relative error ${error}`);
  }
  theirs.forEach((metrics, step) => {
    for (const name of METRICS) {
      const [a, b] = [ours[step][name], metrics[name]];
      if (a === undefined && b === undefined) continue;
      assert.ok(a !== undefined && b !== undefined, `${name}: ${a}, TRL: ${b}`);
      assert.ok(Math.abs(a! - b) <= 1e-3 * Math.abs(b) + 1e-5, `${name} of step ${step + 1}: ${a}, TRL: ${b}`);
    }
  });
  for (const [name, { data }] of model.trainableParameters()) {
    const error = relativeError(data, expected.get(name)!.data);
    assert.ok(error <= 1e-4, `${name} after ${batches.length} steps: relative error ${error}`);
  }
  return ours;
}

const batches = () => Array.from({ length: STEPS }, (_, step) => makeBatch(step));

for (const lossType of ['grpo', 'dr_grpo', 'dapo', 'bnpo', 'cispo', 'sapo'] as const) {
  for (const lora of [false, true]) {
    // Full-parameter with the default of no KL, LoRA with one: each loss meets both.
    const beta = lora ? 0.1 : 0;
    test(`${STEPS} steps as TRL: ${lossType}, ${lora ? 'LoRA with beta 0.1' : 'all parameters'}, policy that moves away from the one that sampled`, async () => {
      const folder = lora ? 'gqa' : 'tied';
      const model = await load(folder, lora);
      const epsilonHigh = lossType === 'cispo' ? 1.1 : 0.28;
      const sampled: PolicyBatch[] = [];
      for (const batch of batches()) sampled.push(await withOldLogprobs(model, batch, 0.9));
      const metrics = await compareWithTrl({
        model,
        folder,
        settings: {
          lossType,
          beta,
          epsilon: 0.2,
          epsilonHigh,
          temperature: 0.9,
          maxCompletionLength: 20,
          weightDecay: 0.01,
          maxGradNorm: 0.5,
        },
        trl: {
          loss_type: lossType,
          beta,
          epsilon: 0.2,
          epsilon_high: epsilonHigh,
          temperature: 0.9,
          max_completion_length: 20,
          weight_decay: 0.01,
          max_grad_norm: 0.5,
        },
        batches: sampled,
      });
      if (lossType !== 'sapo')
        assert.ok(
          metrics.some((step) => (step['clip_ratio/region_mean'] ?? step.cispo_clip_ratio)! > 0),
          'some tokens are clipped',
        );
    });
  }
}

test(`${STEPS} steps as TRL: on-policy, defaults`, async () => {
  await compareWithTrl({ model: await load('gqa'), folder: 'gqa', settings: {}, trl: {}, batches: batches() });
});

test(`${STEPS} steps as TRL: all parameters with beta: the reference is a frozen copy`, async () => {
  await compareWithTrl({
    model: await load('gqa'),
    folder: 'gqa',
    settings: { beta: 0.2 },
    trl: { beta: 0.2 },
    batches: batches(),
  });
});

test(`${STEPS} steps as TRL: ratios of whole completions, two-sided clipping`, async () => {
  const model = await load('tied', true);
  const sampled: PolicyBatch[] = [];
  for (const batch of batches()) sampled.push(await withOldLogprobs(model, batch, 1));
  await compareWithTrl({
    model,
    folder: 'tied',
    settings: { lossType: 'grpo', importanceSamplingLevel: 'sequence', epsilon: 0.02, delta: 1.1 },
    trl: { loss_type: 'grpo', importance_sampling_level: 'sequence', epsilon: 0.02, delta: 1.1 },
    batches: sampled,
  });
});

for (const lora of [false, true]) {
  test(`${STEPS} steps as TRL: cut into short runs, ${lora ? 'LoRA' : 'all parameters'}`, async () => {
    const folder = lora ? 'gqa' : 'tied';
    const settings = { beta: 0.1, maxRows: 16 };
    await compareWithTrl({ model: await load(folder, lora), folder, settings, trl: { beta: 0.1 }, batches: batches() });
  });
}

for (const options of [{ loadIn4bit: true }, { loadIn8bit: true }]) {
  test(`${STEPS} steps as TRL: an adapter on a quantised base, ${Object.keys(options)}`, async () => {
    const model = await load('gqa', true, options);
    const codes = Array.from(model.quantized.values(), (weight) => weight.codes.slice());
    assert.equal(codes.length, 14);
    await compareWithTrl({
      model,
      folder: 'gqa',
      settings: { gradientCheckpointing: 'loadIn8bit' in options },
      trl: {},
      batches: batches(),
    });
    assert.deepEqual(
      Array.from(model.quantized.values(), (weight) => weight.codes),
      codes,
    );
  });
}

test(`${STEPS} steps as TRL: activations computed again`, async () => {
  for (const lora of [false, true]) {
    const folder = lora ? 'gqa' : 'tied';
    await compareWithTrl({
      model: await load(folder, lora),
      folder,
      settings: { beta: 0.1, maxRows: 24, gradientCheckpointing: true },
      trl: { beta: 0.1 },
      batches: batches(),
    });
  }
});

test(`${STEPS} steps as TRL: masked completions`, async () => {
  const mask = (batch: PolicyBatch) =>
    batch.completionIds.map((ids, i) => Array.from(ids, () => (i === 3 || i === 4 ? 0 : 1)));
  const masked = batches().map((batch) => ({ ...batch, mask: mask(batch) }));
  await compareWithTrl({
    model: await load('gqa'),
    folder: 'gqa',
    settings: { lossType: 'grpo' },
    trl: { loss_type: 'grpo' },
    batches: masked,
  });
});

const weightsOf = (model: CausalLM) =>
  [...model.trainableParameters().values()].map(({ data }: Tensor) => data.slice());

test('the same steps give the same weights, bit for bit', async () => {
  const runs: Float32Array[][] = [];
  for (let run = 0; run < 2; run++) {
    const model = await load('gqa');
    const update = await PolicyUpdate.create(model, {});
    for (const batch of batches()) await update.step(batch, LEARNING_RATE);
    await update.dispose();
    runs.push(weightsOf(model));
  }
  assert.deepEqual(runs[0], runs[1]);
});

test('an update that goes on from a saved state equals one that never stopped', async () => {
  const all = batches();
  const straight = await load('gqa', true);
  const one = await PolicyUpdate.create(straight, { beta: 0.1 });
  for (const batch of all) await one.step(batch, LEARNING_RATE);

  const before = await load('gqa', true);
  const two = await PolicyUpdate.create(before, { beta: 0.1 });
  for (const batch of all.slice(0, 2)) await two.step(batch, LEARNING_RATE);
  const after = await load('gqa', true);
  const saved = weightsOf(before);
  [...after.trainableParameters().values()].forEach(({ data }, i) => data.set(saved[i]));
  const three = await PolicyUpdate.create(after, { beta: 0.1 }, { optimizer: two.state(), extras: two.extras() });
  for (const batch of all.slice(2)) await three.step(batch, LEARNING_RATE);
  assert.deepEqual(weightsOf(after), weightsOf(straight));
  for (const update of [one, two, three]) await update.dispose();
});

test('what is imitated pulls as a sampled completion does, and is no part of the metrics', async () => {
  const whole = makeBatch(8);
  const first = (count: number) => ({
    ...whole,
    completionIds: whole.completionIds.slice(0, count),
    promptOf: whole.promptOf.slice(0, count),
    advantages: Array.from(whole.advantages).slice(0, count),
    tokensPerMicroBatch: 40,
  });
  const imitations = {
    promptIds: whole.promptIds,
    completionIds: whole.completionIds.slice(4),
    promptOf: whole.promptOf.slice(4),
    advantages: Array.from(whole.advantages).slice(4),
  };
  const run = async (batch: PolicyBatch, settings: UpdateOptions) => {
    const model = await load('gqa');
    const update = await PolicyUpdate.create(model, settings);
    const metrics = await update.step(batch, LEARNING_RATE);
    await update.dispose();
    return { metrics, weights: weightsOf(model) };
  };
  for (const settings of [
    { beta: 0.1 },
    { lossType: 'grpo' },
    { topEntropyQuantile: 0.5 },
    { entropyCoef: 0.1, useAdaptiveEntropy: true },
  ] as const) {
    const imitating = await run({ ...first(4), imitations }, settings);
    const alone = await run(first(4), settings);
    assert.equal(imitating.metrics.entropy, alone.metrics.entropy);
    assert.notDeepEqual(imitating.weights, alone.weights);
    if ('beta' in settings || 'lossType' in settings)
      assert.deepEqual(imitating.weights, (await run(first(6), settings)).weights);
  }
});

test('completions of one token each can be learned from', async () => {
  const model = await load('gqa');
  const update = await PolicyUpdate.create(model, {});
  const batch = { promptIds: [[5, 6, 7]], completionIds: [[8], [9]], promptOf: [0, 0], advantages: [1, -1] };
  const before = Math.exp((await firstLogprobs(model))[8]);
  const { grad_norm } = await update.step(batch, LEARNING_RATE);
  assert.ok(grad_norm > 0);
  assert.ok(Math.exp((await firstLogprobs(model))[8]) > before);
  await update.dispose();
});

async function firstLogprobs(model: CausalLM): Promise<number[]> {
  const [logits] = await model.logits([[5, 6, 7]]);
  const last = Array.from(logits.slice(-64));
  const total = Math.log(last.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return last.map((logit) => logit - total);
}

test('generation uses the new weights at once', async () => {
  for (const lora of [false, true]) {
    const model = await load('gqa', lora);
    const options = { inputIds: [5, 6, 7], doSample: false, maxNewTokens: 4, eosTokenId: null };
    const { sequences } = await model.generate(options);
    const update = await PolicyUpdate.create(model, {});
    for (let i = 0; i < 10; i++)
      await update.step({ promptIds: [[5, 6, 7]], completionIds: [[33, 34]], promptOf: [0], advantages: [1] }, 0.05);
    const after = await model.generate(options);
    assert.notDeepEqual(sequences[0].slice(0, 2), [33, 34]);
    assert.deepEqual(after.sequences[0].slice(0, 2), [33, 34]);
    await update.dispose();
  }
});

test('bad settings and batches are errors that say what to do, and change nothing', async () => {
  const model = await load('gqa');
  await assert.rejects(
    PolicyUpdate.create(model, { lossType: 'ppo' as never }),
    /lossType must be one of "grpo", "dr_grpo"/,
  );
  await assert.rejects(PolicyUpdate.create(model, { temperature: 0 }), /temperature must be a number above 0/);
  const update = await PolicyUpdate.create(model, {});
  const before = weightsOf(model);
  const good = makeBatch(0);
  const wrong: [Partial<PolicyBatch>, RegExp][] = [
    [{ completionIds: [] }, /at least one completion/],
    [{ advantages: [1] }, /advantages has 1 entries for 6/],
    [{ promptOf: [0, 1, 2, 0, 0, 0] }, /completion 2 answers prompt 2/],
    [{ completionIds: good.completionIds.map((ids, i) => (i === 1 ? [] : ids)) }, /completion 1 is empty/],
    [{ promptIds: [new Array(60).fill(1), [1]] }, /more than maxSeqLength \(64\)/],
    [{ advantages: good.completionIds.map(() => NaN) }, /gradient is not finite, and nothing was changed/],
  ];
  for (const [part, message] of wrong) await assert.rejects(update.step({ ...good, ...part }, 1), message);
  assert.deepEqual(weightsOf(model), before);
  await update.dispose();
});
