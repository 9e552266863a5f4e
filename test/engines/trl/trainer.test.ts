import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pythonPath } from '../../../kernel/common/packagePaths';
import type { ModelInWorker } from '../../../kernel/engines/trl/model';
import type { UpdateMetrics } from '../../../kernel/grpo/update/policyMetrics';
import { PolicyUpdate } from '../../../kernel/grpo/update/policyUpdate';
import type { TrainingStep } from '../../../kernel/grpo/trainer';
import { FastLanguageModel, type CausalLM } from '../../../kernel/models';
import { dataset, letters, newTrainer, quietHost, returns, settings, temporaryFolder } from '../../grpo/fixtures';

// GRPOTrainer on a model in a worker: TRL as it is, on the processor.

const folder = temporaryFolder();
const start = join(folder, 'start');
const prompts = dataset.slice(0, 1);
let base: CausalLM;
let model: ModelInWorker;

before(async () => {
  quietHost();
  // Threads that wait for one another take most of the time where other tests run beside.
  process.env.OMP_NUM_THREADS = '1';
  process.env.JOYLAB_GPU_PYTHON = pythonPath();
  const options = { modelName: 'joylab/strategist', maxSeqLength: 128, backend: 'trl' } as const;
  ({ model: base } = await FastLanguageModel.fromPretrained(options));
  await fresh().savePretrained(start);
});
after(() => base?.dispose());

/** The model with its adapter as it was at the start: both factors random, so that all gradients are there. */
function fresh(): ModelInWorker {
  return (model = FastLanguageModel.getPeftModel(base, {
    r: 4,
    loraAlpha: 8,
    initLoraWeights: false,
  }) as ModelInWorker);
}

async function inThisProcess(modelName: string): Promise<CausalLM> {
  return (await FastLanguageModel.fromPretrained({ modelName, maxSeqLength: 128, backend: 'onnx' })).model;
}

const ids = (text: string) => model.tokenizer.encode(text, { addSpecialTokens: false });

const close = (a: number, b: number, what: string) =>
  assert.ok(Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(b)), `${what}: ${a}, in this process ${b}`);

/** Makes the same step in this process, and compares. */
async function compare(
  update: PolicyUpdate,
  { step, metrics, samples, advantages }: TrainingStep,
  names: ReadonlyArray<keyof UpdateMetrics> = ['loss', 'grad_norm', 'entropy'],
): Promise<void> {
  const ours = await update.step(
    {
      promptIds: [ids(samples[0].prompt)],
      completionIds: samples.map(({ completionIds }) => completionIds),
      promptOf: samples.map(() => 0),
      advantages,
    },
    metrics.learning_rate,
  );
  for (const name of names) close(metrics[name], ours[name]!, `step ${step}: ${name}`);
  const sums = samples.map((sample) => letters(sample) + (returns(sample) ?? 0));
  close(metrics.reward, sums.reduce((a, b) => a + b, 0) / sums.length, `step ${step}: reward`);
}

const withoutTimes = (log: ReadonlyArray<Record<string, number>>) => log.map(({ step_time, ...entry }) => entry);

/** The log of a run that nothing disturbs; its last adapter lies in `whole`. */
let undisturbed: Array<Record<string, number>>;
const whole = join(folder, 'whole');
const args = { maxSteps: 4, maxCompletionLength: 12 };

test('steps have the loss, gradient norm and reward of steps in this process, also after a setting has changed; a model plays between two steps', async () => {
  const update = await PolicyUpdate.create(await inThisProcess(start), { maxCompletionLength: 12 });
  let pause = true;
  const trainer = newTrainer(model, args, {
    trainDataset: prompts,
    callbacks: [
      { onStepEnd: ({ state, control }) => void (control.shouldTrainingStop = pause && state.globalStep === 2) },
    ],
    onStep: (step) => compare(update, step),
  });
  assert.equal((await trainer.train()).status, 'paused');
  const prompt = { inputIds: ids('function'), maxNewTokens: 6, doSample: false };
  const written = await model.generate(prompt);
  await trainer.configure({ ...settings, ...args, learningRate: 3e-4 });
  pause = false;
  assert.equal((await trainer.train()).status, 'finished');
  assert.notEqual((await model.generate({ ...prompt, seed: 1 })).sequences.length, 0);
  assert.equal(written.sequences[0].length > 0, true);
  const names = Object.keys(trainer.logHistory[0]);
  for (const name of ['rewards/letters/mean', 'completions/clipped_ratio', 'frac_reward_zero_std', 'num_tokens'])
    assert.ok(names.includes(name), name);
  await update.dispose();
  await trainer.dispose();
});

test('steps that go too far are shortened as in this process', async () => {
  const options = { maxCompletionLength: 12, targetKl: 0.02 };
  const update = await PolicyUpdate.create(await inThisProcess(start), options);
  const shares: number[] = [];
  const trainer = newTrainer(
    fresh(),
    { ...args, ...options, learningRate: 0.02 },
    {
      trainDataset: prompts,
      onStep: async (step) => {
        shares.push(step.metrics.step_share);
        await compare(update, step, ['loss', 'grad_norm', 'step_kl', 'step_share']);
      },
    },
  );
  await trainer.train();
  assert.ok(Math.min(...shares) < 1, `shares of steps: ${shares}`);
  await update.dispose();
  await trainer.dispose();
});

test('steps and evaluations have the metrics of this process, with a reference model, too; an evaluation is the same each time', async () => {
  const evaluated = { ...args, maxSteps: 2, beta: 0.1, evalStrategy: 'steps' } as const;
  // A reward that applies to each: the completions are others here and there.
  const more = { trainDataset: prompts, evalDataset: dataset, rewardFuncs: letters };
  const trainer = newTrainer(fresh(), evaluated, more);
  const first = await trainer.evaluate();
  const second = await trainer.evaluate();
  await trainer.train();
  const here = newTrainer(await inThisProcess(start), evaluated, more);
  for (let i = 0; i < 2; i++) await here.evaluate();
  await here.train();
  const names = (log: ReadonlyArray<object>) => log.map((entry) => Object.keys(entry).sort());
  assert.deepEqual(names(trainer.logHistory), names(here.logHistory));
  const isTime = (name: string) => /runtime|per_second/.test(name);
  for (const [name, value] of Object.entries(first)) if (!isTime(name)) assert.equal(second[name], value, name);
  assert.ok(trainer.logHistory.at(-1)!.eval_kl > 0);
  await trainer.dispose();
  await here.dispose();
});

test('an adapter that was trained in a worker continues in this process, and the other way round', async () => {
  const there = join(folder, 'there');
  await model.savePretrained(there);
  const here = await inThisProcess(there);
  const [expected] = await model.logits([ids('function strategy')]);
  const [logits] = await here.logits([ids('function strategy')]);
  logits.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-3));
  const short = newTrainer(here, { ...args, maxSteps: 2 }, { trainDataset: prompts });
  await short.train();
  await short.dispose();
  const back = join(folder, 'back');
  await here.savePretrained(back);
  const { model: again } = await FastLanguageModel.fromPretrained({
    modelName: back,
    maxSeqLength: 128,
    backend: 'trl',
  });
  const update = await PolicyUpdate.create(here, { maxCompletionLength: 12 });
  const trainer = newTrainer(
    again,
    { ...args, maxSteps: 2 },
    { trainDataset: prompts, onStep: (step) => compare(update, step) },
  );
  await trainer.train();
  await update.dispose();
  await trainer.dispose();
  await again.dispose();
});

test('a reward that throws pauses the run, which goes on as if nothing had been', async () => {
  const trainer = newTrainer(fresh(), args);
  await trainer.train();
  undisturbed = withoutTimes(trainer.logHistory);
  await model.savePretrained(whole);
  await trainer.dispose();

  let broken = true;
  const throws = (sample: Parameters<typeof letters>[0]) => {
    if (sample.step === 3 && broken) throw new Error('careless');
    return letters(sample);
  };
  const disturbed = newTrainer(fresh(), args, {
    rewardFuncs: [
      { name: 'letters', score: throws, weight: 1 },
      { name: 'returns', score: returns, weight: 1 },
    ],
  });
  await assert.rejects(disturbed.train(), /RewardError: Reward function "letters" threw on sample 0 of 4 .*careless/);
  assert.equal(disturbed.status, 'paused');
  broken = false;
  await disturbed.train();
  assert.deepEqual(withoutTimes(disturbed.logHistory), undisturbed);
  await disturbed.dispose();
});

test('a run whose worker is killed goes on from its last checkpoint with the same numbers; what is lost is said', async () => {
  const outputDir = join(folder, 'runs');
  let kill = true;
  const trainer = newTrainer(
    fresh(),
    { ...args, outputDir, saveSteps: 2 },
    {
      callbacks: [
        {
          onStepBegin: ({ state }) => {
            if (state.globalStep !== 3 || !kill) return;
            kill = false;
            process.kill(model.held.pid!, 'SIGKILL');
          },
        },
      ],
    },
  );
  await assert.rejects(trainer.train(), (error: Error) => {
    assert.match(error.message, /^The worker that holds the model ended by SIGKILL/);
    assert.match(
      error.message,
      /\nOne step is lost\. Run the training again, and it goes on after step 2, from .*checkpoint-2\.$/,
    );
    return true;
  });
  assert.equal(trainer.status, 'paused');
  assert.ok(existsSync(join(outputDir, 'checkpoint-2', 'run_state.json')));
  await trainer.train();
  assert.deepEqual(withoutTimes(trainer.logHistory), undisturbed);
  assert.ok(existsSync(join(outputDir, 'checkpoint-4', 'optimizer.pt')));
  await trainer.dispose();

  // Another kernel goes on from the folder alone.
  const next = newTrainer(fresh(), { ...args, outputDir, resumeFromCheckpoint: join(outputDir, 'checkpoint-2') });
  await next.train();
  assert.deepEqual(withoutTimes(next.logHistory), undisturbed);
  const saved = join(folder, 'resumed');
  await model.savePretrained(saved);
  const weights = (path: string) => readFileSync(join(path, 'adapter_model.safetensors'));
  assert.ok(weights(saved).equals(weights(whole)), 'the same weights, bit for bit');
  await next.dispose();
});

test('a worker that is lost during a pause is started again for the model, and the run goes on from its checkpoint', async () => {
  let pause = true;
  const trainer = newTrainer(
    fresh(),
    { ...args, outputDir: join(folder, 'paused'), saveSteps: 1 },
    {
      callbacks: [
        { onStepEnd: ({ state, control }) => void (control.shouldTrainingStop = pause && state.globalStep === 2) },
      ],
    },
  );
  // An interruption while the trainer starts is one more pause.
  await trainer.train({ signal: AbortSignal.timeout(100) });
  assert.deepEqual([trainer.status, trainer.globalStep], ['paused', 0]);
  await trainer.train();
  pause = false;
  process.kill(model.held.pid!, 'SIGKILL');
  const prompt = { inputIds: ids('function'), maxNewTokens: 4, doSample: false };
  await assert.rejects(
    model.generate(prompt),
    /ended by SIGKILL[^]*Use the model again, and another worker holds it, with the weights of .*checkpoint-2\.$/,
  );
  assert.equal((await model.generate(prompt)).sequences.length, 1);
  await assert.rejects(
    trainer.train(),
    /StateLost: [^]*\nNo step is lost\. Run the training again, and it goes on after step 2/,
  );
  await trainer.train();
  assert.deepEqual(withoutTimes(trainer.logHistory), undisturbed);
  await trainer.dispose();
});

test('a step that does not fit into memory is one sentence with what helps, and loses nothing', {
  skip: process.platform !== 'linux' || spawnSync('prlimit', ['--version']).status !== 0,
}, async () => {
  const trainer = newTrainer(
    fresh(),
    { ...args, maxSteps: 3 },
    {
      callbacks: [{ onStepEnd: ({ state, control }) => void (control.shouldTrainingStop = state.globalStep < 3) }],
    },
  );
  await trainer.train();
  const pid = model.held.pid!;
  const limit = (bytes: string) => spawnSync('prlimit', ['--pid', String(pid), `--as=${bytes}:unlimited`]);
  const used = 1024 * Number(/^VmSize:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  await trainer.configure({ ...settings, maxSteps: 3, numGenerations: 64, maxCompletionLength: 90 });
  limit(String(used + 2 ** 22));
  await assert.rejects(
    trainer.train(),
    /^WorkerError: The worker ran out of memory.*What helps: .*perDeviceTrainBatchSize: 32 instead of 64/,
  );
  limit('unlimited');
  assert.deepEqual([trainer.status, trainer.globalStep], ['paused', 1]);
  await trainer.configure({ ...settings, ...args, maxSteps: 3 });
  assert.equal((await trainer.train()).globalStep, 2);
  assert.equal(model.held.pid, pid, 'the worker lives');
  await trainer.dispose();
});
