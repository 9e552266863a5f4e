import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, before, test } from 'node:test';
import { setCellContext, type DisplayOptions, type MimeBundle } from '../../kernel/display/cellContext';
import type { TrainingStep } from '../../kernel/grpo';
import { FastLanguageModel } from '../../kernel/models';
import type { RewardInput } from '../../kernel/rewards';
import type { TrainerCallback } from '../../kernel/training';
import {
  dataset,
  freshModel,
  letters,
  newTrainer,
  outcome,
  quietHost,
  returns,
  settings,
  temporaryFolder,
  uninterrupted,
} from './fixtures';

before(quietHost);
afterEach(quietHost);

test('columns of the data set reach the reward functions, and what they log the metrics', async () => {
  const trainDataset = dataset.map((row, i) => ({ ...row, answer: ['a', 'e', 'o'][i], level: i }));
  const seen = new Set<string>();
  function counts({
    completion,
    answer,
    level,
    trainerState,
    logMetric,
  }: RewardInput<{ answer: string; level: number }>): number {
    seen.add(`${answer}${level}`);
    assert.equal(trainerState?.maxSteps, 3);
    const count = completion.split(answer).length - 1;
    logMetric('answers', count);
    return count + trainerState!.globalStep;
  }
  const steps: TrainingStep[] = [];
  const trainer = newTrainer(
    await freshModel(),
    { maxSteps: 3 },
    { trainDataset, rewardFuncs: counts, onStep: (step) => void steps.push(step) },
  );
  await trainer.train();
  assert.deepEqual([...seen].sort(), ['a0', 'e1', 'o2']);
  for (const { samples, rewards, metrics, step } of steps) {
    const counted = samples.map((sample) => rewards.values[0][samples.indexOf(sample)]! - (step - 1));
    assert.ok(Math.abs(metrics.answers - counted.reduce((a, b) => a + b, 0) / 4) < 1e-6);
    assert.ok(samples.every((sample) => 'answer' in sample && !Object.keys(sample).includes('logMetric')));
  }
  assert.equal(trainer.logHistory.filter((entry) => 'answers' in entry).length, 3);
  const clash = newTrainer(await freshModel(), {}, { trainDataset: [{ prompt: 'x', episode: 1 }] });
  await assert.rejects(
    clash.train(),
    /trainDataset\[0\]: reward functions find something else under the name episode\. Give the column another name/,
  );
});

test('the completions table has a row per completion, and is written beside the checkpoints', async () => {
  const shown: Array<{ bundle: MimeBundle; options?: DisplayOptions }> = [];
  setCellContext({
    display: (bundle, options) => void shown.push({ bundle, options }),
    signal: new AbortController().signal,
    registerCommTarget() {},
  });
  const outputDir = temporaryFolder();
  function noted({ completion, logExtra }: RewardInput): number {
    logExtra('first <word>', completion.split(' ')[0]);
    return completion.length;
  }
  const args = { maxSteps: 4, loggingSteps: 2, logCompletions: true, outputDir, saveStrategy: 'no' as const };
  await newTrainer(await freshModel(), args, { rewardFuncs: [noted, returns] }).train();
  const tables = shown.filter(({ bundle }) => /^Completions of step/.test(String(bundle['text/plain'])));
  assert.deepEqual(
    tables.map(({ bundle }) => String(bundle['text/plain']).split('\n')[0]),
    ['Completions of step 2', 'Completions of step 4'],
  );
  assert.equal(tables[0].options!.displayId, tables[1].options!.displayId);
  assert.deepEqual(
    tables.map(({ options }) => options!.update),
    [false, true],
  );
  const { bundle } = tables[1];
  assert.match(String(bundle['text/plain']), /prompt +completion +noted +returns +advantage +first <word>\n/);
  assert.match(String(bundle['text/html']), /<th[^>]*>first &lt;word&gt;<\/th>/);
  assert.equal(String(bundle['text/html']).match(/<tr>/g)!.length, 5);
  assert.deepEqual(readdirSync(join(outputDir, 'completions')), ['completions_00002.jsonl', 'completions_00004.jsonl']);
  const rows = readFileSync(join(outputDir, 'completions', 'completions_00004.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(Object.keys(rows[0]), [
    'step',
    'prompt',
    'completion',
    'noted',
    'returns',
    'first <word>',
    'advantage',
  ]);
  assert.ok(rows.length === 4 && rows.every(({ completion, noted }) => noted === completion.length));
  assert.ok(Math.abs(rows.reduce((sum, { advantage }) => sum + advantage, 0)) < 1e-3);
});

test('a part of the completions, or one per prompt, can be shown', async () => {
  for (const [args, count] of [
    [{ numCompletionsToPrint: 3 }, 3],
    [{ logUniquePrompts: true }, 2],
  ] as const) {
    const shown: string[] = [];
    setCellContext({
      display: (bundle) => void shown.push(String(bundle['text/html'])),
      signal: new AbortController().signal,
      registerCommTarget() {},
    });
    await newTrainer(await freshModel(), {
      maxSteps: 1,
      logCompletions: true,
      perDeviceTrainBatchSize: 8,
      ...args,
    }).train();
    const table = shown.find((html) => html.includes('Completions of step 1'))!;
    assert.equal(table.match(/<tr>/g)!.length, 1 + count);
  }
});

test('callbacks follow the run, and may log, save and stop', async () => {
  const outputDir = temporaryFolder();
  const calls: string[] = [];
  const names = ['onTrainBegin', 'onStepBegin', 'onStepEnd', 'onLog', 'onEvaluate', 'onSave', 'onTrainEnd'] as const;
  const recorder = Object.fromEntries(
    names.map((name) => [
      name,
      ({ state }: { state: { globalStep: number } }) => void calls.push(`${name} ${state.globalStep}`),
    ]),
  ) as TrainerCallback;
  const steering: TrainerCallback = {
    async onStepEnd({ state, control }) {
      if (state.globalStep === 1) control.shouldLog = control.shouldSave = true;
      if (state.globalStep === 2) control.shouldTrainingStop = true;
    },
  };
  const args = { maxSteps: 3, loggingSteps: 3, outputDir };
  const trainer = newTrainer(await freshModel(), args, { callbacks: [recorder, steering] });
  const { status } = await trainer.train();
  assert.equal(status, 'paused');
  assert.deepEqual(calls.splice(0), [
    'onTrainBegin 0',
    'onStepBegin 0',
    'onStepEnd 1',
    'onLog 1',
    'onSave 1',
    'onStepBegin 1',
    'onStepEnd 2',
  ]);
  assert.ok(existsSync(join(outputDir, 'checkpoint-1')));
  await trainer.train();
  assert.deepEqual(calls, ['onTrainBegin 2', 'onStepBegin 2', 'onStepEnd 3', 'onLog 3', 'onSave 3', 'onTrainEnd 3']);
  const whole = await uninterrupted({ maxSteps: 3 });
  assert.deepEqual(outcome(trainer).weights, whole.weights);
});

test('an evaluation is the same each time for the same model, and changes nothing of the run', async () => {
  const evalDataset = dataset.slice(0, 2);
  const args = {
    maxSteps: 4,
    evalStrategy: 'steps' as const,
    evalSteps: 0.5,
    evalOnStart: true,
    numGenerationsEval: 3,
    perDeviceEvalBatchSize: 6,
  };
  const trainer = newTrainer(await freshModel(), args, { evalDataset });
  const before = await trainer.evaluate();
  await trainer.train();
  const isEvaluation = (entry: object) => 'eval_reward' in entry;
  const evaluations = trainer.logHistory.filter(isEvaluation);
  assert.deepEqual(
    evaluations.map(({ step }) => step),
    [0, 2, 4],
  );
  assert.equal(evaluations[0].eval_reward, before.eval_reward);
  assert.notEqual(evaluations[2].eval_reward, before.eval_reward);
  for (const name of [
    'eval_loss',
    'eval_entropy',
    'eval_rewards/letters/mean',
    'eval_completions/mean_length',
    'eval_num_tokens',
    'eval_runtime',
    'eval_samples_per_second',
  ]) {
    assert.ok(
      evaluations.every((entry) => name in entry),
      name,
    );
  }
  const whole = await uninterrupted({ maxSteps: 4 });
  const { log, weights } = outcome(trainer);
  assert.deepEqual(
    log.filter((entry) => !isEvaluation(entry)),
    whole.log,
  );
  assert.deepEqual(weights, whole.weights);
  const outputDir = temporaryFolder();
  await newTrainer(await freshModel(), { maxSteps: 2, outputDir }).train();
  const resumed = newTrainer(
    await freshModel(),
    { maxSteps: 3, outputDir, resumeFromCheckpoint: true },
    { evalDataset },
  );
  await resumed.evaluate();
  const firstStep = new Promise((resolve) =>
    resumed.callbacks.push({ onStepEnd: ({ state }) => resolve(state.globalStep) }),
  );
  await resumed.train();
  assert.equal(await firstStep, 3, 'an evaluation before it does not keep a run from its checkpoint');
  const none = newTrainer(await freshModel());
  await assert.rejects(none.evaluate(), /needs evalDataset/);
  await assert.rejects(
    newTrainer(await freshModel(), { evalStrategy: 'epoch' }).train(),
    /evalStrategy needs evalDataset/,
  );
});

test('epochs: rows that fill no generation are left out, and what follows a pass is done after it', async () => {
  const trainDataset = Array.from({ length: 5 }, (_, i) => ({ prompt: `function ${'abcde'[i]}(state) {` }));
  const prompts: string[][] = [];
  const args = {
    maxSteps: -1,
    numTrainEpochs: 2,
    perDeviceTrainBatchSize: 8,
    saveStrategy: 'epoch' as const,
    outputDir: temporaryFolder(),
    loggingSteps: 0.5,
  };
  const trainer = newTrainer(await freshModel(), args, {
    trainDataset,
    onStep: ({ samples }) => void prompts.push([...new Set(samples.map(({ prompt }) => prompt))]),
  });
  await trainer.train();
  assert.equal(trainer.globalStep, 4);
  for (const pass of [prompts.slice(0, 2), prompts.slice(2)]) assert.equal(new Set(pass.flat()).size, 4);
  assert.deepEqual(readdirSync(args.outputDir).sort(), ['checkpoint-2', 'checkpoint-4', 'rollouts.db']);
  assert.deepEqual(
    trainer.logHistory.map(({ step, epoch }) => [step, epoch]),
    [
      [2, 1],
      [4, 2],
    ],
  );
});

test('generation settings reach the model: stop strings, and old log-probabilities where sampling bends the distribution', async () => {
  const lengths: number[] = [];
  const args = {
    maxSteps: 2,
    numIterations: 2,
    repetitionPenalty: 1.5,
    generationKwargs: { stopStrings: ['e'] },
    maxCompletionLength: 24,
  };
  const model = await freshModel();
  const trainer = newTrainer(model, args, {
    onStep: ({ samples }) => {
      for (const { completionIds } of samples) {
        assert.ok(
          !model.tokenizer.decode(completionIds.slice(0, -1)).includes('e'),
          'it goes on after the stop string',
        );
        lengths.push(completionIds.length);
      }
    },
  });
  await trainer.train();
  assert.ok(lengths.length === 8 && Math.max(...lengths) < 24);
  // Against the bent distribution the first update would already be off-policy.
  assert.equal(trainer.logHistory[0]['clip_ratio/region_mean'], 0);
});

test('two generations of a step are scored together with its metrics', async () => {
  const steps: TrainingStep[] = [];
  const trainer = newTrainer(
    await freshModel(),
    { maxSteps: 2, generationBatchSize: 4, gradientAccumulationSteps: 2 },
    { onStep: (step) => void steps.push(step) },
  );
  await trainer.train();
  assert.deepEqual(
    steps.map(({ samples, advantages, rewards }) => [samples.length, advantages.length, rewards.values[0].length]),
    [
      [8, 8, 8],
      [8, 8, 8],
    ],
  );
  for (const { samples, metrics } of steps) {
    const mean = samples.reduce((sum, sample) => sum + letters(sample), 0) / 8;
    assert.ok(Math.abs(metrics['rewards/letters/mean'] - mean) < 1e-6);
  }
  const tokens = steps.map(({ metrics }) => metrics.num_tokens);
  assert.ok(tokens[1] > 1.5 * tokens[0]);
  assert.equal(settings.numGenerations, 4);
});

for (const precision of ['loadIn4bit', 'loadIn8bit'] as const) {
  test(`an adapter on a quantised base learns what is rewarded: ${precision}`, async () => {
    const model = await freshModel({ [precision]: true });
    const vowels = ({ completion }: RewardInput) =>
      completion.replace(/[^aeiou]/g, '').length / Math.max(1, completion.length);
    const trainer = newTrainer(model, { maxSteps: 16, numGenerations: 8, learningRate: 1e-2 }, { rewardFuncs: vowels });
    await trainer.train();
    const rewards = trainer.logHistory.flatMap(({ reward }) => reward ?? []);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(mean(rewards.slice(-4)) > 1.1 * mean(rewards.slice(0, 4)), rewards.join(' '));
    await trainer.dispose();
  });
}

test('gradientCheckpointing, a setting or of the model, does not change a run', async () => {
  const whole = await uninterrupted({ maxSteps: 3 });
  const close = ({ log, weights }: typeof whole) => {
    log.forEach((entry, i) =>
      assert.ok(
        Math.abs(entry.grad_norm - whole.log[i].grad_norm) <= 1e-5 * whole.log[i].grad_norm,
        `grad_norm of step ${i + 1}`,
      ),
    );
    for (const [name, data] of Object.entries(weights))
      assert.ok(
        data.every((value, i) => Math.abs(value - whole.weights[name][i]) <= 1e-5),
        name,
      );
  };
  close(await uninterrupted({ maxSteps: 3, gradientCheckpointing: true }));
  const model = await freshModel();
  model.gradientCheckpointingEnable();
  const trainer = newTrainer(model, { maxSteps: 3 });
  await trainer.train();
  close(outcome(trainer));
  await trainer.dispose();
  const asked = FastLanguageModel.getPeftModel(await freshModel({ adapter: false }), {
    useGradientCheckpointing: 'unsloth',
  });
  assert.ok(asked.isGradientCheckpointing);
  assert.throws(
    () => FastLanguageModel.getPeftModel(asked.base, { useGradientCheckpointing: 'yes' as never }),
    /useGradientCheckpointing must be one of true, false, "unsloth", not "yes"/,
  );
});
