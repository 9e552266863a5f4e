import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { availableParallelism } from 'node:os';
import { after, before, test } from 'node:test';
import { openenv, type AtariEnvironment } from '../../kernel/environments';
import type { OpenEnvError } from '../../kernel/openenv';
import { Sleeper } from '../../kernel/openenv/vector';
import { rollout } from '../../kernel/rollout';
import { lanesOf } from '../../kernel/rollout/environments';
import { openLane, type LaneAddress } from '../../kernel/rollout/lane';
import { Loans } from '../../kernel/rollout/loans';
import type { Played, Player, Table } from '../../kernel/rollout/play';
import { processAt } from './processAt';
import { always, followBall, random } from './strategies';

let env: AtariEnvironment;
let lanes: LaneAddress[];
before(async () => {
  env = await openenv('atari', { game: 'breakout', repeatActionProbability: 0.25 });
  lanes = await lanesOf(env, 3);
});
after(() => env.close());

/** Plays `steps.length` games of so many steps on the first lane, with a look at every choice. */
async function playOnFirst(steps: number[], loans: Loans | undefined, look: (game: number, step: number) => void = () => {}): Promise<unknown[]> {
  const idle: number[] = [];
  const lane = await openLane(lanes[0], steps.length, { sleep: new Sleeper(60_000).cells, idle: () => idle.push(0) });
  const played: Played[] = [];
  let next = 0;
  const player = (game: number): Player => {
    let step = 0;
    return {
      choose(state) {
        look(game, step);
        return { outcome: { kind: 'number', value: (step++ * 7 + Math.trunc((state as { ball_x: number }).ball_x)) % env.actions.length }, seconds: 0 };
      },
      dispose() {},
    };
  };
  const table: Table = {
    slots: steps.length,
    waiting: () => next < steps.length,
    take: () => (next < steps.length ? { id: next, seed: next, maxSteps: steps[next++], seconds: 60, every: 10 } : undefined),
    seat: async ({ id }) => player(id),
    done: (one) => void (played[one.id] = one),
    aborted: () => false,
    sessions: () => 0,
    waits() {},
    borrow: loans && ((slots) => loans.borrow(slots)),
  };
  await lane.play(table);
  assert.deepEqual(idle, [0], 'the own server was given back');
  return played.map(({ frames, ...rest }) => ({ ...rest, frames: frames.map((frame) => createHash('sha256').update(frame).digest('hex')) }));
}

test('games move to servers that have none, again and again, and are played as if they had not', async () => {
  // Whichever group parts first, its other half ends while others play.
  const steps = [30, 60, 90, 120, 200, 200, 10, 10];
  const alone = await playOnFirst(steps, undefined);
  const idle = new Int32Array([0, 1, 1]);
  const loans = new Loans(lanes, idle, false, new Sleeper(60_000).cells);
  const borrowed: number[] = [];
  const borrow = loans.borrow.bind(loans);
  loans.borrow = async (slots) => {
    const engine = await borrow(slots);
    if (engine) borrowed.push(slots);
    return engine;
  };
  assert.deepEqual(await playOnFirst(steps, loans), alone);
  assert.deepEqual(borrowed.slice(0, 2), [4, 2], 'half of eight games, then half of four');
  assert.ok(borrowed.length > 2, 'what is given back is borrowed again');
  assert.deepEqual([...idle], [0, 1, 1], 'all are given back');
});

test('a server that is gone takes no games; one that dies with games of another lane ends that lane', async () => {
  const steps = [80, 80, 80, 80];
  const alone = await playOnFirst(steps, undefined);
  const idle = new Int32Array([0, 1, 1]);
  process.kill(processAt((lanes[2] as { url: string }).url), 'SIGKILL');
  assert.deepEqual(await playOnFirst(steps, new Loans(lanes, idle, false, new Sleeper(60_000).cells)), alone);
  assert.deepEqual([...idle], [0, 1, 0], 'it is not asked again');
  const dies = playOnFirst(steps, new Loans(lanes, new Int32Array([0, 1, 0]), false, new Sleeper(60_000).cells), (game, step) => {
    if (game === 0 && step === 40) process.kill(processAt((lanes[1] as { url: string }).url), 'SIGKILL');
  });
  await assert.rejects(dies, (error: OpenEnvError) => error.code === 'CONNECTION_LOST');
});

test('a rollout of short and long episodes is the same with any number of workers, also when a server dies', async () => {
  const codes = Array.from({ length: 12 }, (_, i) => (i % 4 === 0 ? followBall : i % 4 === 1 ? always('LEFT') : random));
  const play = async (workers?: number): Promise<unknown> => {
    const { episodes } = await rollout(env, codes, { seeds: codes.map((_, i) => i), maxSteps: 250, workers });
    return JSON.parse(JSON.stringify(episodes));
  };
  const one = await play(1);
  for (const workers of [2, 3, undefined]) assert.deepEqual(await play(workers), one);
  const running = play(2);
  const [lane] = await lanesOf(env, 2);
  setTimeout(() => process.kill(processAt((lane as { url: string }).url), 'SIGKILL'), 300);
  assert.deepEqual(await running, one);
});

test('as many lanes as cores: each has a core for its thread and its games; fewer may use any', { skip: !fs.existsSync('/proc/self/task') }, async () => {
  /** Threads of this process that are kept on one core. */
  const kept = (): string[] => fs.readdirSync('/proc/self/task').flatMap((thread) => {
    try {
      const [, cores] = /^Cpus_allowed_list:\s*(.*)$/m.exec(fs.readFileSync(`/proc/self/task/${thread}/status`, 'utf8'))!;
      return /[-,]/.test(cores) ? [] : [cores];
    } catch {
      return []; // The thread has ended.
    }
  });
  const cores = availableParallelism();
  if (cores === 1) return;
  const codes = Array.from({ length: cores }, () => random);
  const seeds = codes.map((_, i) => i);
  await rollout(env, codes, { seeds, maxSteps: 5 });
  const threads = kept();
  assert.equal(threads.length, cores);
  assert.equal(new Set(threads).size, cores, 'no two on the same');
  for (let i = 0; i < cores; i++) await rollout(env, codes, { seeds, maxSteps: 5, workers: 1 });
  assert.ok(kept().length < cores);
});
