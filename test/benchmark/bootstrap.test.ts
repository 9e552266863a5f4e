import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference, estimate } from '../../kernel/benchmark/bootstrap';
import { compared } from '../../kernel/benchmark/comparison';
import { seededRandom, type Random } from '../../kernel/common/random';
import { studentT } from '../../kernel/common/statistics';

/** Returns normal values with standard deviation 1 (Box and Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

test('a 95 % interval over 20 starts holds the true mean about 19 times in 20', () => {
  const trials = 300;
  let [held, width, student] = [0, 0, 0];
  for (let t = 0; t < trials; t++) {
    const random = seededRandom(t, 5);
    const values = Array.from({ length: 20 }, () => 3 + normal(random));
    const { low, high } = estimate([values]);
    if (low! <= 3 && high! >= 3) held++;
    width += high! - low!;
    const mean = values.reduce((sum, value) => sum + value) / 20;
    student += 2 * studentT(19) * Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 19 / 20);
  }
  assert.ok(held / trials > 0.92 && held / trials < 0.98, `${held} of ${trials}`);
  assert.ok(Math.abs(width / student - 1) < 0.03, `as wide as Student's for normal values: ${width / student}`);
});

test('attempts are a sample, too: the interval of a model that writes good and bad programs is wide', () => {
  const good = [10, 11, 10, 11];
  const bad = [0, 1, 0, 1];
  const mixed = estimate([good, bad, good, bad, bad, good, good, bad]);
  assert.equal(mixed.mean, 5.5);
  const one = estimate([good]);
  assert.ok(mixed.high! - mixed.low! > 4, `${mixed.low} … ${mixed.high}`);
  assert.ok(one.high! - one.low! < 2, `${one.low} … ${one.high}`);
});

test('differences are paired by start: a small one shows among starts that differ much', () => {
  const starts = Array.from({ length: 20 }, (_, i) => 10 * i);
  const better = starts.map((value, i) => value + 1 + (i % 3));
  const { low, high, mean } = difference([better], [starts]);
  assert.ok(Math.abs(mean - 1.95) < 1e-9 && low! > 1 && high! < 3, `${low} … ${high}`);
  const alone = estimate([starts]);
  assert.ok(alone.high! - alone.low! > 40);
  const side = (name: string, returns: number[], stream: number) => ({ name, returns: [returns], stream });
  assert.match(
    compared(side('new', better, 0), side('old', starts, 1)).text,
    /^new is better than old by [12]\.\d \(95 % interval 1\.\d to 2\.\d\)\.$/,
  );
  assert.match(
    compared(side('old', starts, 0), side('new', better, 1)).text,
    /^new is better than old by [12]\.\d \(95 % interval 1\.\d to 2\.\d\)\.$/,
  );
});

test('a difference that the starts cannot show is called none', () => {
  const random = seededRandom(3);
  const values = () => Array.from({ length: 20 }, () => 5 + normal(random));
  const side = (name: string, returns: number[], stream: number) => ({ name, returns: [returns], stream });
  const none = compared(side('a', values(), 0), side('b', values(), 1));
  assert.equal(none.verdict, 'none');
  assert.match(
    none.text,
    /^No difference between a and b that these 20 starts could show: −?0\.\d+ \(95 % interval −0\.\d+ to 0\.\d+\)\.$/,
  );
  const same = values();
  assert.equal(compared(side('a', same, 0), side('b', same, 1)).text, 'a and b play equally well from each start.');
  assert.equal(
    compared(side('a', [1], 0), side('b', [2], 1)).text,
    'One start says nothing of the difference between a and b.',
  );
});

test('the same values give the same interval, and one value gives none', () => {
  const values = [[1, 2, 3, 4, 10]];
  assert.deepEqual(estimate(values), estimate(values));
  assert.deepEqual(estimate([[7]]), { mean: 7, low: null, high: null });
});
