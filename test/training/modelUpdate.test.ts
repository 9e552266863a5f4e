import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FastLanguageModel, type CausalLM } from '../../kernel/models';
import { seededRandom } from '../../kernel/common/random';
import { mul, neg, sumAll } from '../../kernel/onnx/operators/arithmetic';
import { AdamW } from '../../kernel/training/update/adamw';
import {
  ModelUpdate,
  type BatchOutcome,
  type ModelUpdateOptions,
  type TokenBatch,
} from '../../kernel/training/update/modelUpdate';
import type { Objective } from '../../kernel/training/update/objective';
import { planSteps } from '../../kernel/training/update/plan';
import { PythonPeer, relativeError } from '../models/pythonPeer';

const peer = new PythonPeer('grpo/update_peer.py');
after(() => peer.close());
before(async () => {
  await peer.call('make_model', { folder: peer.path('tied'), tie_word_embeddings: true, num_key_value_heads: 4 });
  await peer.call('make_model', { folder: peer.path('untied'), tie_word_embeddings: false, num_key_value_heads: 2 });
});

/** The weighted negative log-probability of the tokens. */
const likelihood: Objective = {
  inputs: ['weights'],
  build: ({ logprobs, input }) => ({ loss: neg(sumAll(mul(logprobs, input('weights')))) }),
};

async function load(folder: string, lora: boolean): Promise<CausalLM> {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: peer.path(folder) });
  if (!lora) return model;
  const peft = FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8 });
  const random = seededRandom(9);
  for (const { data } of peft.trainableParameters().values())
    data.forEach((_, i) => (data[i] = 0.4 * (random.next() - 0.5)));
  return peft;
}

/** Prompts of several lengths with 5, 3, 1, 2 and 1 completions; the fourth prompt is one token. */
function makeBatch(): TokenBatch {
  const random = seededRandom(3);
  const ids = (length: number) => Array.from({ length }, () => Math.floor(64 * random.next()));
  const promptOf = [0, 1, 0, 2, 0, 1, 3, 0, 1, 3, 0, 4];
  const completionIds = [9, 12, 1, 7, 3, 12, 5, 8, 2, 6, 10, 1].map(ids);
  const weights = completionIds.map((tokens) => tokens.map(() => random.next() - 0.3));
  return { promptIds: [10, 6, 8, 1, 5].map(ids), completionIds, promptOf, tokens: { weights } };
}

/** What a step makes of a batch: outcome, and the gradients as the optimizer gets them. */
async function step(
  model: CausalLM,
  batch: TokenBatch,
  options: Partial<ModelUpdateOptions>,
): Promise<BatchOutcome & { gradients: Map<string, Float32Array> }> {
  const original = AdamW.prototype.step;
  const gradients = new Map<string, Float32Array>();
  AdamW.prototype.step = (found) => found.forEach((gradient, name) => gradients.set(name, gradient.slice()));
  const update = await ModelUpdate.create(model, { objective: likelihood, temperature: 0.8, ...options });
  try {
    return { ...(await update.step(batch, 1e-3)), gradients };
  } finally {
    AdamW.prototype.step = original;
    await update.dispose();
  }
}

for (const folder of ['tied', 'untied']) {
  for (const lora of [false, true]) {
    test(`a batch gives the same gradients however it is cut: ${folder} head, ${lora ? 'LoRA' : 'all parameters'}`, async () => {
      const model = await load(folder, lora);
      const batch = makeBatch();
      const whole = await step(model, batch, { maxRows: 1e6 });
      assert.ok(whole.gradients.size > 0);
      for (const maxRows of [1, 20, 40]) {
        const cut = await step(model, batch, { maxRows });
        assert.ok(Math.abs(cut.loss - whole.loss) <= 1e-5 * Math.abs(whole.loss));
        for (const [name, gradient] of whole.gradients) {
          const error = relativeError(cut.gradients.get(name)!, gradient);
          assert.ok(error < 2e-5, `${name}, at most ${maxRows} rows: relative error ${error}`);
        }
        for (const name of ['logprobs', 'entropies']) {
          cut.tokens[name].forEach((values, i) =>
            assert.ok(relativeError(values, whole.tokens[name][i]) < 1e-5, `${name} of completion ${i}`),
          );
        }
      }
    });
  }
}

for (const folder of ['tied', 'untied']) {
  for (const lora of [false, true]) {
    test(`computing activations again gives the same gradients: ${folder} head, ${lora ? 'LoRA' : 'all parameters'}`, async () => {
      const model = await load(folder, lora);
      const batch = makeBatch();
      for (const maxRows of [20, 1e6]) {
        const held = await step(model, batch, { maxRows });
        for (const options of [
          { gradientCheckpointing: true },
          { maxLogits: 10 * 64 },
          { gradientCheckpointing: true, maxLogits: 3 * 64 },
        ]) {
          const again = await step(model, batch, { maxRows, ...options });
          assert.ok(Math.abs(again.loss - held.loss) <= 1e-6 * Math.abs(held.loss));
          for (const [name, gradient] of held.gradients) {
            const error = relativeError(again.gradients.get(name)!, gradient);
            assert.ok(error < 2e-6, `${name}, ${JSON.stringify({ maxRows, ...options })}: relative error ${error}`);
          }
          for (const name of ['logprobs', 'entropies']) {
            again.tokens[name].forEach((values, i) =>
              assert.ok(relativeError(values, held.tokens[name][i]) < 1e-6, `${name} of completion ${i}`),
            );
          }
        }
      }
    });
  }
}

test('evaluation says the same and changes nothing', async () => {
  const model = await load('untied', false);
  const before = [...model.trainableParameters().values()].map(({ data }) => data.slice());
  const update = await ModelUpdate.create(model, { objective: likelihood, temperature: 0.8, maxRows: 20 });
  const evaluated = await update.evaluate(makeBatch());
  const learned = await update.accumulate(makeBatch());
  assert.ok(Math.abs(evaluated.loss - learned.loss) <= 1e-5 * Math.abs(learned.loss));
  learned.tokens.logprobs.forEach((values, i) => assert.ok(relativeError(evaluated.tokens.logprobs[i], values) < 1e-5));
  update.discard();
  assert.deepEqual(
    [...model.trainableParameters().values()].map(({ data }) => data),
    before,
  );
  await update.dispose();
});

test('gradients of several batches add up, and are dropped on demand and on abortion', async () => {
  const model = await load('untied', true);
  const batch = makeBatch();
  const doubled = {
    ...batch,
    tokens: { weights: batch.tokens.weights.map((values) => Array.from(values, (value) => 2 * value)) },
  };
  const update = await ModelUpdate.create(model, { objective: likelihood, maxRows: 20 });
  await update.accumulate(batch);
  await update.accumulate(batch);
  const twice = update.apply(0);
  await update.accumulate(doubled);
  assert.ok(Math.abs(update.apply(0) / twice - 1) < 1e-5);
  await update.accumulate(batch);
  await assert.rejects(update.accumulate(batch, { signal: AbortSignal.abort() }));
  assert.equal(update.apply(0), 0);
  await update.dispose();
});

test('the objective must be given what it asks for', async () => {
  const model = await load('tied', true);
  const update = await ModelUpdate.create(model, { objective: likelihood });
  const { weights } = makeBatch().tokens;
  await assert.rejects(
    update.accumulate({ ...makeBatch(), tokens: {} }),
    /the batch has no "weights"; the objective needs weights/,
  );
  await assert.rejects(
    update.accumulate({ ...makeBatch(), tokens: { weights: weights.slice(1) } }),
    /weights has 11 entries for 12 completions/,
  );
  await update.dispose();
  const wrong = await ModelUpdate.create(model, { objective: { inputs: [], build: likelihood.build } });
  await assert.rejects(
    wrong.accumulate(makeBatch()),
    /the objective asks for "weights", which is not among its inputs/,
  );
});

test('a plan cuts no sequence, and computes the prompt of several completions once', () => {
  const batch = makeBatch();
  const rowsOf = (ids: readonly (readonly number[])[]) => ids.reduce((sum, { length }) => sum + length, 0);
  for (const maxRows of [1, 20, 40, 1e6]) {
    const steps = planSteps(batch, maxRows);
    const found = steps.flatMap((one) =>
      one.rows === 'cut'
        ? one.parts.flat()
        : one.trees.flatMap(({ root, branches }) => (branches.length > 0 ? branches : [root])),
    );
    assert.deepEqual(
      found.map(({ completion }) => completion!).sort((a, b) => a - b),
      batch.completionIds.map((_, i) => i),
    );
    for (const { completion, ids, targets } of found) {
      assert.deepEqual(targets, batch.completionIds[completion!]);
      assert.deepEqual(ids.slice(ids.length - targets.length + 1), targets.slice(0, -1));
    }
    for (const one of steps) {
      const parts =
        one.rows === 'cut'
          ? one.parts.map((part) => part.map(({ ids }) => ids))
          : [one.trees.flatMap(({ root, branches }) => [root, ...branches].map(({ ids }) => ids))];
      for (const part of parts)
        assert.ok(part.length === 1 || rowsOf(part) <= maxRows, `${rowsOf(part)} rows of ${maxRows}`);
    }
  }
  assert.deepEqual(
    planSteps(batch, 1e6).map(({ rows }) => rows),
    ['roots', 'both'],
  );
  assert.deepEqual(planSteps(batch, 1).filter(({ rows }) => rows === 'cut').length, 2);
});
