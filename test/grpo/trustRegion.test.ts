import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PolicyUpdate } from '../../kernel/grpo/update/policyUpdate';
import { updateWithin } from '../../kernel/grpo/update/trustRegion';
import type { UpdateOptions } from '../../kernel/grpo/updateSettings';
import { FastLanguageModel, type CausalLM } from '../../kernel/models';

const BATCH = {
  promptIds: [[5, 6, 7, 8]],
  completionIds: [
    [9, 10, 11, 12, 13],
    [14, 15, 16],
    [17, 18, 19, 20],
  ],
  promptOf: [0, 0, 0],
  advantages: [1, -1, 0.5],
};

async function load(loraDropout: number): Promise<CausalLM> {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 128 });
  return FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8, loraDropout, randomState: 1 });
}

/** Makes three steps. Returns their metrics, how far the policy went in each, and the weights at last. */
async function run(options: UpdateOptions, learningRate = 0.05, loraDropout = 0) {
  const model = await load(loraDropout);
  const update = await PolicyUpdate.create(model, options);
  const metrics = [];
  const moved: number[] = [];
  for (let step = 0; step < 3; step++) {
    const before = await update.logprobs(BATCH);
    metrics.push(await update.step(BATCH, learningRate));
    const after = await update.logprobs(BATCH);
    const kls = before.flatMap((row, i) =>
      Array.from(row, (old, t) => Math.exp(after[i][t] - old) - 1 - (after[i][t] - old)),
    );
    moved.push(kls.reduce((sum, kl) => sum + kl, 0) / kls.length);
  }
  const weights = [...model.trainableParameters().values()].map(({ data }) => Array.from(data));
  const optimizer = update.state().step;
  await update.dispose();
  await model.dispose();
  return { metrics, moved, weights, optimizer };
}

test('a step that goes too far is halved until the policy is near; the log says how far it went, and how much was made', async () => {
  const free = await run({});
  assert.ok(Math.max(...free.moved) > 0.2, `steps of ${free.moved}`);
  assert.ok(!('step_kl' in free.metrics[0]));
  const held = await run({ targetKl: 0.05 });
  held.metrics.forEach(({ step_kl, step_share }, i) => {
    assert.ok(Math.abs(step_kl! - held.moved[i]) < 1e-4 + 0.01 * step_kl!, `${step_kl}, seen: ${held.moved[i]}`);
    assert.ok(step_kl! <= 0.05 || step_share === 1 / 64);
    assert.ok(Number.isInteger(Math.log2(step_share!)));
  });
  assert.ok(held.metrics.some(({ step_share }) => step_share! < 1));
  assert.equal(held.optimizer, 3, 'moments go on');
});

test('where no step goes too far, all is as without it, bit for bit', async () => {
  const [free, held] = [await run({}, 1e-4), await run({ targetKl: 1 }, 1e-4)];
  assert.deepEqual(held.weights, free.weights);
  assert.deepEqual(
    held.metrics.map(({ step_share }) => step_share),
    [1, 1, 1],
  );
});

test('where the distance cannot be told, the weights are as they were', async () => {
  const weights = { shape: [2], data: Float32Array.of(1, 2) };
  const failing = updateWithin(0.05, new Map([['w', weights]]), {
    update: () => void weights.data.fill(9),
    distance: () => Promise.reject(new Error('no memory')),
  });
  await assert.rejects(failing, /no memory/);
  assert.deepEqual([...weights.data], [1, 2]);
});

test('dropout is not taken for a change of the policy', async () => {
  const { metrics } = await run({ targetKl: 0.5 }, 1e-5, 0.5);
  for (const { step_kl } of metrics) assert.ok(step_kl! < 1e-3, `${step_kl}`);
});
