import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openenv, rollout, serve } from '../../kernel';
import { eventually } from '../eventually';
import { Network } from '../openenv/faultyServer';
import { Slow, steady } from './slowEnvironment';

for (const capacity of [1, 4]) {
  test(`the network is cut for 10 s, with ${capacity} session(s): every episode is played, none counts that did not happen, one line tells`, async (t) => {
    const [said, warned] = [t.mock.method(console, 'log', () => {}), t.mock.method(console, 'warn', () => {})];
    const server = await serve(Slow, { capacity });
    const network = new Network(Number(new URL(server.url).port));
    await network.open();
    const env = await openenv(network.url);
    [Slow.begun, Slow.ended, Slow.steps] = [0, 0, 0];
    const running = rollout(env, steady(8), { seeds: steady(8).map((_, i) => i), maxSteps: 100 });
    await eventually(() => Slow.steps > 100, 'the rollout is under way');
    network.cut();
    await sleep(10_000);
    network.mend();
    const { episodes } = await running;
    assert.deepEqual(
      episodes.map((episode) => `${episode!.end.reason} ${episode!.return}`),
      Array(8).fill('terminated 60'),
    );
    // A game may have come to its end while its last answer was on the way; it was then played once more.
    assert.ok(Slow.ended >= 8 && Slow.ended <= Slow.begun, `${Slow.ended} of ${Slow.begun} came to their end`);
    assert.deepEqual(
      said.mock.calls.map(({ arguments: [line] }) => line),
      ['Slow does not answer: the rollout waits for it.'],
    );
    assert.equal(warned.mock.callCount(), 0);
    await env.close();
    await network.close();
    await server.close();
  });
}
