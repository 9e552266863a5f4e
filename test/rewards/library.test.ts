import assert from 'node:assert/strict';
import { test } from 'node:test';
import { episodeReturn, functionWorks, legalActions, noCheating, quick, strategySucceeds, survives, winLoss } from '../../kernel/rewards';
import { Episode } from '../../kernel/rollout/episode';
import type { Sample } from '../../kernel/rewards/sample';
import type { CodeProblem } from '../../kernel/strategy';
import { episode, nothingExtracted, sample } from './samples';

const problem = (kind: CodeProblem['kind']): CodeProblem => ({ kind, line: 1, column: 1, reason: 'x' });
const syntaxError = sample({ problems: [problem('syntax')], episode: null });
const cheats = sample({ problems: [problem('forbidden')], episode: null });
const ended = (reason: 'error' | 'timeout' | 'memory' | 'invalid_action' | 'truncated') => sample({ episode: episode([1, 1, 1], { reason }) });
const returns = (value: number) => sample({ episode: episode([value]) });

test('functionWorks rewards the right format', () => {
  const scores = [sample(), nothingExtracted, syntaxError, ended('error'), ended('timeout'), ended('invalid_action'), ended('truncated')];
  assert.deepEqual(scores.map(functionWorks), [1, -2, -0.5, -0.5, -0.5, 1, 1]);
});

test('noCheating punishes what is forbidden', () => {
  assert.deepEqual([sample(), nothingExtracted, syntaxError, cheats].map(noCheating), [1, -1, 1, -20]);
});

test('legalActions applies to what was played', () => {
  assert.deepEqual([sample(), nothingExtracted, cheats, ended('invalid_action')].map(legalActions), [1, null, null, -1]);
});

test('winLoss: a near miss loses less', () => {
  const won = (s: Sample) => winLoss(s, { target: 20 });
  assert.deepEqual([returns(25), returns(20), returns(15), returns(0), nothingExtracted, ended('error')].map(won), [1, 1, -0.25, -1, -1, -1]);
  const pong = (s: Sample) => winLoss(s, { target: 1, worst: -21, win: 10, loss: -5 });
  assert.deepEqual([returns(3), returns(-10), returns(-21), returns(-30)].map(pong), [10, -2.5, -5, -5]);
  assert.throws(() => winLoss(sample(), { target: -5 }), /worst \(0\) must be below target \(-5\)/);
});

test('winLoss without options: any positive return wins', () => {
  assert.deepEqual([returns(1), returns(0.1), returns(0), returns(-3), nothingExtracted].map((s) => winLoss(s)), [1, 1, -1, -1, -1]);
});

test('strategySucceeds has the scale of the public notebook and pays what lies between', () => {
  const score = (s: Sample) => strategySucceeds(s, { target: 20 });
  const cases = [returns(30), returns(10), returns(0), ended('timeout'), ended('error'), ended('invalid_action'), nothingExtracted];
  assert.deepEqual(cases.map(score), [20, 11, 2, -1, -3, -3, 0]);
  assert.throws(() => strategySucceeds(sample(), {} as { target: number }), /from which return on/);
});

test('an episode that its strategy broke off is not paid for what came before', () => {
  for (const reason of ['error', 'timeout', 'memory', 'invalid_action'] as const) {
    const broken = ended(reason);
    assert.equal(broken.episode!.failed, true);
    assert.deepEqual([episodeReturn(broken), episodeReturn(broken, { failed: -22 }), survives(broken, { steps: 3 }), survives(broken)], [0, -22, 0, 0]);
  }
  const lost = sample({ episode: episode([-3], { reason: 'error' }) });
  assert.equal(episodeReturn(lost), -3);
  for (const reason of ['terminated', 'truncated', 'aborted', 'environment_error'] as const) assert.equal(episode([1], { reason }).failed, false);
});

test('quick pays for little time of the strategy', () => {
  const took = (strategySeconds: number | undefined, reason: 'truncated' | 'error' = 'truncated') => sample({ episode: new Episode({ ...episode(Array(100).fill(1), { reason }), strategySeconds }) });
  const samples = [took(0), took(0.05), took(0.1), took(0.2), took(1), took(0.05, 'error'), took(undefined), nothingExtracted];
  assert.deepEqual(samples.map((s) => quick(s)), [1, 1, 1, 0.5, 0.1, 0, null, null]);
  assert.equal(quick(took(0.2), { millisecondsPerStep: 2 }), 1);
  assert.throws(() => quick(took(1), { millisecondsPerStep: 0 }), /millisecondsPerStep is a number above 0, not 0/);
});

test('building blocks', () => {
  assert.deepEqual([episodeReturn(returns(5), { scale: 0.2 }), episodeReturn(nothingExtracted)], [1, null]);
  assert.deepEqual([survives(sample(), { steps: 6 }), survives(sample(), { steps: 2 }), survives(nothingExtracted)], [0.5, 1, null]);
});
