import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { HeldModel } from '../../../kernel/engines/trl/held';
import type { Handlers, StepMetrics, TrlRun } from '../../../kernel/engines/trl/run';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';
import { eventually } from '../../eventually';
import { quietHost, temporaryFolder } from '../../grpo/fixtures';

const never = new AbortController().signal;
const folder = temporaryFolder();
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

/** A model with an adapter in a worker of so many processes. */
function adapted(numProcesses: number): HeldModel {
  const held = new HeldModel(
    {
      backend: 'trl',
      folder: join(packageRoot, 'kernel/models/strategist/checkpoint'),
      adapter: null,
      maxSeqLength: 128,
      loadIn4bit: false,
      loadIn8bit: false,
      dtype: null,
      initWeights: 'pretrained',
      seed: 1,
      passedOn: {},
    },
    { numProcesses, configFile: null },
  );
  const lora = { r: 4, target_modules: ['q_proj', 'v_proj'], init_lora_weights: false };
  held.adapt({ lora, randomState: 1 });
  return held;
}

const handlers: Handlers = {
  prompts: async (_mode, groups) => {
    assert.equal(groups, prompts.length, 'one process asks for all');
    return { prompts, completions };
  },
  score: async (_mode, ids) => {
    assert.deepEqual(ids, completions);
    const rewards = Float32Array.of(1, 0, 0.5, 0);
    return { names: ['reward'], weights: [1], rewards, advantages: Float32Array.of(1, -1, 0.5, -0.5) };
  },
};

function start(held: HeldModel, numProcesses: number): Promise<TrlRun> {
  const args = {
    output_dir: join(folder, 'out'),
    max_steps: 3,
    num_generations: 2,
    per_device_train_batch_size: completions.length / numProcesses,
    max_completion_length: 8,
    learning_rate: 1e-2,
    gradient_checkpointing: false,
    seed: 1,
  };
  // Its steps go too far.
  return held.train({ args, targetKl: 0.5 }, { made: null, suspend: async () => {} });
}

/** The metrics of some steps on completions that are known, by so many processes. */
async function steps(numProcesses: number): Promise<StepMetrics[]> {
  const held = adapted(numProcesses);
  try {
    const run = await start(held, numProcesses);
    const made: StepMetrics[] = [];
    for (let step = 0; step < 3; step++) made.push(await run.step(handlers, never));
    assert.equal((await held.memory()).peaks.length, numProcesses, 'each process tells of its GPU');
    await run.save(join(folder, `saved-${numProcesses}`), never);
    assert.ok(existsSync(join(folder, `saved-${numProcesses}`, 'adapter_model.safetensors')));
    await run.stop();
    return made;
  } finally {
    await held.close();
  }
}

before(() => {
  quietHost();
  process.env.OMP_NUM_THREADS = '1';
  process.env.JOYLAB_GPU_PYTHON = pythonPath();
});

test('two processes make the steps of one, each with half of the completions', async () => {
  const one = await steps(1);
  const two = await steps(2);
  one.forEach((expected, step) => {
    for (const name of ['loss', 'grad_norm', 'reward', 'learning_rate', 'step_kl', 'step_share'])
      assert.ok(
        Math.abs(two[step][name] - expected[name]) < 1e-3,
        `step ${step + 1}: ${name} ${two[step][name]}, alone ${expected[name]}`,
      );
  });
  assert.equal(new Set(one.map(({ grad_norm }) => grad_norm)).size, 3, 'the weights change');
  assert.ok(
    one.some(({ step_share }) => step_share < 1),
    'some are shortened',
  );
});

test('where one of two processes is killed the other ends, too, and one sentence says which it was', {
  skip: process.platform !== 'linux',
}, async () => {
  const held = adapted(2);
  const run = await start(held, 2);
  const family = siblings(held.pid!);
  assert.equal(family.length, 2);
  process.kill(family.find((pid) => pid !== held.pid)!, 'SIGKILL');
  await assert.rejects(run.step(handlers, never), (error: Error) => {
    assert.match(
      error.message,
      /^One of the processes that train the model together, the one of rank 1, ended by SIGKILL,/,
    );
    assert.ok(!error.message.includes('\n'));
    return true;
  });
  await eventually(() => !family.some(isAlive), 'both have ended');
  await held.close();
});

/** A process and those that the same one has started. */
function siblings(pid: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((other) => parentOf(other) === parentOf(pid));
}

function parentOf(pid: number): number | null {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  } catch {
    // It has ended.
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
