import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  entropicWeights,
  maxAtK,
  OBJECTIVES,
  rankWeights,
  searchAdvantages,
  type ChildOutcome,
  type ObjectiveSettings,
} from '../../../kernel/grpo/refinement/objective';
import { seededRandom } from '../../../kernel/common/random';

const settings: ObjectiveSettings = {
  objective: 'max@k',
  aboveParent: true,
  bestOf: 3,
  entropicTemperature: 0.5,
  failurePenalty: 1,
  unchangedPenalty: 0,
  scaleRewards: 'group',
};
const played = (gain: number): ChildOutcome => ({ status: 'played', gain });
const failed: ChildOutcome = { status: 'failed', gain: null };
const unchanged = (gain: number): ChildOutcome => ({ status: 'unchanged', gain });
const advantages = (children: ChildOutcome[], more: Partial<ObjectiveSettings> = {}, fresh = false) => [
  ...searchAdvantages([{ fresh, children }], { ...settings, ...more }),
];

/** All sets of `size` of the numbers from 0 to `count` − 1. */
function subsets(count: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  return Array.from({ length: count - from }, (_, i) => from + i).flatMap((first) =>
    subsets(count, size - 1, first + 1).map((rest) => [first, ...rest]),
  );
}

test('max@k is what a sample adds to the best of each set of others, enumerated', () => {
  const random = seededRandom(1);
  for (const [count, k] of [
    [2, 2],
    [5, 2],
    [6, 3],
    [8, 4],
    [7, 7],
    [4, 1],
  ]) {
    const values = Array.from({ length: count }, () => Math.round(6 * random.next()) / 2);
    const found = maxAtK(values, k);
    values.forEach((value, i) => {
      const sets = subsets(count, k - 1).length && subsets(count, k - 1).filter((set) => !set.includes(i));
      const expected =
        k === 1
          ? value
          : (sets as number[][])
              .map((set) => Math.max(value, ...set.map((j) => values[j])) - Math.max(...set.map((j) => values[j])))
              .reduce((sum, one, _, all) => sum + one / all.length, 0);
      assert.ok(Math.abs(found[i] - expected) < 1e-9, `${count} values, best of ${k}: ${found[i]} for ${expected}`);
    });
  }
});

test('the gradient of max@k is unbiased: over all draws its mean is that of the expected best of k', () => {
  // A policy draws 0, 1 or 5 with probabilities p; n = 3 samples, k = 2. The derivative by p of value v is Σ E[a_i / p(v)] over samples that drew v.
  const [values, p, count, k] = [[0, 1, 5], [0.5, 0.3, 0.2], 3, 2];
  const draws = values.flatMap((_, a) => values.flatMap((_, b) => values.map((_, c) => [a, b, c])));
  const chance = (draw: number[]) => draw.reduce((product, index) => product * p[index], 1);
  const scoreOf = (v: number) =>
    draws.reduce(
      (sum, draw) =>
        sum +
        chance(draw) *
          maxAtK(
            draw.map((i) => values[i]),
            k,
          ).reduce((total, a, j) => total + (draw[j] === v ? a / p[v] : 0), 0),
      0,
    ) / count;
  // d/dp(v) of Σ p(a) p(b) max(a, b), along directions that keep the sum of p.
  const exact = (v: number) => 2 * values.reduce((sum, other, i) => sum + p[i] * Math.max(values[v], other), 0);
  for (const [a, b] of [
    [2, 0],
    [1, 0],
  ])
    assert.ok(Math.abs(k * (scoreOf(a) - scoreOf(b)) - (exact(a) - exact(b))) < 1e-9);
});

test('ranks: the upper half alone, the best most, equal ones alike', () => {
  const weights = rankWeights([5, 1, 9, 1, 3, 5]);
  assert.ok(weights[2] > weights[0] && weights[0] === weights[5] && weights[0] > 0);
  assert.ok(weights[1] === 0 && weights[3] === 0 && weights[4] < 1e-9 + weights[0]);
});

test('entropic weights have the mean 1, and do not depend on the scale of gains', () => {
  const weights = entropicWeights([1, 2, 6], 0.5);
  assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 3) < 1e-9 && weights[2] > 5 * weights[1]);
  const large = entropicWeights([1e6, 2e6, 6e6], 0.5);
  large.forEach((weight, i) => assert.ok(Math.abs(weight - weights[i]) < 1e-9));
  assert.deepEqual(entropicWeights([4, 4], 0.5), [1, 1]);
});

for (const objective of OBJECTIVES) {
  test(`${objective}: what changes nothing earns no more than what is worse a bit, and what fails less`, () => {
    const [best, worse, worst, copy, broken] = advantages([played(4), played(-1), played(-3), unchanged(0), failed], {
      objective,
    });
    assert.ok(
      best > copy && copy <= worse && copy <= worst + 1e-6 && broken < copy,
      [best, worse, worst, copy, broken].join(' '),
    );
    const lucky = advantages([played(4), played(-1), unchanged(9), failed], { objective });
    assert.ok(lucky[2] <= lucky[1], 'however well the start went');
  });

  test(`${objective}: a group in which nothing differs teaches nothing, and the environment's failures do not count`, () => {
    assert.deepEqual(advantages([played(2), played(2), played(2)], { objective }).map(Math.abs), [0, 0, 0]);
    assert.deepEqual(advantages([failed, failed], { objective }).map(Math.abs), [0, 0]);
    const lost = advantages([played(3), { status: 'lost', gain: null }, played(-3)], { objective });
    assert.equal(lost[1], 0);
    assert.ok(lost.every(Number.isFinite) && lost[0] > 0);
    assert.deepEqual(
      advantages(
        [
          { status: 'lost', gain: null },
          { status: 'lost', gain: null },
        ],
        { objective },
      ),
      [0, 0],
    );
  });
}

test('edits that are all worse than their parent are alike, unless aboveParent is off or they are no edits', () => {
  const children = [played(-1), played(-5), played(-9)];
  assert.deepEqual(advantages(children).map(Math.abs), [0, 0, 0]);
  for (const list of [
    advantages(children, { aboveParent: false }),
    advantages(children, {}, true),
    advantages(children, { objective: 'mean' }),
  ])
    assert.ok(list[0] > list[2]);
});

test('scales: of the group, of the batch, none', () => {
  const groups = [
    { fresh: false, children: [played(1), played(-1)] },
    { fresh: false, children: [played(10), played(-10)] },
  ];
  const by = (scaleRewards: ObjectiveSettings['scaleRewards']) => [
    ...searchAdvantages(groups, { ...settings, objective: 'mean', scaleRewards }),
  ];
  assert.ok(Math.abs(by('group')[0] - by('group')[2]) < 1e-3);
  assert.ok(Math.abs(by('batch')[2] / by('batch')[0] - 10) < 1e-3);
  assert.deepEqual(by('none'), [1, -1, 10, -10]);
});

test('with a penalty, an edit that changes nothing is worth less than one that tries in vain, and more than one that fails', () => {
  for (const objective of OBJECTIVES) {
    const [vain, same, good, broken] = advantages([played(-1), unchanged(0), played(2), failed], {
      objective,
      unchangedPenalty: 0.5,
    });
    assert.ok(broken < same && same < vain && vain < good, `${objective}: ${[broken, same, vain, good]}`);
  }
  const [vain, same] = advantages([played(-1), unchanged(0)], { unchangedPenalty: 0.5 });
  assert.ok(same < vain, 'also where nothing is better than the parent');
  assert.equal(new Set(advantages([played(-1), unchanged(0)])).size, 1, 'without a penalty they are equal');
});
