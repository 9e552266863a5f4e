import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnoseCertainty, diagnosePlay } from '../../kernel/rewards/diagnosis';
import type { Sample } from '../../kernel/rewards/sample';
import { Episode } from '../../kernel/episodes/episode';
import { breakout, episode, nothingExtracted, sample } from './samples';

const plays = (...actions: number[]) =>
  sample({ episode: new Episode({ ...episode(actions.map(() => 1)), actions }), reference: breakout });
const diagnose = (samples: Sample[], sums: number[], size = samples.length, capped = true) =>
  diagnosePlay({ names: ['r'], weights: [1], values: [sums] }, samples, size, capped);

test('a group whose best reward did not play is told; one whose worst did not is not', () => {
  const samples = [plays(0, 1), nothingExtracted, plays(1, 0)];
  assert.deepEqual(
    diagnose(samples, [-20, -3, -21]).map(({ kind }) => kind),
    ['unplayed'],
  );
  assert.match(
    diagnose(samples, [-20, -3, -21])[0].text,
    /completions that did not play: -3 \(1 without a function\), and -20 at most to the 2 that did/,
  );
  assert.deepEqual(diagnose(samples, [1, -3, -21]), []);
  assert.deepEqual(diagnose([...samples, ...samples], [1, -3, -21, -20, -3, -21], 3).length, 1, 'any group');
  const broken = sample({ episode: null, environmentError: 'the server is gone' });
  assert.deepEqual(diagnose([broken, plays(0, 1)], [5, 1]), [], 'what the environment could not play says nothing');
});

test('a group of constant programs is told with what the best constant action gets', () => {
  const [{ kind, text }, ...others] = diagnose([plays(1, 1), plays(0, 0, 0), nothingExtracted], [2, 3, -2]);
  assert.deepEqual([kind, others], ['constant', []]);
  assert.match(
    text,
    /^all 2 programs of a group that played are constant: always LEFT 1, NOOP 1 \(always LEFT gets 3\.5\)/,
  );
  assert.deepEqual(diagnose([plays(1, 1), plays(0, 0, 1)], [2, 3]), []);
  assert.deepEqual(diagnose([plays(1, 1), nothingExtracted], [2, -2]), [], 'one says nothing of a group');
});

test('certainty at no more than the best constant action, or chance where none is known', () => {
  const certain = { entropy: 0.3, firstEntropy: 0.9, meanReturn: 3, reference: breakout };
  assert.match(
    diagnoseCertainty(certain)[0].text,
    /entropy 0\.30, 0\.90 at the start\) of programs that get 3, no more than always LEFT \(3\.5\)/,
  );
  assert.match(
    diagnoseCertainty({ ...certain, meanReturn: 1, reference: { ...breakout, constants: [] } })[0].text,
    /no more than chance \(1\.5\)/,
  );
  for (const changes of [
    { entropy: 0.5 },
    { meanReturn: 4 },
    { reference: null },
    { entropy: undefined },
    { firstEntropy: undefined },
  ])
    assert.deepEqual(diagnoseCertainty({ ...certain, ...changes }), []);
});
