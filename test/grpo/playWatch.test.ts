import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayWatch } from '../../kernel/grpo/playWatch';
import type { Sample } from '../../kernel/rewards/sample';
import { Episode } from '../../kernel/episodes/episode';
import { breakout, episode, nothingExtracted, sample } from '../rewards/samples';

const plays = (actions: number[], reward = 1) =>
  sample({ episode: new Episode({ ...episode(actions.map(() => reward)), actions }), reference: breakout });
const made = (samples: Sample[]) => [
  {
    table: { names: ['r'], weights: [1], values: [samples.map(({ episode }) => (episode ? -5 : 0))] },
    samples,
  },
];

test('each problem is told when it comes, and again after ten steps without it', () => {
  const watch = new PlayWatch();
  const look = (step: number, ...samples: Sample[]) => {
    return watch
      .look(step, made(samples), { numGenerations: samples.length, capUnplayed: true }, {})
      .map((text) => text.slice(0, 5));
  };
  const silent = [plays([0, 1]), nothingExtracted];
  const constant = [plays([0, 0]), plays([1, 1])];
  const fine = [plays([0, 1]), plays([1, 0])];
  assert.deepEqual(
    [look(1, ...silent), look(2, ...silent), look(3, ...constant), look(4, ...silent)],
    [['the b'], [], ['all 2'], []],
  );
  assert.deepEqual(
    [look(5, ...fine), look(14, ...constant), look(15, ...silent), look(16, ...silent)],
    [[], ['all 2'], ['the b'], []],
  );
});

test('certainty is judged by the returns of five steps', () => {
  const watch = new PlayWatch();
  const look = (step: number, reward: number, entropy = 0.1) =>
    watch.look(
      step,
      made([plays([0, 1], reward), plays([1, 0], reward)]),
      { numGenerations: 2, capUnplayed: true },
      { entropy, firstEntropy: 1 },
    ).length;
  assert.deepEqual(
    [look(1, 0, 0.9), look(2, 10), look(3, 1), look(4, 0)],
    [0, 0, 0, 0],
    'one good start is enough for a while',
  );
  assert.deepEqual([look(5, 0), look(6, 0), look(7, 0)], [0, 0, 1]);
});
