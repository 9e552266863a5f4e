import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pythonPath } from '../../../kernel/common/packagePaths';
import { TrlRun, type Handlers } from '../../../kernel/engines/trl/run';
import { Worker } from '../../../kernel/engines/trl/worker';
import { PolicyUpdate } from '../../../kernel/grpo/update/policyUpdate';
import { FastLanguageModel, type CausalLM } from '../../../kernel/models';
import { writeTinyModel } from '../../models/tinyModel';
import { eventually } from '../../eventually';

// A worker with PyTorch, transformers, PEFT and TRL as they are, on the processor.

const never = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'joylab-trl-'));
const base = join(folder, 'base');
const adapter = join(folder, 'adapter');
const loading = {
  backend: 'trl',
  folder: base,
  adapter,
  initWeights: 'pretrained',
  loadIn4bit: false,
  loadIn8bit: false,
  passedOn: {},
};
let model: CausalLM;
let worker: Worker;
const lines: string[] = [];

before(async () => {
  writeTinyModel(base);
  const loaded = await FastLanguageModel.fromPretrained({ modelName: base });
  model = FastLanguageModel.getPeftModel(loaded.model, {
    r: 4,
    targetModules: ['q_proj', 'v_proj'],
    initLoraWeights: false,
  });
  await model.savePretrained(adapter);
  worker = await Worker.start({ command: [pythonPath()], onLine: (line) => lines.push(line), signal: never });
  await worker.channel.command('load', loading);
});
after(async () => {
  await worker?.close();
  rmSync(folder, { recursive: true, force: true });
});

const prompts = [
  [5, 9, 12, 40],
  [7, 7, 30, 21],
];
const completions = [
  [11, 12, 13],
  [21, 22, 23, 24, 25],
  [31, 32],
  [41, 42, 43, 44],
];
const advantages = Float32Array.of(1, -1, 0.5, -0.5);
const args = {
  output_dir: join(folder, 'out'),
  max_steps: 4,
  num_generations: 2,
  per_device_train_batch_size: 4,
  max_completion_length: 8,
  learning_rate: 1e-2,
  lr_scheduler_type: 'constant',
  gradient_checkpointing: false,
};

/** Answers with prompts and completions that are known, and with their worth. */
const handlers: Handlers = {
  prompts: async (_mode, groups) => {
    assert.equal(groups, prompts.length);
    return { prompts, completions };
  },
  score: async (_mode, ids) => {
    assert.deepEqual(ids, completions);
    return {
      names: ['first', 'second'],
      weights: [1, 2],
      rewards: Float32Array.of(1, 0.5, 0, Number.NaN, 1, 0, 2, 1),
      advantages,
    };
  },
};

test("steps of TRL's trainer have the loss and the gradient norm of steps in this process, by the kernel's advantages", async () => {
  const run = await TrlRun.start(worker.channel, { args }, never);
  const update = await PolicyUpdate.create(model, { maxCompletionLength: 8 });
  const batch = { promptIds: prompts, completionIds: completions, promptOf: [0, 0, 1, 1], advantages };
  for (let step = 0; step < 3; step++) {
    const theirs = await run.step(handlers, never);
    const ours = await update.step(batch, 1e-2);
    for (const name of ['loss', 'grad_norm', 'entropy'] as const)
      assert.ok(
        Math.abs(theirs[name] - ours[name]!) < 1e-3,
        `step ${step}: ${name} ${theirs[name]}, here ${ours[name]}`,
      );
    assert.equal(theirs['rewards/second/mean'], (0.5 + 0 + 1) / 3, 'what does not apply is left out');
    assert.ok(Math.abs(theirs.reward - (2 + 0 + 1 + 4) / 4) < 1e-6, 'weights count');
  }
  await update.dispose();
  await run.stop();
});

/** The norms of gradients say where the weights are: the loss does not, as a policy is the one that sampled. */
const NORMS = 4;

test('a run that is failed, aborted, stopped and gone on with makes the steps of one that is not', async () => {
  const load = () => worker.channel.command('load', loading);
  await load();
  const whole = await TrlRun.start(worker.channel, { args }, never);
  const expected: number[] = [];
  for (let i = 0; i < NORMS; i++) expected.push((await whole.step(handlers, never)).grad_norm);
  await assert.rejects(whole.step(handlers, never), /The run has ended/);
  assert.equal(new Set(expected).size, NORMS);

  await load();
  const norms: number[] = [];
  const run = await TrlRun.start(worker.channel, { args }, never);
  norms.push((await run.step(handlers, never)).grad_norm);
  const failing: Handlers = { ...handlers, score: () => Promise.reject(new Error('a reward failed')) };
  await assert.rejects(run.step(failing, never), /^Error: a reward failed$/);
  norms.push((await run.step(handlers, never)).grad_norm);
  await run.save(join(folder, 'saved'), never);
  assert.ok(existsSync(join(folder, 'saved', 'adapter_model.safetensors')));
  const abort = new AbortController();
  const waiting: Handlers = {
    ...handlers,
    score: () => {
      abort.abort(new Error('interrupted'));
      return new Promise(() => {});
    },
  };
  await assert.rejects(run.step(waiting, abort.signal), /interrupted/);
  assert.equal(await run.stop(join(folder, 'stopped')), null);

  await load();
  const next = await TrlRun.start(worker.channel, { args, resumeFrom: join(folder, 'stopped') }, never);
  while (norms.length < NORMS) norms.push((await next.step(handlers, never)).grad_norm);
  await next.stop();
  norms.forEach((norm, i) =>
    assert.ok(Math.abs(norm - expected[i]) < 1e-6, `step ${i + 1}: ${norm}, not ${expected[i]}`),
  );
});

test('what Python cannot do is one sentence, and the worker lives', async () => {
  await assert.rejects(
    worker.channel.command('save', { folder: join(folder, 'mx'), method: 'mxfp4', maxShardSize: 5e9 }),
    /ValueError: saveMethod 'mxfp4' is for gpt-oss, and this is llama: save it with 'merged_16bit'/,
  );
  await worker.channel.command('save', {
    folder: join(folder, 'merged'),
    method: 'merged_16bit',
    dtype: 'float32',
    maxShardSize: 5e9,
  });
  assert.ok(existsSync(join(folder, 'merged', 'model.safetensors')));
});

test('a Python that has not what is needed, or cannot start, is told with what it wrote', async () => {
  const start = (command: string[]) => Worker.start({ command, signal: never });
  await assert.rejects(start(['/nowhere/python']), /ended with exit code 127\. It wrote last:\n.*ENOENT/);
  await assert.rejects(
    start([pythonPath(), '-S']),
    /ended with exit code 1\. It wrote last:[^]*No module named 'numpy'/,
  );
});

test('a connection that is lost ends what waits for it, also where the process stays', async () => {
  const script = `
import json, os, socket, struct, time
host, port = os.environ["JOYLAB_WORKER_ADDRESS"].split(":")
hello = {"type": "hello", "version": 1, "rank": 0, "pid": os.getpid(), "token": os.environ["JOYLAB_WORKER_TOKEN"]}
text = json.dumps(hello).encode()
connection = socket.create_connection((host, int(port)))
connection.sendall(struct.pack("<II", len(text), 0) + text)
connection.recv(1)
connection.close()
time.sleep(60)`;
  const lost = await Worker.start({ command: [pythonPath(), '-c', script], signal: never });
  await assert.rejects(lost.channel.command('load'), /The connection to the worker that holds the model was lost\./);
  await lost.close();
});

test('a stranger that connects is not taken for the worker', async () => {
  const seen = new Promise<string>((resolve) => {
    void Worker.start({
      command: [pythonPath(), '-c', 'import os, time; print(os.environ["JOYLAB_WORKER_ADDRESS"]); time.sleep(60)', '#'],
      onLine: resolve,
      signal: AbortSignal.timeout(15_000),
    }).catch(() => undefined);
  });
  const [host, port] = (await seen).split(':');
  const socket = connect({ host, port: Number(port) });
  socket.on('error', () => undefined);
  const frame = Buffer.from(JSON.stringify({ type: 'hello', version: 1, rank: 0, token: 'guessed' }));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(frame.length);
  socket.write(Buffer.concat([lengths, frame]));
  await once(socket, 'close');
});

test('a worker ends with the process that started it, also when that is killed', async () => {
  const script = `
    const { Worker } = require(${JSON.stringify(require.resolve('../../../kernel/engines/trl/worker'))});
    Worker.start({ command: [${JSON.stringify(pythonPath())}], signal: new AbortController().signal })
      .then(({ pid }) => console.log(pid));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(parent.stdout, 'data');
  const pid = Number(String(said));
  assert.ok(isAlive(pid));
  parent.kill('SIGKILL');
  await eventually(() => !isAlive(pid), 'the worker has ended');
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
