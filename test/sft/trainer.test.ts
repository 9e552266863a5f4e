import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setCellContext, type MimeBundle } from '../../kernel/display/cellContext';
import { FastLanguageModel } from '../../kernel/models';
import { SFTTrainer, type SFTConfig, type SFTRow } from '../../kernel/sft';
import { temporaryFolder } from '../grpo/fixtures';
import { freshModel, newTrainer, outcome, quietHost, uninterrupted } from './fixtures';
import { texts } from './rows';

before(quietHost);

test('a run learns its texts, and logs with the names of TRL', async () => {
  const trainer = newTrainer(
    await freshModel(),
    { loggingSteps: 1, learningRate: 5e-3 },
    { evalDataset: texts.slice(0, 3) },
  );
  const before = await trainer.evaluate();
  const output = await trainer.train();
  assert.deepEqual([output.status, output.globalStep], ['finished', 10]);
  const [first, ...rest] = trainer.logHistory.filter((entry) => 'loss' in entry);
  assert.deepEqual(Object.keys(first).sort(), [
    'entropy',
    'epoch',
    'grad_norm',
    'learning_rate',
    'loss',
    'mean_token_accuracy',
    'num_tokens',
    'step',
    'step_time',
  ]);
  assert.ok(rest.at(-1)!.loss < first.loss - 0.5, `${first.loss} → ${rest.at(-1)!.loss}`);
  const after = await trainer.evaluate();
  assert.ok(after.eval_loss < before.eval_loss && after.eval_mean_token_accuracy > before.eval_mean_token_accuracy);
  await trainer.dispose();
});

test('interrupted and run again, it goes on with the same numbers', async () => {
  const whole = await uninterrupted();
  for (const stopAt of [0, 4]) {
    const abort = new AbortController();
    let steps = 0;
    // In the middle of a step: its first micro-batch is under way.
    const onStepBegin = () => void (steps++ === stopAt && setTimeout(() => abort.abort(), 5));
    const trainer = newTrainer(await freshModel(), {}, { callbacks: [{ onStepBegin }] });
    const paused = await trainer.train({ signal: abort.signal });
    assert.equal(paused.status, 'paused');
    assert.ok(paused.globalStep <= stopAt + 1);
    await trainer.train();
    assert.deepEqual(outcome(trainer), whole);
    await trainer.dispose();
  }
});

test('interrupted while it still tokenizes, it starts when it is run again', async () => {
  const abort = new AbortController();
  const trainDataset = Array.from({ length: 2000 }, (_, i) => ({ text: `${i} ${texts[i % texts.length].text}` }));
  const trainer = newTrainer(await freshModel(), { maxSteps: 1 }, { trainDataset });
  setImmediate(() => abort.abort());
  assert.deepEqual(
    await trainer.train({ signal: abort.signal }).then(({ status, globalStep }) => [status, globalStep]),
    ['paused', 0],
  );
  assert.equal((await trainer.train()).status, 'finished');
  await trainer.dispose();
});

for (const bits of [4, 8]) {
  test(`an adapter learns on weights of ${bits} bits`, async () => {
    const { model } = await FastLanguageModel.fromPretrained({
      modelName: 'joylab/strategist',
      maxSeqLength: 128,
      [`loadIn${bits}bit`]: true,
    });
    const adapted = FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8 });
    const trainer = newTrainer(adapted, { maxSteps: 6, loggingSteps: 1, learningRate: 5e-3 });
    await trainer.train();
    assert.ok(
      trainer.logHistory[5].loss < trainer.logHistory[0].loss - 0.5,
      JSON.stringify(trainer.logHistory.map(({ loss }) => loss)),
    );
    await trainer.dispose();
  });
}

test('after SIGKILL it goes on from its newest checkpoint with the same numbers', async () => {
  const folder = temporaryFolder();
  const { signal, stderr } = spawnSync(process.execPath, [join(__dirname, 'killedRun.js'), folder, '5'], {
    encoding: 'utf8',
  });
  assert.equal(signal, 'SIGKILL', stderr);
  assert.ok(readdirSync(folder).includes('checkpoint-5'));
  const trainer = newTrainer(await freshModel(), { outputDir: folder, saveSteps: 100, resumeFromCheckpoint: true });
  assert.equal((await trainer.train()).status, 'finished');
  assert.deepEqual(outcome(trainer), await uninterrupted());
  await trainer.dispose();
});

test('all weights: 4 steps are 2 and, from the checkpoint, 2 more', async () => {
  const folder = temporaryFolder();
  const args: SFTConfig = { maxSteps: 4, packing: true, maxLength: 64, gradientAccumulationSteps: 1 };
  const abort = new AbortController();
  const onSave = () => abort.abort();
  const first = newTrainer(
    await freshModel({ adapter: false }),
    { ...args, outputDir: folder, saveSteps: 2 },
    { callbacks: [{ onSave }] },
  );
  await first.train({ signal: abort.signal });
  assert.equal(first.globalStep, 2);
  const second = newTrainer(await freshModel({ adapter: false }), { ...args, outputDir: folder, saveSteps: 100 });
  await second.train({ resumeFromCheckpoint: true });
  assert.deepEqual(outcome(second), await uninterrupted(args, false));
});

test('passes are shuffled by the seed, each in its own order', async () => {
  const seen = async (args: SFTConfig) =>
    (await uninterrupted({ maxSteps: 4, loggingSteps: 1, gradientAccumulationSteps: 6, ...args })).log.map(
      ({ loss }) => loss,
    );
  const [one, again, other, given] = [
    await seen({}),
    await seen({}),
    await seen({ seed: 8 }),
    await seen({ trainSamplingStrategy: 'sequential' }),
  ];
  assert.deepEqual(one, again);
  for (const losses of [other, given]) assert.notEqual(one[0], losses[0]);
});

test('the output shows loss and token accuracy, evaluation included', async () => {
  const shown: MimeBundle[] = [];
  setCellContext({
    display: (bundle) => void shown.push(bundle),
    signal: new AbortController().signal,
    registerCommTarget() {},
  });
  const trainer = newTrainer(
    await freshModel(),
    { maxSteps: 2, loggingSteps: 1, evalStrategy: 'steps' },
    { evalDataset: texts.slice(0, 2) },
  );
  await trainer.train();
  quietHost();
  const last = shown.at(-1)!;
  const [title, , ...table] = String(last['text/plain']).split('\n');
  assert.match(title, /^Training finished: step 2 of 2/);
  assert.deepEqual(table[0].trim().split(/ {2,}/), [
    'step',
    'loss',
    'evaluation loss',
    'token accuracy',
    'learning rate',
    'tokens',
  ]);
  assert.equal(table.length, 3);
  assert.match(String(last['text/html']), /<img .*token accuracy/s);
  await trainer.dispose();
});

test('wrong settings and rows are refused, with the valid ones', async () => {
  const model = await freshModel();
  const make = (trainDataset: SFTRow[], args: SFTConfig = {}) =>
    new SFTTrainer({ model, processingClass: model.tokenizer, trainDataset, args });
  const refused = async (trainDataset: unknown, args: object, message: RegExp) =>
    assert.rejects(async () => make(trainDataset as SFTRow[], args).train(), message);
  await refused(
    [],
    {},
    /needs trainDataset as a list of rows such as \{ text \}, \{ prompt, completion \} or \{ messages \}/,
  );
  await refused(texts, { max_length: 4 }, /SFTConfig has no setting max_length. Did you mean maxLength\?/);
  await refused(texts, { learningRate: -1 }, /learningRate must be a number from 0, not -1/);
  await refused(texts, { packing: true, maxLength: null }, /packing needs maxLength/);
  await refused(texts, { maxLength: 500 }, /maxLength is 500, but the model takes 128 tokens \(its maxSeqLength\)/);
  await refused(
    [{ text: 'x'.repeat(400) }],
    { maxLength: null },
    /A row has \d+ tokens, more than the model takes \(128.*Give maxLength/,
  );
  await refused(texts, { evalStrategy: 'epoch' }, /evalStrategy needs evalDataset/);
  await refused(
    [{ text: 'a' }, { story: 'b' }],
    {},
    /Row 1 of the data set has the columns story. Valid rows are \{ text \}/,
  );
  await refused(
    texts,
    { completionOnlyLoss: true },
    /Row 0 of the data set has no prompt and completion, which completionOnlyLoss needs/,
  );
  await refused(
    [{ prompt: 'a', completion: [{ role: 'assistant', content: 'b' }] }],
    {},
    /Row 0 .*: prompt is a text and completion is a list/,
  );
  await refused([{ prompt: 'a' }], {}, /completion is missing/);
  await refused([{ messages: [] }], {}, /messages must be a list of messages \{ role, content \}, and not be empty/);
  await refused(texts, { assistantOnlyLoss: true }, /is no conversation, which assistantOnlyLoss needs/);
  await refused(
    [{ messages: [{ role: 'assistant', content: 'hi' }] }],
    { assistantOnlyLoss: true },
    /chat template .* put \{% generation %\}/,
  );
  await refused([{ inputIds: [1, 2], labels: [1] }], {}, /1 labels for 2 inputIds/);
});
