import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { openenv, type Game2048Environment } from '../../../kernel/environments';
import { executeWithTimeLimit, rollout, type Episode } from '../../../kernel/rollout';
import { hostile, neighbours, type Hostile } from './hostile';

let env: Game2048Environment;
before(async () => void (env = await openenv('game2048')));
after(() => env.close());

/** Neighbours, each another text from another start. */
const beside = Array.from({ length: 30 }, (_, i) => ({
  code: `${neighbours[i % neighbours.length]}\n// ${i}`,
  seed: 100 + i,
}));

/** Plays strategies with neighbours spread among them. */
async function playBeside(
  strategies: Hostile[],
  limits: { callTimeLimit?: number; strategyTimeLimit?: number },
): Promise<{ episodes: Episode[]; neighbours: Episode[] }> {
  const apart = Math.ceil(strategies.length / beside.length);
  const all = strategies.map(({ code }) => ({ code, seed: 7 }));
  beside.forEach((one, i) => all.splice(i * (apart + 1), 0, one));
  const { episodes } = await rollout(
    env,
    all.map(({ code }) => code),
    { seeds: all.map(({ seed }) => seed), maxSteps: 6, workers: 2, ...limits },
  );
  const isNeighbour = all.map((one) => beside.includes(one));
  return {
    episodes: episodes.filter((_, i) => !isNeighbour[i]) as Episode[],
    neighbours: episodes.filter((_, i) => isNeighbour[i]) as Episode[],
  };
}

/** Steps that are played before the attack. */
function stepsBefore({ group, reason }: Hostile): number {
  if (reason === 'played') return 6;
  return group === 'whole sources' ? 0 : 2;
}

// With time enough, memory is what ends those that want it, and an answer is what it is told for.
const groups: [string, (one: Hostile) => boolean, { callTimeLimit?: number; strategyTimeLimit?: number }][] = [
  [
    'memory',
    ({ group, reason }) => group === 'memory' || reason === 'memory',
    { callTimeLimit: 20, strategyTimeLimit: 20 },
  ],
  [
    'answers',
    ({ group, reason }) => group === 'answers' && reason !== 'memory',
    { callTimeLimit: 5, strategyTimeLimit: 5 },
  ],
  [
    'time, stack, reach, prototypes, reasons, sources and seeds',
    ({ group, reason }) => group !== 'memory' && group !== 'answers' && reason !== 'memory',
    { callTimeLimit: 0.05 },
  ],
];

for (const [title, belongs, limits] of groups) {
  test(`hostile strategies end alone, for the right reason, and their neighbours play as if alone: ${title}`, async () => {
    const strategies = hostile.filter(belongs);
    const alone = await rollout(
      env,
      beside.map(({ code }) => code),
      { seeds: beside.map(({ seed }) => seed), maxSteps: 6 },
    );
    const { episodes, neighbours } = await playBeside(strategies, limits);
    const ends = strategies.map(
      (one, i) =>
        `${one.group}: ${episodes[i].end.reason.replace('truncated', 'played')} after ${episodes[i].steps}: ${one.code}`,
    );
    assert.deepEqual(
      ends,
      strategies.map((one) => `${one.group}: ${one.reason} after ${stepsBefore(one)}: ${one.code}`),
    );
    for (const { end } of episodes)
      assert.ok(
        end.message !== undefined && end.message.length < 70_000 && !/aborted|Maximum call stack/.test(end.message),
      );
    assert.deepEqual(neighbours, alone.episodes);
    assert.ok(neighbours.every(({ end }) => end.reason === 'truncated'));
  });
}

test('there are more than two hundred of them, each another, and nothing is left behind', () => {
  assert.ok(
    hostile.length >= 200 && new Set(hostile.map(({ code }) => code)).size === hostile.length,
    String(hostile.length),
  );
  assert.ok(!existsSync('/tmp/escaped'));
  assert.equal(([] as { polluted?: number }).polluted, undefined);
});

test('played alone they end as in a rollout', async () => {
  for (const one of hostile.filter((_, i) => i % 12 === 0)) {
    const { end, steps } = await executeWithTimeLimit(one.code, env, {
      seed: 7,
      maxSteps: 6,
      ...(one.reason === 'memory' && { callTimeLimit: 20, strategyTimeLimit: 20 }),
    });
    assert.deepEqual([end.reason.replace('truncated', 'played'), steps], [one.reason, stepsBefore(one)], one.code);
  }
});
