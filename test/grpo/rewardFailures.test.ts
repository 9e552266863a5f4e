import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setCellContext } from '../../kernel/display/cellContext';
import type { TrainingStep } from '../../kernel/grpo';
import { RewardError, type RewardFunction, type Sample } from '../../kernel/rewards';
import { freshModel, letters, newTrainer, quietHost } from './fixtures';

/** Returns a function that throws on `count` of each group of four. */
function failsOn(count: number): RewardFunction {
  let calls = 0;
  return function careless(sample: Sample) {
    if (calls++ % 4 < count) throw new Error('careless');
    return letters(sample);
  };
}

test('a sample on which a reward function fails is left out of its group, and the run says so and goes on', async () => {
  const results: TrainingStep[] = [];
  const said: string[] = [];
  const trainer = newTrainer(
    await freshModel(),
    { maxSteps: 3 },
    {
      rewardFuncs: [
        failsOn(1),
        function always() {
          return 5;
        },
      ],
      onStep: (step) => void results.push(step),
    },
  );
  setCellContext({
    console: true,
    display: (bundle) => void said.push(String(bundle['text/plain'])),
    signal: new AbortController().signal,
    registerCommTarget() {},
  });
  await trainer.train();
  quietHost();
  assert.equal(trainer.status, 'finished');
  for (const { advantages, rewards } of results) {
    assert.equal(advantages[0], 0);
    assert.equal(rewards.values[0][0], null);
    assert.ok(Math.abs(advantages.reduce((sum, value) => sum + value, 0)) < 1e-5, 'the others are a group of three');
  }
  assert.deepEqual(
    said.filter((text) => text.includes('left out')),
    [
      'step 1: 1 of 4 samples are left out, as a reward function failed on them. Reward function "careless" threw on sample 0 of 4 (they count from 0): Error: careless.',
    ],
    'once',
  );
  await trainer.dispose();
});

test('a function that fails on more than half of the samples pauses the run', async () => {
  quietHost();
  const trainer = newTrainer(await freshModel(), { maxSteps: 3 }, { rewardFuncs: failsOn(3) });
  await assert.rejects(trainer.train(), (error) => error instanceof RewardError && error.isBroken);
  assert.equal(trainer.status, 'paused');
  assert.equal(trainer.globalStep, 0);
  await trainer.dispose();
});
