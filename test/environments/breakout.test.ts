import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { atariReader } from '../../kernel/environments';
import { atariProcesses } from '../../kernel/environments/atari/servers';
import { AtariClient } from '../../kernel/environments/atari/stream';
import { boxOf, hasSize, isMiddle } from './screen';

type State = Record<string, number>;

const options = { game: 'breakout' };
const { actions, readState, stateVariables } = atariReader(options);
const [NOOP, RIGHT, LEFT] = ['NOOP', 'RIGHT', 'LEFT'].map((name) => actions.indexOf(name));

let client: AtariClient;

before(async () => {
  const [atariProcess] = await atariProcesses(1);
  client = await AtariClient.connect(atariProcess.url, { numEnvs: 20, options });
});

after(() => client.close());

/** Plays seeds 100, 101, … at most 1,000 steps each; gives their scores. */
async function scores(choose: (state: State, step: number, seed: number) => number): Promise<number[]> {
  const total = new Array<number>(client.numEnvs).fill(0);
  let indices = total.map((_, index) => index);
  let { ram } = await client.reset(
    indices,
    indices.map((index) => 100 + index),
  );
  for (let step = 0; step < 1000 && indices.length > 0; step++) {
    const result = await client.step(
      indices,
      ram.map((bytes, i) => choose(readState(bytes), step, indices[i])),
    );
    indices.forEach((index, i) => (total[index] += result.rewards[i]));
    ram = result.ram.filter((_, i) => !result.terminated[i]);
    indices = indices.filter((_, i) => !result.terminated[i]);
  }
  return total;
}

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

test('ball and paddle are where the screen shows them', async () => {
  let balls = 0;
  let paddles = 0;
  const wrong: string[] = [];
  const indices = [0, 1, 2];
  let { ram, frames } = await client.reset(indices, [1, 2, 3], { frames: true });
  for (let step = 0; step < 300; step++) {
    indices.forEach((_, i) => {
      const { ball_x, ball_y, paddle_x } = readState(ram[i]);
      const paddle = boxOf(frames[i]!, [8, 152, 189, 193], (colour) => colour !== 0);
      const ball = boxOf(frames[i]!, [8, 152, 93, 189], (colour) => colour !== 0); // between the bricks and the paddle
      if (hasSize(paddle, 16, 4)) {
        paddles++;
        if (!isMiddle(paddle, paddle_x, 191)) wrong.push(`paddle ${paddle}: ${paddle_x}`);
      }
      if (hasSize(ball, 2, 4)) {
        balls++;
        if (!isMiddle(ball, ball_x, ball_y)) wrong.push(`ball ${ball}: ${ball_x}, ${ball_y}`);
      }
    });
    const next = await client.step(
      indices,
      ram.map((bytes) => follow(readState(bytes))),
    );
    const over = indices.filter((_, i) => next.terminated[i]);
    assert.deepEqual(over, [], 'a follower lives for 300 steps');
    ({ ram, frames } = next);
  }
  assert.ok(balls > 400 && paddles > 600, `${balls} balls and ${paddles} paddles were seen`);
  assert.ok(
    wrong.length < balls / 50,
    `${wrong.length} of ${balls + paddles} are elsewhere: ${wrong.slice(0, 5).join('; ')}`,
  );
});

test('named state stays inside its range, and says when no ball is in play', async () => {
  const { ram } = await client.reset([0], [1]);
  assert.deepEqual({ ...readState(ram[0]), paddle_x: 0 }, { ball_x: 80, ball_y: 0, paddle_x: 0 });
  await scores((state, step, seed) => {
    for (const { name, minimum, maximum } of stateVariables)
      assert.ok(state[name] >= minimum && state[name] <= maximum, `${name} = ${state[name]}`);
    return (step + seed) % 40 < 20 ? LEFT : RIGHT;
  });
});

function follow({ ball_x, paddle_x }: State): number {
  return paddle_x > ball_x ? LEFT : RIGHT;
}

test('following the ball beats every constant action by far', async (t) => {
  const constants = {
    NOOP: mean(await scores(() => NOOP)),
    RIGHT: mean(await scores(() => RIGHT)),
    LEFT: mean(await scores(() => LEFT)),
  };
  const random = mean(await scores((_, step, seed) => ((step * 2654435761 + seed * 40503) >>> 7) % 3));
  const followed = mean(await scores(follow));
  t.diagnostic(
    `mean score of 20 seeds, 1,000 steps at most: ${JSON.stringify({ ...constants, random, follow: followed })}`,
  );
  const best = Math.max(...Object.values(constants));
  assert.ok(best < 8, `the best constant action scores ${best}`);
  assert.ok(random < 4, `random play scores ${random}`);
  assert.ok(followed > 15 && followed > 3 * best, `following the ball scores ${followed}`);
});
