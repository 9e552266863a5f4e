import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HeldModel } from '../../../kernel/engines/trl/held';
import type { Handlers, StepMetrics } from '../../../kernel/engines/trl/run';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';
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

/** The metrics of some steps on completions that are known, by so many processes. */
async function steps(numProcesses: number): Promise<StepMetrics[]> {
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
  try {
    const run = await held.train({ args }, { made: null, suspend: async () => {} });
    const made: StepMetrics[] = [];
    for (let step = 0; step < 3; step++) made.push(await run.step(handlers, never));
    await run.save(join(folder, `saved-${numProcesses}`), never);
    assert.ok(existsSync(join(folder, `saved-${numProcesses}`, 'adapter_model.safetensors')));
    await run.stop();
    return made;
  } finally {
    await held.close();
  }
}

test('two processes make the steps of one, each with half of the completions', async () => {
  quietHost();
  process.env.OMP_NUM_THREADS = '1';
  process.env.JOYLAB_GPU_PYTHON = pythonPath();
  const one = await steps(1);
  const two = await steps(2);
  one.forEach((expected, step) => {
    for (const name of ['loss', 'grad_norm', 'reward', 'learning_rate'])
      assert.ok(
        Math.abs(two[step][name] - expected[name]) < 1e-3,
        `step ${step + 1}: ${name} ${two[step][name]}, alone ${expected[name]}`,
      );
  });
  assert.equal(new Set(one.map(({ grad_norm }) => grad_norm)).size, 3, 'the weights change');
});
