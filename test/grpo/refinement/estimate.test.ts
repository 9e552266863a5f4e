import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Estimates } from '../../../kernel/grpo/refinement/estimate';
import { seededRandom } from '../../../kernel/common/random';

test('a mean of few episodes is drawn towards the mean of all, one of many stays', () => {
  const few = [30];
  const many = Array.from({ length: 20 }, (_, i) => 24 + (i % 2 === 0 ? 8 : -8));
  const estimates = Estimates.of([few, many, [5, 12], [9, 1], [4], [11, 2, 6]]);
  assert.ok(estimates.worth(few) < estimates.worth(many), 'one lucky episode is not worth more than twenty good ones');
  assert.ok(Math.abs(estimates.worth(many) - 24) < 2);
  assert.ok(estimates.worth(few) > estimates.mean && estimates.worth(few) < 30);
  assert.ok(estimates.deviation(few) > 2 * estimates.deviation(many));
});

test('without anything known nothing is assumed; equal programs are worth what they earn', () => {
  assert.deepEqual([Estimates.of([]).worth([]), Estimates.of([[]]).worth([4])], [0, 4]);
  const equal = Estimates.of([[3, 3], [3], [3, 3, 3]]);
  assert.deepEqual([equal.worth([3]), equal.worth([]), equal.deviation([3])], [3, 3, 0]);
  assert.equal(Estimates.of([[7]]).worth([7]), 7);
});

test('variances are found again in simulated programs', () => {
  const random = seededRandom(3);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const truth = Array.from({ length: 400 }, () => 10 + 3 * normal());
  const programs = truth.map((value, i) => Array.from({ length: 1 + (i % 5) }, () => value + 6 * normal()));
  const estimates = Estimates.of(programs);
  assert.ok(Math.abs(Math.sqrt(estimates.within) - 6) < 0.5, `within ${Math.sqrt(estimates.within)}`);
  assert.ok(Math.abs(Math.sqrt(estimates.between) - 3) < 0.8, `between ${Math.sqrt(estimates.between)}`);
  const error = (guess: (values: number[]) => number) =>
    programs.reduce((sum, values, i) => sum + (guess(values) - truth[i]) ** 2, 0);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(error((values) => estimates.worth(values)) < 0.5 * error(mean), 'nearer to the truth than the means');
});

test('fitness whose squares are beyond what numbers hold is estimated as any other', () => {
  const programs = [[30], [20, 24, 16], [5, 12], [9, 1]];
  const [usual, large] = [
    Estimates.of(programs),
    Estimates.of(programs.map((values) => values.map((value) => value * 2 ** 1000))),
  ];
  for (const values of programs) {
    const far = values.map((value) => value * 2 ** 1000);
    assert.ok(Math.abs(large.worth(far) / 2 ** 1000 - usual.worth(values)) < 1e-9);
    assert.ok(Math.abs(large.deviation(far) / 2 ** 1000 - usual.deviation(values)) < 1e-9);
  }
});
