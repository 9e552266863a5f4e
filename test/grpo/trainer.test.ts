import assert from 'node:assert/strict';
import { afterEach, before, test } from 'node:test';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import { setCellContext, type MimeBundle } from '../../kernel/display/cellContext';
import { grpoCell } from '../../kernel/grpo/cell';
import { GRPOTrainer } from '../../kernel/grpo/trainer';
import { rewardRegistry, Session } from '../../kernel/grpo/session';
import { RewardError } from '../../kernel/rewards/scoring';
import type { Sample } from '../../kernel/rewards/sample';
import {
  dataset,
  freshModel,
  letters,
  newTrainer,
  outcome,
  quietHost,
  returns,
  settings,
  uninterrupted,
} from './fixtures';

let whole: Awaited<ReturnType<typeof uninterrupted>>;

before(async () => {
  quietHost();
  whole = await uninterrupted();
});
afterEach(() => {
  quietHost();
  rewardRegistry.clear();
  rewardRegistry.recentRollouts.clear();
});

/** The newest training output among the displayed bundles. */
function shownRun(bundles: MimeBundle[]): TrainingData {
  return bundles.at(-1)![TRAINING_MIME] as TrainingData;
}

function recordingHost(): MimeBundle[] {
  const bundles: MimeBundle[] = [];
  setCellContext({
    display: (bundle) => void bundles.push(bundle),
    signal: new AbortController().signal,
    registerCommTarget() {},
  });
  return bundles;
}

test('the same seed gives the same run, number for number; another seed another', async () => {
  assert.deepEqual(await uninterrupted(), whole);
  assert.equal(whole.log.length, 6);
  const other = await uninterrupted({ seed: 8, maxSteps: 1 });
  assert.notEqual(other.log[0].reward, whole.log[0].reward);
});

test('training changes the weights, and metrics have the names of TRL', () => {
  const changed = Object.entries(whole.weights).filter(([name]) => name.includes('lora_B'));
  assert.ok(changed.length > 0 && changed.every(([, data]) => data.some((value) => value !== 0)));
  const names = [
    ...['mean', 'min', 'max'].flatMap((kind) => [
      `completions/${kind}_length`,
      `completions/${kind}_terminated_length`,
    ]),
    ...['clipped_ratio'].map((name) => `completions/${name}`),
    ...['low_mean', 'low_min', 'high_mean', 'high_max', 'region_mean'].map((name) => `clip_ratio/${name}`),
    ...['letters', 'returns'].flatMap((name) => [`rewards/${name}/mean`, `rewards/${name}/std`]),
    ...[
      'step',
      'loss',
      'grad_norm',
      'learning_rate',
      'num_tokens',
      'reward',
      'reward_std',
      'frac_reward_zero_std',
      'entropy',
    ],
  ];
  for (const name of names)
    assert.ok(
      whole.log.some((entry) => name in entry),
      `${name} is missing`,
    );
  assert.deepEqual(
    whole.log.map(({ learning_rate }) => learning_rate),
    [6, 5, 4, 3, 2, 1].map((left) => 1e-3 * (1 - (6 - left) / 6)),
  );
});

test('interrupted anywhere and continued, a run has the same numbers', async () => {
  let abort = new AbortController();
  let calls = 0;
  // During the scoring of step 2, some milliseconds after that of step 3 (in the update, or later), right after step 4.
  const interrupting = async (sample: Sample) => {
    if (++calls === 6) abort.abort();
    if (calls === 14) setTimeout((controller) => controller.abort(), 14, abort);
    return letters(sample);
  };
  Object.defineProperty(interrupting, 'name', { value: 'letters' });
  const trainer = newTrainer(
    await freshModel(),
    {},
    {
      rewardFuncs: [interrupting, returns],
      onStep: ({ step }) => void (step === 4 && abort.abort()),
    },
  );
  const pauses: number[] = [];
  for (let output = await trainer.train({ signal: abort.signal }); output.status !== 'finished'; ) {
    assert.equal(output.status, 'paused');
    pauses.push(output.globalStep);
    abort = new AbortController();
    output = await trainer.train({ signal: abort.signal });
  }
  assert.ok(pauses.length >= 2 && pauses[0] === 1 && pauses.includes(4), `paused after steps ${pauses}`);
  assert.deepEqual(outcome(trainer), whole);
  await trainer.dispose();
});

test('an interruption is answered, whatever a reward function waits for', async () => {
  const abort = new AbortController();
  const hangs = () => new Promise<number>(() => setTimeout(() => abort.abort(), 5));
  const output = await newTrainer(await freshModel(), {}, { rewardFuncs: [hangs] }).train({ signal: abort.signal });
  assert.equal(output.status, 'paused');
});

test('a reward function that fails pauses the run; corrected, it goes on as if nothing had happened', async () => {
  const shown = recordingHost();
  const model = await freshModel();
  let scored = 0;
  await rewardRegistry.register('letters', (sample) =>
    ++scored > 9 ? (undefined as unknown as number) : letters(sample),
  );
  await rewardRegistry.register('returns', returns);
  const config = { ...settings };
  await assert.rejects(grpoCell(config, { model, dataset }), (error: RewardError) => {
    assert.match(error.message, /"letters" returned undefined for sample 1 of 4/);
    return error instanceof RewardError;
  });
  assert.equal(shownRun(shown).status, 'paused');
  assert.equal(shownRun(shown).step, 2);

  // The correction scores the rollouts of the failed step, too.
  const comparison = (await rewardRegistry.register('letters', letters))!;
  assert.deepEqual(
    comparison.samples.slice(0, 4).map(({ sample, before }) => [sample.step, before]),
    Array(4).fill([3, undefined]),
  );

  const trainer = await grpoCell(config, { model, dataset });
  assert.equal(trainer.status, 'finished');
  assert.deepEqual(outcome(trainer), whole);
  assert.deepEqual(
    shownRun(shown).events.map(({ step, text }) => `${step} ${text}`),
    ['2 paused', '2 resumed', '3 letters replaced'],
  );
});

test('a reward replaced while a scored step is paused scores that step again', async () => {
  await rewardRegistry.register('letters', letters);
  const abort = new AbortController();
  // Comes after the scores of step 2, before its update.
  let calls = 0;
  await rewardRegistry.register('returns', (sample) => {
    if (++calls === 8) abort.abort();
    return returns(sample);
  });
  const trainer = newTrainer(await freshModel(), { maxSteps: 2 }, { rewardFuncs: undefined });
  await trainer.train({ signal: abort.signal });
  assert.deepEqual([trainer.status, trainer.globalStep], ['paused', 1]);
  await rewardRegistry.register('letters', () => 3);
  await trainer.train();
  const [first, second] = trainer.logHistory;
  assert.equal(second['rewards/letters/mean'], 3);
  const tokens = second.num_tokens - first.num_tokens;
  assert.ok(tokens > 0 && tokens < 1.5 * first.num_tokens, 'tokens count once');
});

test('a reward replaced while a step of two scored generations is paused scores both again', async () => {
  await rewardRegistry.register('letters', letters);
  const abort = new AbortController();
  let calls = 0;
  // Comes right after the scores of the second generation.
  await rewardRegistry.register('returns', (sample) => {
    if (++calls === 8) setTimeout(() => abort.abort());
    return returns(sample);
  });
  const args = { maxSteps: 1, generationBatchSize: 4, gradientAccumulationSteps: 2 };
  const trainer = newTrainer(await freshModel(), args, { rewardFuncs: undefined });
  await trainer.train({ signal: abort.signal });
  assert.deepEqual([trainer.status, trainer.globalStep], ['paused', 0]);
  await rewardRegistry.register('letters', () => 3);
  await trainer.train();
  assert.equal(calls, 16);
  assert.equal(trainer.logHistory[0]['rewards/letters/mean'], 3);
});

test('a reward replaced during a run counts from the next step, and the boundary is marked', async () => {
  const shown = recordingHost();
  await rewardRegistry.register('letters', letters);
  const trainer = newTrainer(
    await freshModel(),
    { maxSteps: 4 },
    {
      rewardFuncs: undefined,
      onStep: async ({ step }) =>
        void (step === 2 && (await rewardRegistry.register('letters', () => 5, { weight: 2 }))),
    },
  );
  await trainer.train();
  assert.deepEqual(
    trainer.logHistory.map((entry) => entry['rewards/letters/mean'] === 5),
    [false, false, true, true],
  );
  assert.equal(trainer.logHistory[2].reward, 10);
  assert.equal(trainer.logHistory[2].frac_reward_zero_std, 1);
  assert.deepEqual(shownRun(shown).events, [
    { step: 3, text: 'letters replaced' },
    { step: 3, text: 'no signal: all 4 completions get 10: letters gives each 5', kind: 'problem' },
  ]);
});

test('running the cell again continues a paused run with changed settings; a finished one starts anew', async () => {
  const shown = recordingHost();
  await rewardRegistry.register('letters', letters);
  const model = await freshModel();
  const abort = new AbortController();
  const stop = rewardRegistry.list()[0];
  let calls = 0;
  await rewardRegistry.register('letters', (sample) => (++calls === 9 && abort.abort(), stop.score(sample)));
  const first = await grpoCell(settings, { model, dataset }, { signal: abort.signal });
  assert.deepEqual([first.status, first.globalStep], ['paused', 2]);
  const again = await grpoCell({ ...settings, maxSteps: 4, learningRate: 5e-4, beta: 0.1 }, { model, dataset });
  assert.equal(again, first);
  assert.deepEqual([again.status, again.globalStep], ['finished', 4]);
  assert.deepEqual(
    shownRun(shown).events.map(({ step, text }) => `${step} ${text}`),
    ['2 paused', '2 resumed', '3 maxSteps 6 → 4, learningRate 0.001 → 0.0005, beta 0 → 0.1'],
  );
  assert.equal(again.logHistory[2].learning_rate, 5e-4 * 0.5);
  assert.ok('kl' in again.logHistory[3] && !('kl' in again.logHistory[1]));
  const next = await grpoCell({ ...settings, maxSteps: 1 }, { model, dataset });
  assert.notEqual(next, first);
  assert.equal(next.globalStep, 1);
});

test('runs of two sessions share neither functions nor rollouts; one with functions of its own shares nothing', async () => {
  const [first, second] = [new Session(), new Session()];
  await first.rewardRegistry.register('letters', letters);
  await second.rewardRegistry.register('letters', returns);
  const model = await freshModel();
  const one = await grpoCell({ ...settings, maxSteps: 2 }, { model, dataset }, { signal: AbortSignal.abort() }, first);
  const other = await grpoCell({ ...settings, maxSteps: 1 }, { model, dataset }, {}, second);
  assert.deepEqual([one.status, one.globalStep, other.status], ['paused', 0, 'finished']);
  assert.equal(
    await grpoCell({ ...settings, maxSteps: 2 }, { model, dataset }, {}, first),
    one,
    'each goes on with its own',
  );
  const own = newTrainer(model, { maxSteps: 1 });
  await own.train();
  const counts = [first, second].map(({ rewardRegistry: { recentRollouts } }) => recentRollouts.batches().length);
  assert.deepEqual([...counts, rewardRegistry.recentRollouts.batches().length], [2, 1, 0]);
  assert.equal(own.recentRollouts.batches().length, 1);
  const again = (await first.rewardRegistry.register('letters', () => 1))!;
  assert.deepEqual([again.samples.length, again.before.mean !== 1, again.after.mean], [8, true, 1]);
});

test('another seed leaves the paused run', async () => {
  await rewardRegistry.register('letters', letters);
  const model = await freshModel();
  const first = await grpoCell(settings, { model, dataset }, { signal: AbortSignal.abort() });
  const second = await grpoCell({ ...settings, maxSteps: 1, seed: 9 }, { model, dataset });
  assert.notEqual(second, first);
  assert.deepEqual([first.status, second.status], ['paused', 'finished']);
});

test('several groups, iterations and logging intervals', async () => {
  const args = { perDeviceTrainBatchSize: 8, numIterations: 2, loggingSteps: 2, maxSteps: 4, learningRate: 1e-2 };
  const seen: Array<[number, number]> = [];
  const trainer = newTrainer(await freshModel(), args, {
    onStep: ({ step, samples }) => void seen.push([step, new Set(samples.map(({ prompt }) => prompt)).size]),
  });
  await trainer.train();
  assert.deepEqual(
    seen,
    [
      [1, 2],
      [2, 2],
      [3, 2],
      [4, 2],
    ],
    'two groups with a prompt each',
  );
  assert.deepEqual(
    trainer.logHistory.map(({ step }) => step),
    [2, 4],
  );
  assert.ok(
    trainer.logHistory.some((entry) => entry['clip_ratio/region_mean'] > 0),
    'the second update of a rollout is off-policy',
  );
  assert.equal(trainer.recentRollouts.batches().length, 2);
});

test('what is missing is said before anything is computed', async () => {
  const model = await freshModel();
  const { tokenizer } = model;
  const make = (options: object) => () =>
    new GRPOTrainer({ model, processingClass: tokenizer, trainDataset: dataset, ...options });
  assert.throws(make({ model: undefined }), /needs a model/);
  assert.throws(make({ processingClass: undefined }), /needs the model's tokenizer/);
  assert.throws(make({ trainDataset: undefined }), /needs env .* or trainDataset/);
  await assert.rejects(make({})().train(), /There is no reward function\. Run a \/\*\* @reward \*\/ cell first/);
  await assert.rejects(
    make({ rewardFuncs: [letters, letters] })().train(),
    /Two reward functions have the name letters/,
  );
  await assert.rejects(
    make({ rewardFuncs: [letters], args: { rewardWeights: [1, 2] } })().train(),
    /rewardWeights has 2 numbers for 1 reward functions/,
  );
  await assert.rejects(
    make({ rewardFuncs: [letters], args: { maxCompletionLength: 500 } })().train(),
    /maxSeqLength is 128\. Valid: up to \d+/,
  );
  await assert.rejects(
    make({ rewardFuncs: [letters], args: { beta: 0.1, syncRefModel: true } })().train(),
    /syncRefModel does not work with an adapter/,
  );
  await assert.rejects(
    make({ rewardFuncs: [letters], trainDataset: [{ prompt: 5 }] })().train(),
    /trainDataset\[0\]\.prompt must be a string or a list/,
  );
});
