import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalEnvironment } from '../../kernel/environments';
import { openVectorEnvs, type ClassSource } from '../../kernel/environments/classEnv';
import type { VectorEnv } from '../../kernel/environments/vectorEnv';
import { replay, rollout } from '../../kernel/rollout';
import { Line } from './line';

/** Opens a line as a built-in environment. */
const open = (options?: { length: number }) =>
  LocalEnvironment.open(Line, {
    environment: 'line',
    actions: ['BACK', 'ON'],
    module: require.resolve('./line'),
    options,
  });

const ON = 'function strategy(state) { return "ON"; }';

test("a built-in class gets its options with every reset, and the card shows them with that episode's picture", async () => {
  const env = await open({ length: 5 });
  assert.deepEqual((await env.reset({ seed: 1 })).observation, { x: 0, length: 5 });
  const card = (await env.card()) as Record<string, string>;
  assert.match(card['text/html'], /length: 5/);
  assert.match(card['text/html'], /width="50"/);
});

test('options hold in rollouts; an episode keeps its own in a replay by another environment', async () => {
  const { episodes } = await rollout(await open({ length: 5 }), [ON], { seeds: [1] });
  assert.deepEqual([episodes[0]!.options, episodes[0]!.steps], [{ length: 5 }, 5]);
  await replay(episodes[0]!, await open({ length: 2 }));
});

test('without options the class has its defaults', async () => {
  assert.deepEqual((await (await open()).reset()).observation, { x: 0, length: 3 });
});

export class Counted extends Line {
  static closed = 0;

  override close(): void {
    Counted.closed++;
  }
}

test('objects of a class are closed once: when their episodes have ended, and not again with what opened them', async () => {
  const envs = openVectorEnvs({ classModule: __filename, className: 'Counted', spec: {} } as unknown as ClassSource);
  const env = (await envs.open(2)) as VectorEnv;
  await env.close();
  await envs.close();
  assert.equal(Counted.closed, 2);
});
