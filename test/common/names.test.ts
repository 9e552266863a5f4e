import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviceOnName } from '../../kernel/common/names';

test('the name that was meant: misspelt, or a part of a longer one; else all are named', () => {
  const valid = ['maxSteps', 'seeds', 'saveSteps', 'learningRate'];
  const advice = (name: string) => adviceOnName(name, valid, 'settings');
  assert.equal(advice('maxstep'), 'Did you mean maxSteps?');
  assert.equal(advice('steps'), 'Did you mean maxSteps?');
  assert.equal(advice('seed'), 'Did you mean seeds?');
  assert.equal(advice('rate'), 'Did you mean learningRate?');
  assert.equal(advice('lerningrat'), 'Did you mean learningRate?');
  assert.equal(advice('zebra'), 'The settings are: maxSteps, seeds, saveSteps, learningRate.');
  assert.equal(adviceOnName('any', [], 'settings'), 'There are no settings.');
  assert.equal(adviceOnName('ab', ['xy'], 'settings'), 'The settings are: xy.');
});
