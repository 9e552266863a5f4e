import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { groupAdvantages, fractionZeroStd } from '../../kernel/grpo/advantages';
import { completionMetrics, rewardMetrics } from '../../kernel/grpo/metrics';
import { learningRateAt, type ScheduleSettings } from '../../kernel/training/scheduler';
import type { RewardTable } from '../../kernel/rewards/scoring';
import { packageRoot, pythonPath } from '../../kernel/setup/python';

/** Completions of 2 groups of 4: token 1 ends them; two run into the limit. */
const completionIds = [[5, 6, 1], [7, 8, 9, 10], [5, 1], [6, 6, 6, 1], [5, 6, 1], [7, 8, 9, 10], [5, 1], [6, 6, 6, 6, 6, 1]];

const rewardSets: Record<string, Array<number | null>>[] = [
  { works: [1, 2, 3.5, -1, 0.5, 0.25, 0.5, 0.5], score: [0.25, 0, 7, 1, 3, 2, 1, 0] },
  // Does not apply to some, to a whole group, to all; a completion without any reward; a group without spread.
  { works: [1, 2, null, -1, 0.5, 0.5, 0.5, 0.5], score: [0.25, null, null, 1, null, null, null, null] },
  { works: [1, 2, 4, -1, 2, 2, 2, 2], score: [null, null, null, null, null, null, null, null] },
  { works: [1, 1, 1, 1, 1, 1, 1, 1], score: [2, 2, 2, 2, 2, 2, 2, 2] },
  // One reward in a group has no spread to divide by.
  { works: [1, null, null, null, 2, 3, 4, 5], score: [null, null, null, null, 1, -1, 1, -1] },
];
const scaleRewards = ['group', 'batch', 'none'] as const;
const aggregations = ['sum_then_normalize', 'normalize_then_sum'] as const;

const cases = rewardSets.flatMap((rewards) =>
  aggregations.flatMap((multiObjectiveAggregation) =>
    scaleRewards.map((scale) => ({ rewards, multiObjectiveAggregation, scaleRewards: scale, weights: [1, 0.5] })),
  ),
);

const schedules = (['linear', 'cosine', 'constant_with_warmup', 'constant'] as const).flatMap((type) => [
  { type, warmup: 0, total: 10, lr: 1e-3 },
  { type, warmup: 3, total: 12, lr: 2e-4 },
]);

let reference: { scenarios: Array<{ advantages: number[]; log: Record<string, number> }>; schedules: number[][] };

before(() => {
  const scenarios = cases.map(({ rewards, weights, scaleRewards, multiObjectiveAggregation }) => ({
    completion_ids: completionIds,
    rewards,
    settings: {
      num_generations: 4,
      scale_rewards: scaleRewards,
      multi_objective_aggregation: multiObjectiveAggregation,
      reward_weights: weights,
    },
  }));
  const script = join(packageRoot, 'test', 'grpo', 'trl_reference.py');
  const result = spawnSync(pythonPath(), [script], {
    input: JSON.stringify({ scenarios, schedules }),
    encoding: 'utf8',
    maxBuffer: 1e8,
    timeout: 300_000,
    env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONWARNINGS: 'ignore' },
  });
  assert.equal(result.status, 0, result.stderr);
  reference = JSON.parse(result.stdout.split('\nRESULT')[1]);
});

function tableOf(rewards: Record<string, Array<number | null>>, weights: number[]): RewardTable {
  return { names: Object.keys(rewards), weights, values: Object.values(rewards) };
}

function close(actual: number, expected: number, message: string): void {
  assert.ok(Math.abs(actual - expected) <= 1e-5 * Math.max(1, Math.abs(expected)), `${message}: ${actual}, TRL ${expected}`);
}

test('advantages equal those of TRL', () => {
  cases.forEach(({ rewards, weights, ...settings }, c) => {
    const ours = groupAdvantages(tableOf(rewards, weights), { numGenerations: 4, ...settings });
    const theirs = reference.scenarios[c].advantages;
    assert.equal(ours.length, theirs.length);
    theirs.forEach((value, i) => close(ours[i], value, `${JSON.stringify(settings)} ${JSON.stringify(rewards)} advantage ${i}`));
  });
});

test('metrics of rewards and completions have the names and values of TRL', () => {
  const compared = new Set<string>();
  cases.forEach(({ rewards, weights, ...settings }, c) => {
    const table = tableOf(rewards, weights);
    const ours: Record<string, number> = {
      ...completionMetrics(completionIds.map((ids) => ids.length), completionIds.map((ids) => ids.at(-1) === 1)),
      ...rewardMetrics(table),
      frac_reward_zero_std: fractionZeroStd(table, { numGenerations: 4, ...settings }),
    };
    const theirs = reference.scenarios[c].log;
    for (const [name, value] of Object.entries(ours)) {
      assert.ok(name in theirs, `TRL has no metric ${name}`);
      if (theirs[name] === null) assert.ok(Number.isNaN(value), `${name} is ${value}, TRL has none`);
      else close(value, theirs[name], `${name} of ${JSON.stringify(rewards)}`);
      compared.add(name);
    }
    for (const name of Object.keys(theirs)) if (/reward|completions\//.test(name)) assert.ok(name in ours, `${name} is missing`);
  });
  assert.equal(compared.size, 7 + 4 + 3);
});

test('learning rates equal those of transformers', () => {
  schedules.forEach(({ type, warmup, total, lr }, s) => {
    const settings: ScheduleSettings = { learningRate: lr, lrSchedulerType: type, lrSchedulerKwargs: null, warmupSteps: warmup, warmupRatio: 0 };
    for (let step = 0; step < total; step++) {
      const [ours, theirs] = [learningRateAt(step, total, settings), reference.schedules[s][step]];
      assert.ok(Math.abs(ours - theirs) < 1e-12, `${type} step ${step}: ${ours}, transformers ${theirs}`);
    }
  });
});
