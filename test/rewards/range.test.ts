import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fractionZeroStd, groupAdvantages, type AdvantageSettings } from '../../kernel/grpo/advantages';
import { rewardMetrics } from '../../kernel/grpo/metrics';
import { RewardError, score, scoreSamples, type RewardTable } from '../../kernel/rewards/scoring';
import { mean, std } from '../../kernel/common/statistics';
import { sample } from './samples';

const settings = (more: Partial<AdvantageSettings> = {}): AdvantageSettings => ({
  numGenerations: 4,
  scaleRewards: 'group',
  multiObjectiveAggregation: 'sum_then_normalize',
  ...more,
});
const table = (...columns: Array<Array<number | null>>): RewardTable => ({
  names: columns.map((_, f) => `f${f}`),
  weights: columns.map(() => 1),
  values: columns,
});
const close = (actual: ArrayLike<number>, expected: number[]) => {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) =>
    assert.ok(Math.abs(actual[i] - value) <= 1e-4 * Math.max(1, Math.abs(value)), `${i}: ${actual[i]}, not ${value}`),
  );
};
/** What 0, 1, 2, 3 come to where ε does not count: multiples of the spread. */
const RAMP = [-1.5, -0.5, 0.5, 1.5].map((value) => value / Math.sqrt(5 / 3));

test('advantages do not depend on how large rewards are', () => {
  for (const factor of [1e4, 1e100, 1e150, 1e153, 1e155, 1e200, 1e300, 5e307, -1e300]) {
    const rewards = [0, 1, 2, 3].map((value) => value * factor);
    const sign = Math.sign(factor);
    for (const scaleRewards of ['group', 'batch'] as const)
      close(
        groupAdvantages(table(rewards), settings({ scaleRewards })),
        RAMP.map((value) => value * sign),
      );
    // Twice over: the spread of what was normalised is 1, and ε counts.
    close(
      groupAdvantages(table(rewards, [0, 0, 0, 0]), settings({ multiObjectiveAggregation: 'normalize_then_sum' })),
      RAMP.map((value) => (value * sign) / 1.0001),
    );
  }
});

test('groups of other sizes keep theirs', () => {
  const both = [0, 1, 2, 3, 0, 1e300, 2e300, 3e300];
  const small = groupAdvantages(table([0, 1, 2, 3]), settings());
  const advantages = groupAdvantages(table(both), settings());
  assert.deepEqual([...advantages.slice(0, 4)], [...small], 'to the last bit');
  close(advantages.slice(4), RAMP);
  close(
    groupAdvantages(table([1.7e308, -1.7e308, 1.7e308, -1.7e308]), settings()),
    [1, -1, 1, -1].map((value) => (value * Math.sqrt(3)) / 2),
  );
  close(groupAdvantages(table([1e300, 0, 1, null]), settings()), [
    2 / Math.sqrt(3),
    -1 / Math.sqrt(3),
    -1 / Math.sqrt(3),
    0,
  ]);
  assert.equal(fractionZeroStd(table(both), settings()), 0);
});

test("tiny rewards differ by next to nothing, as with TRL's epsilon", () => {
  for (const tiny of [5e-324, 1e-200])
    close(groupAdvantages(table([0, tiny, 2 * tiny, 3 * tiny]), settings()), [0, 0, 0, 0]);
});

test('mean and spread of very large values', () => {
  assert.equal(mean([1e300, 3e300]), 2e300);
  assert.equal(mean([1.7e308, -1.7e308]), 0);
  assert.equal(mean([Number.MAX_VALUE, Number.MAX_VALUE]), Number.MAX_VALUE);
  assert.ok(Math.abs(std([1e300, 3e300]) / (Math.SQRT2 * 1e300) - 1) < 1e-12);
  const metrics = rewardMetrics(table([1e300, 3e300]));
  assert.equal(metrics.reward, 2e300);
  assert.ok(Number.isFinite(metrics.reward_std));
  assert.ok(Number.isNaN(mean([])) && Number.isNaN(std([1e300])));
});

test('what no number holds is an error that names function, sample and weight', async () => {
  const samples = [sample(), sample()];
  const huge = { name: 'huge', score: () => 1e300, weight: 1e10 };
  const fine = { name: 'fine', score: () => 1, weight: 1 };
  await assert.rejects(
    scoreSamples([fine, huge], samples),
    /RewardError: Reward function "huge" gives sample 0 of 2 .* 1e\+300, and its weight is 10000000000: the sum of its rewards is beyond the largest number there \(1\.8e\+308\)\. Scale the reward down/,
  );
  const { table: left, error } = await score([fine, huge], samples);
  assert.deepEqual([left.names, error!.functionName], [['fine'], 'huge']);
  const sum = table([1e308, 0, 0, 0], [1e308, 0, 0, 0]);
  assert.throws(() => groupAdvantages(sum, settings()), RewardError);
  assert.throws(
    () => groupAdvantages(table([1e300, 0, 0, 0]), settings({ scaleRewards: 'none' })),
    /its advantage is beyond the largest number there \(3\.4e\+38\)/,
  );
  close(groupAdvantages(table([4e30, 0, 0, 0]), settings({ scaleRewards: 'none' })), [3e30, -1e30, -1e30, -1e30]);
});
