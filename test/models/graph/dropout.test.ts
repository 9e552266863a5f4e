import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { FastLanguageModel, PeftModel } from '../../../kernel/models';
import { DROPOUT_NUMBERS, dropoutColumns, dropoutRows } from '../../../kernel/models/graph/dropout';
import { seededRandom } from '../../../kernel/common/random';
import { readSafetensors, writeSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { neg, sumAll } from '../../../kernel/onnx/operators/arithmetic';
import type { Tensor } from '../../../kernel/onnx/tensor';
import { AdamW } from '../../../kernel/training/update/adamw';
import {
  ModelUpdate,
  type BatchOutcome,
  type ModelUpdateOptions,
  type OptimizerState,
  type TokenBatch,
} from '../../../kernel/training/update/modelUpdate';
import { deriveSeed } from '../../../kernel/training/seeds';
import type { Objective } from '../../../kernel/training/update/objective';
import { PythonPeer, relativeError } from '../pythonPeer';

const peer = new PythonPeer('models/lora/lora_peer.py');
after(() => peer.close());
before(() =>
  peer.call('make_model', { folder: peer.path('model'), num_key_value_heads: 2, tie_word_embeddings: false }),
);

const ids = Array.from({ length: 60 }, (_, i) => (i * 37 + 11) % 300);
const prompt = ids.slice(0, 20);
const completions = [ids.slice(20, 34), ids.slice(34, 60)];
const batch: TokenBatch = { promptIds: [prompt], completionIds: completions, promptOf: [0, 0], tokens: {} };
const likelihood: Objective = { inputs: [], build: ({ logprobs }) => ({ loss: neg(sumAll(logprobs)) }) };

async function adapted(loraDropout: number): Promise<PeftModel> {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: peer.path('model') });
  const peft = FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8, loraDropout });
  const random = seededRandom(5);
  for (const { data } of peft.trainableParameters().values())
    data.forEach((_, i) => (data[i] = 0.2 * (random.next() - 0.5)));
  return peft;
}

const create = (model: PeftModel, options: Partial<ModelUpdateOptions> = {}) =>
  ModelUpdate.create(model, { objective: likelihood, ...options });
const values = (model: PeftModel) => Array.from(model.trainableParameters().values(), ({ data }) => data.slice());

/** 1 where an element is kept, by the formula that `kernel/models/graph/dropout.ts` describes. */
function mask(layer: string, width: number, rows: Tensor, p: number): Tensor {
  const columns = dropoutColumns(layer, width).data;
  const count = rows.shape[0];
  const data = Float32Array.from({ length: count * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    let product = 0;
    for (let k = 0; k < DROPOUT_NUMBERS; k++)
      product += rows.data[row * DROPOUT_NUMBERS + k] * columns[column * DROPOUT_NUMBERS + k];
    return product % 1 < p ? 0 : 1;
  });
  return { shape: [count, width], data };
}

test('with the same masks, gradients are those of PEFT, however a batch is cut', async () => {
  const p = 0.3;
  const model = await adapted(p);
  await model.savePretrained(peer.path('adapter'));
  assert.equal(JSON.parse(readFileSync(peer.path('adapter/adapter_config.json'), 'utf8')).lora_dropout, p);
  assert.equal((await PeftModel.fromPretrained(model.base, peer.path('adapter'))).adapter.config.loraDropout, p);

  // Both completions see the prompt with the same mask: its rows (without the last, which is theirs) are computed once.
  const seed = deriveSeed(42, 'dropout', 0, 0);
  const expected = new Map<string, Float32Array>();
  let loss = 0;
  for (const [i, completion] of completions.entries()) {
    const rows = dropoutRows(
      [
        { stream: 2, length: prompt.length - 1 },
        { stream: i, length: completion.length },
      ],
      seed,
    );
    const all = {
      shape: [rows.shape[0] + 1, DROPOUT_NUMBERS],
      data: new Float32Array(rows.data.length + DROPOUT_NUMBERS),
    };
    all.data.set(rows.data);
    const masks = new Map(
      Array.from(model.adapter.pairs, ([name, { a }]) => [
        name.replace(/\.weight$/, ''),
        mask(name, a.shape[1], all, p),
      ]),
    );
    writeSafetensors(peer.path('masks.safetensors'), masks);
    const out = peer.path('gradients.safetensors');
    await peer.call('gradients', {
      folder: peer.path('model'),
      adapter: peer.path('adapter'),
      prompt,
      completion,
      masks: peer.path('masks.safetensors'),
      out,
    });
    for (const [name, { data }] of readSafetensors(out)) {
      if (name === 'loss') loss += data[0];
      else expected.set(name, expected.get(name)?.map((value, j) => value + data[j]) ?? data);
    }
  }

  const original = AdamW.prototype.step;
  for (const maxRows of [1000, 24]) {
    const found = new Map<string, Float32Array>();
    AdamW.prototype.step = (gradients) => gradients.forEach((gradient, name) => found.set(name, gradient.slice()));
    const update = await create(model, { maxRows });
    const outcome = await update.step(batch, 1e-3).finally(() => (AdamW.prototype.step = original));
    await update.dispose();
    assert.ok(Math.abs(outcome.loss - loss) <= 1e-5 * loss, `loss ${outcome.loss}, PEFT ${loss}`);
    for (const [name, gradient] of found) {
      const error = relativeError(gradient, expected.get(name)!);
      assert.ok(error <= 1e-4, `maxRows ${maxRows}, ${name}: relative error ${error}`);
    }
  }
});

test('as many elements are left out as asked, in every row and column, and by every layer others', () => {
  const [rows, width] = [600, 500];
  const numbers = dropoutRows(
    [
      { stream: 0, length: 250 },
      { stream: 1, length: 350 },
    ],
    7,
  );
  for (const p of [0.05, 0.1, 0.5]) {
    const first = mask('model.layers.0.self_attn.q_proj.weight', width, numbers, p).data;
    const second = mask('model.layers.0.self_attn.k_proj.weight', width, numbers, p).data;
    const rate = (count: number, of: number) => Math.abs(count / of - p) / Math.sqrt((p * (1 - p)) / of);
    const dropped = (keep: (i: number) => boolean, of: number) =>
      rate(
        first.reduce((sum, kept, i) => sum + (keep(i) && kept === 0 ? 1 : 0), 0),
        of,
      );
    assert.ok(dropped(() => true, rows * width) < 4);
    for (let k = 0; k < 20; k++) {
      assert.ok(dropped((i) => Math.floor(i / width) === 29 * k, width) < 5, `row ${29 * k}`);
      assert.ok(dropped((i) => i % width === 24 * k, rows) < 5, `column ${24 * k}`);
    }
    // Independent of the neighbouring column, row and layer: both are left out with probability p².
    const both = (other: (i: number) => number) =>
      first.reduce((sum, kept, i) => sum + (kept === 0 && other(i) === 0 ? 1 : 0), 0) / first.length;
    for (const other of [(i: number) => first[i + 1], (i: number) => first[i + width], (i: number) => second[i]]) {
      assert.ok(
        Math.abs(both(other) - p * p) < 5 * Math.sqrt((p * p) / first.length),
        `${both(other)} instead of ${p * p}`,
      );
    }
  }
});

test('masks follow from seed and step alone: a resumed run goes on bit for bit', async () => {
  const run = async (model: PeftModel, steps: number, options: object = {}, state?: OptimizerState) => {
    const update = await create(model, options);
    if (state) update.load(state);
    for (let i = 0; i < steps; i++) {
      await update.accumulate(batch);
      await update.accumulate(batch);
      update.apply(1e-3);
    }
    await update.dispose();
    return update.state();
  };
  const whole = await adapted(0.2);
  await run(whole, 4);
  const parts = await adapted(0.2);
  const state = await run(parts, 2);
  await run(parts, 2, {}, state);
  assert.deepEqual(values(parts), values(whole));
  for (const [dropout, options] of [
    [0.2, { seed: 1 }],
    [0.1, {}],
    [0, {}],
  ] as const) {
    const other = await adapted(dropout);
    await run(other, 4, options);
    assert.notDeepEqual(values(other), values(whole));
  }
  // The two batches of a step leave out different elements, and so do steps.
  const losses = new Set<number>();
  const update = await create(await adapted(0.2));
  for (let i = 0; i < 2; i++) losses.add((await update.accumulate(batch)).loss);
  update.apply(0);
  losses.add((await update.accumulate(batch)).loss);
  assert.equal(losses.size, 3);
  await update.dispose();
});

test('dropout is for training only', async () => {
  const [without, withDropout] = [await adapted(0), await adapted(0.5)];
  assert.deepEqual(await withDropout.logits([ids]), await without.logits([ids]));
  const completion = { inputIds: prompt, maxNewTokens: 8, seed: 3 };
  assert.deepEqual(await withDropout.generate(completion), await without.generate(completion));
  const [a, b] = await Promise.all([create(without), create(withDropout)]);
  // Without dropout the update multiplies by merged weights: the same but for rounding.
  const [expected, found] = [await a.evaluate(batch), await b.evaluate(batch)];
  assert.deepEqual(Object.keys(found.tokens), Object.keys(expected.tokens));
  const numbers = ({ loss, tokens }: BatchOutcome) => [
    loss,
    ...Object.values(tokens).flatMap((sequences) => sequences.flatMap((values) => [...values])),
  ];
  assert.ok(relativeError(numbers(found), numbers(expected)) < 1e-6);
  await Promise.all([a.dispose(), b.dispose()]);
  assert.throws(
    () => FastLanguageModel.getPeftModel(without.base, { loraDropout: 1 }),
    /loraDropout must be a number from 0 to below 1, not 1/,
  );
});
