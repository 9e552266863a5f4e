import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { openenv, type AtariEnvironment, type VectorEnv, type VectorSource } from '../../kernel/environments';
import { openVectorEnvs } from '../../kernel/environments/vectorEnv';
import type { OpenEnvError } from '../../kernel/openenv';
import { rollout } from '../../kernel/rollout';
import { play } from '../../kernel/rollout/play';
import type { Policy } from '../../kernel/rollout/policies';
import type { Played } from '../../kernel/rollout/recording';
import { WorkStealing } from '../../kernel/rollout/stealing';
import { processAt } from './processAt';
import { always, followBall, random } from './strategies';

let env: AtariEnvironment;
let sources: VectorSource[];
before(async () => {
  env = await openenv('atari', { game: 'breakout', repeatActionProbability: 0.25 });
  sources = await env.vectorSources(3);
});
after(() => env.close());

/** Plays `steps.length` episodes of so many steps on the first source, with a look at every choice. `idle`: cells of the sources, where work is stolen. */
async function playOnFirst(
  steps: number[],
  idle?: Int32Array,
  look: (episode: number, step: number) => void = () => {},
  stolen: number[] = [],
): Promise<unknown[]> {
  const played: Played[] = [];
  const closed: VectorEnv[] = [];
  let [next, open] = [0, 0];
  const policy = (episode: number): Policy => {
    let step = 0;
    return {
      choose({ state }) {
        look(episode, step);
        return {
          outcome: { kind: 'number', value: (step++ * 7 + Math.trunc(state.ball_x)) % env.actions.length },
          seconds: 0,
        };
      },
      dispose() {},
    };
  };
  const stealing = idle && new WorkStealing(sources, 0, idle);
  await play(openVectorEnvs(sources[0]), env.spec, {
    concurrency: steps.length,
    waiting: () => next < steps.length,
    take: () =>
      next < steps.length ? { id: next, seed: next, maxSteps: steps[next++], seconds: 60, every: 10 } : undefined,
    policy: async ({ id }) => policy(id),
    done: (one) => void (played[one.id] = one),
    aborted: () => false,
    open: (change) => (open += change),
    waits() {},
    async steal(numEnvs) {
      const other = await stealing?.steal(numEnvs);
      if (other) stolen.push(numEnvs);
      return other;
    },
    closed(env) {
      closed.push(env);
      stealing?.closed(env);
    },
  });
  assert.equal(open, 0);
  assert.equal(closed.length, 1 + stolen.length, 'all were given back');
  return played.map(({ frames, ...rest }) => ({
    ...rest,
    frames: frames!.frames.map((frame) => createHash('sha256').update(frame).digest('hex')),
  }));
}

test('episodes move to servers that have none, again and again, and are played as if they had not', async () => {
  // Whichever group parts first, its other half ends while others play.
  const steps = [30, 60, 90, 120, 200, 200, 10, 10];
  const alone = await playOnFirst(steps);
  const idle = new Int32Array([0, 1, 1]);
  const stolen: number[] = [];
  assert.deepEqual(await playOnFirst(steps, idle, undefined, stolen), alone);
  assert.deepEqual(stolen.slice(0, 2), [4, 2], 'half of eight episodes, then half of four');
  assert.ok(stolen.length > 2, 'what is given back is taken again');
  assert.deepEqual([...idle], [1, 1, 1], 'all are given back');
});

test('a server that is gone takes no episodes; one that dies with episodes of another ends their worker', async () => {
  const steps = [80, 80, 80, 80];
  const alone = await playOnFirst(steps);
  const idle = new Int32Array([0, 1, 1]);
  process.kill(processAt(sources[2].server!), 'SIGKILL');
  assert.deepEqual(await playOnFirst(steps, idle), alone);
  assert.deepEqual([...idle], [1, 1, 0], 'it is not asked again');
  const dies = playOnFirst(steps, new Int32Array([0, 1, 0]), (episode, step) => {
    if (episode === 0 && step === 40) process.kill(processAt(sources[1].server!), 'SIGKILL');
  });
  await assert.rejects(dies, (error: OpenEnvError) => error.code === 'CONNECTION_LOST');
});

test('a rollout of short and long episodes is the same with any number of workers, also when a server dies', async () => {
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
