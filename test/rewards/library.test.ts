import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReferenceReturns } from '../../kernel/environments';
import {
  episodeReturn,
  functionWorks,
  legalActions,
  noCheating,
  normalizedReturn,
  quick,
  strategySucceeds,
  survives,
  winLoss,
} from '../../kernel/rewards';
import { Episode } from '../../kernel/episodes/episode';
import type { Sample } from '../../kernel/rewards/sample';
import type { CodeProblem } from '../../kernel/strategy';
import { topReturn, worstReturn } from '../../kernel/rewards/library';
import { boxing, breakout, episode, nothingExtracted, pong, sample } from './samples';

const problem = (kind: CodeProblem['kind']): CodeProblem => ({ kind, line: 1, column: 1, reason: 'x' });
const syntaxError = sample({ problems: [problem('syntax')], episode: null });
const cheats = sample({ problems: [problem('forbidden')], episode: null });
const ended = (reason: 'error' | 'timeout' | 'memory' | 'invalid_action' | 'truncated') =>
  sample({ episode: episode([1, 1, 1], { reason }) });
const returns = (value: number) => sample({ episode: episode([value]) });

test('functionWorks rewards the right format', () => {
  const scores = [
    sample(),
    nothingExtracted,
    syntaxError,
    ended('error'),
    ended('timeout'),
    ended('invalid_action'),
    ended('truncated'),
  ];
  assert.deepEqual(scores.map(functionWorks), [1, -2, -0.5, -0.5, -0.5, 1, 1]);
});

test('noCheating punishes what is forbidden', () => {
  assert.deepEqual([sample(), nothingExtracted, syntaxError, cheats].map(noCheating), [1, -1, 1, -20]);
});

test('legalActions applies to what was played', () => {
  assert.deepEqual([sample(), nothingExtracted, cheats, ended('invalid_action')].map(legalActions), [
    1,
    null,
    null,
    -1,
  ]);
});

test('winLoss: a near miss loses less', () => {
  const won = (s: Sample) => winLoss(s, { target: 20 });
  assert.deepEqual(
    [returns(25), returns(20), returns(15), returns(0), nothingExtracted, ended('error')].map(won),
    [1, 1, -0.25, -1, -1, -1],
  );
  const pong = (s: Sample) => winLoss(s, { target: 1, worst: -21, win: 10, loss: -5 });
  assert.deepEqual([returns(3), returns(-10), returns(-21), returns(-30)].map(pong), [10, -2.5, -5, -5]);
  assert.throws(() => winLoss(sample(), { target: -5 }), /worst \(0\) must be below target \(-5\)/);
});

test('winLoss without options: any positive return wins', () => {
  assert.deepEqual(
    [returns(1), returns(0.1), returns(0), returns(-3), nothingExtracted].map((s) => winLoss(s)),
    [1, 1, -1, -1, -1],
  );
});

test('strategySucceeds has the scale of the public notebook and pays what lies between', () => {
  const score = (s: Sample) => strategySucceeds(s, { target: 20 });
  const cases = [
    returns(30),
    returns(10),
    returns(0),
    ended('timeout'),
    ended('error'),
    ended('invalid_action'),
    nothingExtracted,
  ];
  assert.deepEqual(cases.map(score), [20, 11, 2, -1, -3, -3, 0]);
  assert.throws(() => strategySucceeds(sample()), /from which return on/);
});

test('an episode that its strategy broke off is not paid for what came before', () => {
  for (const reason of ['error', 'timeout', 'memory', 'invalid_action'] as const) {
    const broken = ended(reason);
    assert.equal(broken.episode!.failed, true);
    assert.deepEqual(
      [episodeReturn(broken), episodeReturn(broken, { failed: -22 }), survives(broken, { steps: 3 }), survives(broken)],
      [0, -22, 0, 0],
    );
  }
  const lost = sample({ episode: episode([-3], { reason: 'error' }) });
  assert.equal(episodeReturn(lost), -3);
  for (const reason of ['terminated', 'truncated', 'aborted', 'environment_error'] as const)
    assert.equal(episode([1], { reason }).failed, false);
});

test('quick pays for little time of the strategy', () => {
  const took = (strategySeconds: number | undefined, reason: 'truncated' | 'error' = 'truncated') =>
    sample({ episode: new Episode({ ...episode(Array(100).fill(1), { reason }), strategySeconds }) });
  const samples = [
    took(0),
    took(0.05),
    took(0.1),
    took(0.2),
    took(1),
    took(0.05, 'error'),
    took(undefined),
    nothingExtracted,
  ];
  assert.deepEqual(
    samples.map((s) => quick(s)),
    [1, 1, 1, 0.5, 0.1, 0, null, null],
  );
  assert.equal(quick(took(0.2), { millisecondsPerStep: 2 }), 1);
  assert.throws(() => quick(took(1), { millisecondsPerStep: 0 }), /millisecondsPerStep is a number above 0, not 0/);
});

test('building blocks', () => {
  assert.deepEqual(
    [
      episodeReturn(returns(5), { scale: 0.2 }),
      episodeReturn(nothingExtracted),
      episodeReturn(nothingExtracted, { failed: -3 }),
    ],
    [1, 0, -3],
  );
  assert.deepEqual(
    [survives(sample(), { steps: 6 }), survives(sample(), { steps: 2 }), survives(nothingExtracted)],
    [0.5, 1, null],
  );
});

const without = (reference: ReferenceReturns): ReferenceReturns => ({ ...reference, human: undefined });

test('the scale: a human, where one is better than what no skill gets; else clearly better than chance', () => {
  assert.deepEqual([breakout, pong, boxing].map(topReturn), [30.5, 14.6, 12.1]);
  assert.deepEqual([breakout, pong, boxing].map(worstReturn), [0, -21, -40]);
  assert.equal(topReturn(without(breakout)), 3.5, 'the best constant action');
  assert.equal(
    topReturn(without(pong)),
    -20 + 1.5,
    'a constant action is worse: as far as episodes of chance lie from each other',
  );
  assert.equal(
    topReturn({ ...pong, human: { mean: -22, source: 'x' } }),
    -20 + 1.5,
    'in short episodes chance may be better than a human in whole games',
  );
  assert.equal(
    topReturn({ maxSteps: 9, chance: { mean: 0, std: 0 }, constants: [] }),
    1,
    'where chance never gets anything',
  );
});

test('normalizedReturn: 0 at chance, 1 at a human, growing everywhere, above −1', () => {
  for (const reference of [breakout, pong, boxing, without(breakout), without(pong)]) {
    const score = (value: number) => normalizedReturn({ ...returns(value), reference });
    assert.equal(score(reference.chance.mean), 0);
    assert.ok(Math.abs(score(topReturn(reference)) - 1) < 1e-12);
    const scores = [-1e6, -100, -21, -20, 0, 1, 5, 30, 800, 1e6].map(score);
    scores.slice(1).forEach((value, i) => assert.ok(value > scores[i], `${value} after ${scores[i]}`));
    assert.ok(scores[0] > -1);
    assert.ok(score(-Number.MAX_VALUE) >= -1 && Number.isFinite(score(Number.MAX_VALUE)));
  }
  assert.deepEqual(
    [nothingExtracted, cheats, syntaxError, ended('error'), ended('invalid_action')].map((s) =>
      normalizedReturn({ ...s, reference: pong }),
    ),
    [-1, -1, -1, -1, -1],
  );
});

test('normalizedReturn without a reference: the scale is said, or asked for', () => {
  assert.equal(normalizedReturn(returns(10), { zero: 0, one: 20 }), 0.5);
  assert.equal(normalizedReturn({ ...returns(10), reference: breakout }, { one: 18.5 }), 8.5 / 17);
  assert.throws(
    () => normalizedReturn(returns(1)),
    /normalizedReturn: the sample has no reference.*normalizedReturn\(sample, \{ zero: 0, one: 30 \}\)/,
  );
  assert.throws(() => normalizedReturn({ ...returns(1), reference: null }), /could not be measured/);
  assert.throws(() => normalizedReturn(returns(1), { zero: 1, one: 1 }), /one \(1\) must be above zero \(1\)/);
  assert.equal(normalizedReturn(nothingExtracted), -1, 'what did not play needs no scale');
});

test('the other rewards of returns take the reference as their scale', () => {
  const inPong = (value: number) => ({ ...returns(value), reference: pong });
  assert.deepEqual(
    [14.6, -21, -30, -3.2].map((value) => winLoss(inPong(value))),
    [1, -1, -1, -0.5],
  );
  assert.deepEqual(
    [14.6, -21, -3.2].map((value) => strategySucceeds(inPong(value))),
    [20, 2, 11],
  );
  assert.equal(winLoss({ ...returns(5), reference: breakout }, { target: 10 }), -0.5, 'a target that is given stays');
  assert.deepEqual(
    [
      { ...nothingExtracted, reference: pong },
      { ...ended('error'), reference: pong },
    ].map((s) => episodeReturn(s, { scale: 0.5 })),
    [-10.5, -10.5],
  );
});

test('nothing that does not play scores above what plays and loses', () => {
  const library = {
    functionWorks,
    noCheating,
    legalActions,
    episodeReturn,
    survives,
    quick,
    normalizedReturn,
    winLoss,
    strategySucceeds,
    long: (s: Sample) => survives(s, { steps: 2 }),
  };
  const silent = [
    nothingExtracted,
    syntaxError,
    cheats,
    ended('error'),
    ended('timeout'),
    ended('memory'),
    ended('invalid_action'),
  ];
  for (const reference of [breakout, pong, boxing, without(breakout), without(pong)]) {
    for (const value of [worstReturn(reference), reference.chance.mean, 0, topReturn(reference), 1e4]) {
      const loses = {
        ...sample({ episode: new Episode({ ...episode([value / 2, value / 2]), strategySeconds: 1e-3 }) }),
        reference,
      };
      for (const [name, score] of Object.entries(library)) {
        for (const other of silent) {
          const [played, unplayed] = [score(loses), score({ ...other, reference })];
          assert.ok(
            (unplayed ?? 0) <= (played ?? 0),
            `${name}: ${unplayed} for ${other.code ? (other.episode?.end.reason ?? 'not allowed') : 'no function'}, ${played} for a return of ${value}`,
          );
        }
      }
    }
  }
});
