import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { runtimeSettings } from '../../kernel/onnx/session';
import { CheckpointError } from '../../kernel/training';
import { PeftModel } from '../../kernel/models';
import { freshModel, newTrainer, outcome, quietHost, temporaryFolder, uninterrupted } from './fixtures';

before(quietHost);

/** What is in the folder of a run beside its rollouts. */
const checkpointsIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => !name.startsWith('rollouts.db'))
    .sort();

for (const [title, args, adapter] of [
  ['an adapter', {}, true],
  ['all weights', { maxSteps: 4 }, false],
  ['an adapter, between two iterations and two log entries', { numIterations: 2, loggingSteps: 2 }, true],
] as const) {
  test(`a run that was killed goes on from its checkpoint with the same numbers: ${title}`, async () => {
    const folder = temporaryFolder();
    const whole = await uninterrupted(args, adapter);
    const abort = new AbortController();
    const killed = newTrainer(
      await freshModel({ adapter }),
      { ...args, outputDir: folder, saveSteps: 3 },
      { onStep: ({ step }) => void (step === 3 && abort.abort()) },
    );
    await killed.train({ signal: abort.signal });
    await killed.dispose();

    const trainer = newTrainer(await freshModel({ adapter }), {
      ...args,
      outputDir: folder,
      saveSteps: 3,
      resumeFromCheckpoint: true,
    });
    const output = await trainer.train();
    assert.equal(output.status, 'finished');
    assert.deepEqual(outcome(trainer), whole);
    await trainer.dispose();
  });
}

test('a model whose checkpoints are split into several files goes on from them with the same numbers', async () => {
  const folder = temporaryFolder();
  const whole = await uninterrupted({ maxSteps: 4 }, false);
  const model = await freshModel({ adapter: false });
  // As a model above 5 GB is saved.
  model.savePretrained = (to) => model.savePretrainedMerged(to, { maxShardSize: 4e6 });
  const abort = new AbortController();
  const killed = newTrainer(
    model,
    { maxSteps: 4, outputDir: folder, saveSteps: 2 },
    { onStep: ({ step }) => void (step === 2 && abort.abort()) },
  );
  await killed.train({ signal: abort.signal });
  await killed.dispose();
  const files = readdirSync(join(folder, 'checkpoint-2')).filter((name) => /^model/.test(name));
  assert.ok(files.includes('model.safetensors.index.json') && files.length > 3, files.join(' '));

  const trainer = newTrainer(await freshModel({ adapter: false }), {
    maxSteps: 4,
    outputDir: folder,
    saveSteps: 2,
    resumeFromCheckpoint: true,
  });
  await trainer.train();
  assert.deepEqual(outcome(trainer), whole);
  await trainer.dispose();
  rmSync(join(folder, 'checkpoint-2', files.find((name) => /-00002-of/.test(name))!));
  const missing = newTrainer(await freshModel({ adapter: false }), { maxSteps: 4, outputDir: folder });
  await assert.rejects(
    missing.train({ resumeFromCheckpoint: join(folder, 'checkpoint-2') }),
    /cannot be loaded: .*model-00002-of/,
  );
});

test('a run that goes on with another number of threads says that its last bits will differ', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const folder = temporaryFolder();
  const before = runtimeSettings.threads;
  try {
    const goOn = async (threads: number, args: object) => {
      runtimeSettings.threads = threads;
      const trainer = newTrainer(await freshModel(), { outputDir: folder, saveSteps: 1, ...args });
      await trainer.train();
      await trainer.dispose();
      return warn.mock.calls.map((call) => String(call.arguments[0]));
    };
    assert.deepEqual(await goOn(1, { maxSteps: 1 }), []);
    assert.deepEqual(await goOn(1, { maxSteps: 2, resumeFromCheckpoint: true }), []);
    const [said, ...more] = await goOn(2, { maxSteps: 3, resumeFromCheckpoint: true });
    assert.match(
      said,
      /checkpoint-2 was written with 1 thread, and this process takes 2: .* JOYLAB_THREADS=1 for the same bits/,
    );
    assert.deepEqual(more, []);
  } finally {
    runtimeSettings.threads = before;
  }
});

test('a checkpoint is a PEFT folder with optimizer and state; old ones are removed', async () => {
  const folder = temporaryFolder();
  const model = await freshModel();
  const trainer = newTrainer(model, { outputDir: folder, saveSteps: 2, maxSteps: 5, saveTotalLimit: 2 });
  await trainer.train();
  assert.deepEqual(checkpointsIn(folder), ['checkpoint-4', 'checkpoint-5']);
  const last = join(folder, 'checkpoint-5');
  for (const name of [
    'adapter_config.json',
    'adapter_model.safetensors',
    'optimizer.safetensors',
    'trainer_state.json',
    'run_state.json',
  ]) {
    assert.ok(existsSync(join(last, name)), name);
  }
  const state = JSON.parse(readFileSync(join(last, 'trainer_state.json'), 'utf8'));
  assert.deepEqual([state.global_step, state.max_steps, state.log_history.length], [5, 5, 5]);
  const loaded = await PeftModel.fromPretrained(model, last);
  assert.deepEqual(loaded.trainableParameters(), model.trainableParameters());
});

test('a missing or broken checkpoint is refused, and the model is as it was', async () => {
  const folder = temporaryFolder();
  const args = { outputDir: folder, saveSteps: 2, maxSteps: 2 };
  const empty = newTrainer(await freshModel(), args);
  await assert.rejects(
    empty.train({ resumeFromCheckpoint: true }),
    /There is no checkpoint in .* Set outputDir, or train from the start/,
  );
  await empty.train();

  const good = join(folder, 'checkpoint-2');
  const broken: Array<[string, (copy: string) => void, RegExp]> = [
    [
      'no-state',
      (copy) => rmSync(join(copy, 'run_state.json')),
      /is not a checkpoint of a run: it has no run_state\.json/,
    ],
    ['bad-state', (copy) => writeFileSync(join(copy, 'run_state.json'), '{"global_step":'), /cannot be loaded: .*JSON/],
    ['short-weights', (copy) => truncateSync(join(copy, 'adapter_model.safetensors'), 5000), /cannot be loaded/],
    ['no-optimizer', (copy) => rmSync(join(copy, 'optimizer.safetensors')), /cannot be loaded/],
  ];
  for (const [name, damage, message] of broken) {
    const copy = join(folder, name);
    cpSync(good, copy, { recursive: true });
    damage(copy);
    const trainer = newTrainer(await freshModel(), args);
    const untouched = structuredClone(outcome(trainer).weights);
    await assert.rejects(trainer.train({ resumeFromCheckpoint: copy }), (error: Error) => {
      assert.match(error.message, message);
      return error instanceof CheckpointError;
    });
    assert.deepEqual(outcome(trainer).weights, untouched, name);
  }
});

test('a newest checkpoint that is broken is passed over with a message, and the one before is gone on from', async (t) => {
  const folder = temporaryFolder();
  const args = { outputDir: folder, saveSteps: 2 };
  const abort = new AbortController();
  await newTrainer(await freshModel(), args, { onStep: ({ step }) => void (step === 4 && abort.abort()) }).train({
    signal: abort.signal,
  });
  for (const [name, damage] of [
    ['optimizer.safetensors', (path: string) => truncateSync(path, 3000)],
    ['run_state.json', (path: string) => truncateSync(path, 300)],
  ] as const) {
    damage(join(folder, 'checkpoint-4', name));
    const warnings = t.mock.method(console, 'warn', () => {});
    const resumed = newTrainer(await freshModel(), args);
    const stop = AbortSignal.abort();
    await resumed.train({ resumeFromCheckpoint: true, signal: stop });
    assert.equal(resumed.globalStep, 2);
    const said = warnings.mock.calls.map(({ arguments: [text] }) => text).join('\n');
    assert.match(said, /checkpoint-4 cannot be loaded: .*\nThe run goes on from .*checkpoint-2 instead/);
    warnings.mock.restore();
    await resumed.dispose();
  }
  const last = newTrainer(await freshModel(), args);
  t.mock.method(console, 'warn', () => {});
  await last.train({ resumeFromCheckpoint: true });
  assert.deepEqual(outcome(last), await uninterrupted());
});

test('checkpoints of an earlier run in the folder are neither gone on from nor counted as newer', async () => {
  const folder = temporaryFolder();
  await newTrainer(await freshModel(), { outputDir: folder, saveSteps: 2, saveTotalLimit: 2 }).train();
  assert.deepEqual(checkpointsIn(folder), ['checkpoint-4', 'checkpoint-6']);
  const args = { outputDir: folder, saveSteps: 1, saveTotalLimit: 2, seed: 8 };
  const abort = new AbortController();
  const second = newTrainer(await freshModel(), args, { onStep: ({ step }) => void (step === 2 && abort.abort()) });
  await second.train({ signal: abort.signal });
  assert.deepEqual(checkpointsIn(folder), ['checkpoint-1', 'checkpoint-2']);
  const resumed = newTrainer(await freshModel(), args);
  await resumed.train({ resumeFromCheckpoint: true, signal: AbortSignal.abort() });
  assert.equal(resumed.globalStep, 2);
});

test('a reference model that stays the same is on the disk once, and is the same after a resumption', async () => {
  const folder = temporaryFolder();
  const args = { outputDir: folder, saveSteps: 2, maxSteps: 4, beta: 0.1 };
  const whole = await uninterrupted({ maxSteps: 4, beta: 0.1 }, false);
  const abort = new AbortController();
  await newTrainer(await freshModel({ adapter: false }), args, {
    onStep: ({ step }) => void (step === 2 && abort.abort()),
  }).train({ signal: abort.signal });
  const resumed = newTrainer(await freshModel({ adapter: false }), args);
  await resumed.train({ resumeFromCheckpoint: true });
  assert.deepEqual(outcome(resumed), whole);
  const [first, second] = [2, 4].map(
    (step) => statSync(join(folder, `checkpoint-${step}`, 'reference.safetensors')).ino,
  );
  assert.equal(first, second);
});

test('a kill while a checkpoint takes the place of one of the same step loses neither', async () => {
  const folder = temporaryFolder();
  const args = { outputDir: folder, saveSteps: 1, maxSteps: 1 };
  const before = newTrainer(await freshModel(), args);
  await before.train();
  // Another run from the start, which is killed between the two renames.
  const script = `
    const fs = require('node:fs');
    const rename = fs.renameSync;
    fs.renameSync = (from, to) => (/partial/.test(from) && fs.readdirSync(${JSON.stringify(folder)}).some((name) => /replaced/.test(name)) && process.kill(process.pid, 'SIGKILL'), rename(from, to));
    const { freshModel, newTrainer, watchingHost } = require(${JSON.stringify(join(__dirname, 'fixtures.js'))});
    const marks = watchingHost();
    freshModel().then((model) => newTrainer(model, ${JSON.stringify({ ...args, seed: 8 })}).train());`;
  const { signal } = spawnSync(process.execPath, ['-e', script]);
  assert.equal(signal, 'SIGKILL');
  assert.equal(existsSync(join(folder, 'checkpoint-1')), false);
  const copy = temporaryFolder();
  cpSync(folder, copy, { recursive: true });
  for (const [outputDir, resumeFromCheckpoint] of [
    [folder, true],
    [copy, join(copy, 'checkpoint-1')],
  ] as const) {
    const trainer = newTrainer(await freshModel(), { ...args, outputDir, maxSteps: 2, resumeFromCheckpoint });
    await trainer.train();
    assert.deepEqual(trainer.logHistory[0], before.logHistory[0]);
    assert.deepEqual(checkpointsIn(outputDir), ['checkpoint-1', 'checkpoint-2']);
    await trainer.dispose();
  }
});

test('what a killed process left of a checkpoint is removed, not read', async () => {
  const folder = temporaryFolder();
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  mkdirSync(join(folder, `.checkpoint-9.partial-${gone}`));
  await newTrainer(await freshModel(), { outputDir: folder, saveSteps: 1, maxSteps: 1 }).train();
  assert.deepEqual(checkpointsIn(folder), ['checkpoint-1']);
});

test('a checkpoint of another model is refused', async () => {
  const folder = temporaryFolder();
  await newTrainer(await freshModel({ adapter: false }), { outputDir: folder, saveSteps: 1, maxSteps: 1 }).train();
  const other = newTrainer(await freshModel(), { outputDir: folder });
  await assert.rejects(other.train({ resumeFromCheckpoint: true }), /cannot be loaded/);
});

test('where a checkpoint cannot be written the run pauses and goes on later', async () => {
  const folder = temporaryFolder();
  const outputDir = join(folder, 'out');
  writeFileSync(outputDir, 'a file where the folder should be');
  const trainer = newTrainer(await freshModel(), { outputDir, saveSteps: 2 });
  await assert.rejects(trainer.train(), (error: Error) => {
    assert.match(
      error.message,
      /checkpoint of step 2 could not be written to .*out\/checkpoint-2: .*choose another outputDir.*goes on after step 2/,
    );
    return error instanceof CheckpointError;
  });
  assert.deepEqual([trainer.status, trainer.globalStep], ['paused', 2]);
  rmSync(outputDir);
  await trainer.train();
  assert.deepEqual(checkpointsIn(outputDir), ['checkpoint-2', 'checkpoint-4', 'checkpoint-6']);
  assert.deepEqual(outcome(trainer), await uninterrupted());
});

test('a disk that is full leaves no half checkpoint: the run says so and goes on, and pauses where no later one would be written', () => {
  const folder = temporaryFolder();
  const script = `
    const { freshModel, newTrainer, watchingHost } = require(${JSON.stringify(join(__dirname, 'fixtures.js'))});
    process.on('SIGXFSZ', () => {});
    const marks = watchingHost();
    freshModel().then((model) => newTrainer(model, { outputDir: ${JSON.stringify(folder)}, saveSteps: 1, maxSteps: 2 }).train())
      .catch((error) => console.log(marks().join('\\n') + '\\n' + error.name + ': ' + error.message));`;
  // A limit on the size of files stands for the full disk: writing stops in the middle of a file.
  const result = spawnSync('sh', ['-c', 'ulimit -f 64 && exec "$0" -e "$1"', process.execPath, script], {
    encoding: 'utf8',
    timeout: 600_000,
  });
  assert.match(
    result.stdout,
    /step 1: The checkpoint of step 1 could not be written .*: the file would be larger.*\. The run goes on, and Save or the next checkpoint tries again; a kernel that ends before loses what was learned/,
    result.stderr,
  );
  assert.match(
    result.stdout,
    /CheckpointError: The checkpoint of step 2 could not be written .*: the file would be larger.*nothing is lost/,
    result.stderr,
  );
  assert.deepEqual(checkpointsIn(folder), []);
});
