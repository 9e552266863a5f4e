import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { openenv, OpenEnvError, rollout, serve } from '../../kernel';
import { SessionEnvs, type Session } from '../../kernel/environments/remote/sessions';
import { play } from '../../kernel/rollout/play';
import type { Played } from '../../kernel/rollout/recording';
import { eventually } from '../eventually';
import { Network } from '../openenv/faultyServer';
import { Slow, steady } from './slowEnvironment';

/** A rollout of eight episodes through a network that is cut in its midst, once `cut` says so. */
async function playThroughCut(t: TestContext, capacity: number, workers: number): Promise<void> {
  const [said, warned] = [t.mock.method(console, 'log', () => {}), t.mock.method(console, 'warn', () => {})];
  const server = await serve(Slow, { capacity });
  const network = new Network(Number(new URL(server.url).port));
  await network.open();
  const env = await openenv(network.url);
  const [steps, ended] = [Slow.steps, Slow.ended];
  const running = rollout(env, steady(8), { seeds: steady(8).map((_, i) => i), maxSteps: 100, workers });
  await eventually(() => Slow.steps > steps + 70, 'the rollout is under way');
  network.cut();
  await eventually(() => server.sessions === 0, 'the server has lost all sessions');
  network.mend();
  const { episodes } = await running;
  assert.deepEqual(
    episodes.map((episode) => `${episode!.end.reason} ${episode!.return}`),
    Array(8).fill('terminated 60'),
  );
  assert.ok(Slow.ended - ended >= 8, 'each of them was played to its end');
  assert.equal(warned.mock.callCount(), 0);
  assert.ok(said.mock.callCount() <= 1);
  await env.close();
  await network.close();
  await server.close();
}

test('a short cut of the network, on a server that is full: every episode is played', (t) => playThroughCut(t, 1, 2));

test('a cut takes many sessions of one worker: that counts as one loss, and the server is asked again', (t) =>
  playThroughCut(t, 8, 1));

test('a server that only ever said that it is full, then was out of reach, was there: it is asked again', async () => {
  const turn = (count: number) => Promise.resolve({ observation: { count }, reward: count, done: count > 0 });
  const session: Session = {
    reset: () => turn(0),
    step: () => turn(1),
    state: async () => ({ step_count: 0 }),
    close: async () => {},
  };
  const answers = [
    new OpenEnvError('CAPACITY_REACHED', 'full'),
    new OpenEnvError('CONNECTION_FAILED', 'cut'),
    new OpenEnvError('CAPACITY_REACHED', 'full'),
    session,
  ];
  const open = async (): Promise<Session> => {
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const jobs = [{ id: 0, seed: 0, maxSteps: 9, seconds: 1, every: 0 }];
  const played: Played[] = [];
  let sessions = 0;
  const spec = {
    environment: 'slow',
    options: {},
    actions: [],
    actionSchema: Slow.schema.action,
    stateVariables: [],
    observations: true,
  };
  await play(new SessionEnvs([{ name: 'a', open }]), spec, {
    concurrency: 1,
    aborted: () => false,
    waiting: () => jobs.length > 0,
    take: () => jobs.shift(),
    policy: async () => ({ choose: () => ({ outcome: { kind: 'number', value: 1 }, seconds: 0 }), dispose() {} }),
    done: (one) => played.push(one),
    open: (change) => (sessions += change),
    waits() {},
  });
  assert.deepEqual(
    played.map(({ record }) => [record.end, record.rewards]),
    [[{ reason: 'terminated' }, [1]]],
  );
});
