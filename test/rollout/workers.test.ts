import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openenv } from '../../kernel/environments';
import { rollout } from '../../kernel/rollout';
import { processAt } from './processAt';
import { always, followBall, random } from './strategies';

test('a rollout of short and long episodes is the same with any number of workers, also when a server dies', async (t) => {
  const env = await openenv('atari', { game: 'breakout', repeatActionProbability: 0.25 });
  t.after(() => env.close());
  const codes = Array.from({ length: 12 }, (_, i) =>
    i % 4 === 0 ? followBall : i % 4 === 1 ? always('LEFT') : random,
  );
  const play = async (workers?: number): Promise<unknown> => {
    const { episodes } = await rollout(env, codes, { seeds: codes.map((_, i) => i), maxSteps: 250, workers });
    return JSON.parse(JSON.stringify(episodes));
  };
  const one = await play(1);
  for (const workers of [2, 3, undefined]) assert.deepEqual(await play(workers), one);
  const running = play(2);
  const [{ server }] = await env.vectorSources(2);
  setTimeout(() => process.kill(processAt(server!), 'SIGKILL'), 300);
  assert.deepEqual(await running, one);
});
