import assert from 'node:assert/strict';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { atariReader, openenv, type AtariEnvironment } from '../../kernel/environments';
import { acquireServer } from '../../kernel/environments/atari/servers';
import type { OpenEnvError } from '../../kernel/openenv';
import { AtariClient } from '../../kernel/environments/atari/stream';
import { rollout } from '../../kernel/rollout';
import { packageRoot } from '../../kernel/common/packagePaths';
import { openenvCommand, python } from './python';
import { playStream, playSession } from './trajectories';

let env: AtariEnvironment;
let url: string;
let addresses: string[];

before(async () => {
  env = await openenv('atari', { game: 'breakout' });
  const lease = await acquireServer(env.options as any); // the running one
  url = lease.server.url;
  await lease.release();
  addresses = (await env.vectorSources(2)).map(({ server }) => server!);
});

after(() => env.close());

test('an episode over OpenEnv: reset, steps by name and by ID, state', async () => {
  const start = await env.reset({ seed: 1, episode_id: 'first' });
  assert.equal(start.reward, null);
  assert.equal(start.done, false);
  assert.equal(start.observation.lives, 5);
  assert.equal(start.observation.ram.length, 128);
  assert.deepEqual(Object.keys(start.observation.state), ['ball_x', 'ball_y', 'paddle_x']);
  await env.step('RIGHT');
  const { observation, reward } = await env.step({ action_id: env.actions.indexOf('LEFT') });
  assert.equal(typeof reward, 'number');
  assert.equal(observation.frameNumber - start.observation.frameNumber, 8);
  const state = await env.state();
  assert.equal(state.episode_id, 'first');
  assert.equal(state.step_count, 2);
  assert.equal(state.seed, 1);
  assert.deepEqual(state.action_meanings, env.actions);
});

test('the same seed is the same episode: over OpenEnv, over the stream of Atari, in two processes, to the official client', async () => {
  const seeds = [0, 7, 123456789];
  const [one, two] = await Promise.all(addresses.map((address) => playStream(address, env.options, seeds, 250)));
  assert.deepEqual(one, two);
  for (const [i, seed] of seeds.entries()) assert.deepEqual(await playSession(env, seed, 250), one[i]);
  assert.equal(new Set(one.map(({ memory }) => memory)).size, seeds.length, 'different seeds differ');

  const official = await python('play_official.py', url, 7, 250);
  assert.deepEqual({ rewards: official.rewards, memory: official.memory }, one[1]);
  assert.deepEqual(official.meanings, env.actions);
  assert.deepEqual(official.state, {
    episode_id: 'official',
    seed: 7,
    step_count: official.rewards.length,
    score: one[1].rewards.reduce((a, b) => a + b),
  });
  assert.equal(official.refused.length, 2);
  for (const message of official.refused) assert.match(message, /VALIDATION_ERROR/);
});

test('the same games as ALE itself plays them', async () => {
  for (const game of ['breakout', 'pong', 'space_invaders', 'seaquest', 'boxing']) {
    const plain = { game, autoFire: false, repeatActionProbability: 0, noopMax: 0 };
    const [ours] = await playStream(addresses[0], plain, [5], 500);
    const ale = await python('play_ale.py', game, 500);
    assert.deepEqual(atariReader(plain).actions, ale.actions);
    assert.equal(ours.memory, ale.memory, game);
    assert.equal(
      ours.rewards.reduce((a, b) => a + b),
      ale.score,
    );
  }
});

test('a seed decides sticky actions and idle starts, and nothing else', async () => {
  const distinct = async (options: object): Promise<number> => {
    const episodes = await playStream(addresses[0], { game: 'pong', ...options }, [1, 2, 3], 60);
    return new Set(episodes.map(({ memory }) => memory)).size;
  };
  assert.equal(await distinct({ repeatActionProbability: 0, noopMax: 0 }), 1);
  assert.equal(await distinct({ repeatActionProbability: 0.25, noopMax: 0 }), 3);
  assert.equal(await distinct({ repeatActionProbability: 0, noopMax: 30 }), 3);
});

test('an episode is truncated at maxFrames', async () => {
  const client = await AtariClient.connect(addresses[0], {
    numEnvs: 1,
    options: { game: 'pong', maxFrames: 100, noopMax: 0 },
  });
  await client.reset([0], [0]);
  let steps = 0;
  for (let done = 0; !done; steps++) {
    const { terminated, truncated } = await client.step([0], [0]);
    assert.equal(terminated[0], 0);
    done = truncated[0];
  }
  assert.equal(steps, 25);
  await assert.rejects(client.step([0], [0]), /over: reset it first/);
  await client.close();
});

test('terminalOnLifeLoss: an episode ends with the first lost life, the same as far as it goes, and the next begins anew', async () => {
  const lifeOf = async (
    game: string,
    terminalOnLifeLoss: boolean,
  ): Promise<{ seen: string[]; lives: number[]; steps: number }> => {
    const client = await AtariClient.connect(addresses[0], { numEnvs: 1, options: { game, terminalOnLifeLoss } });
    const seen: string[] = [];
    const lives: number[] = [];
    for (let round = 0; round < 2; round++) {
      let { ram } = await client.reset([0], [3]);
      for (let over = 0; !over; ) {
        if (round === 0) seen.push(Buffer.from(ram[0]).toString('hex'));
        else
          assert.equal(
            seen[lives.length % seen.length],
            Buffer.from(ram[0]).toString('hex'),
            `${game}: the seed's episode again`,
          );
        const answer = await client.step([0], [0]);
        ram = answer.ram;
        over = answer.terminated[0];
        lives.push(answer.lives[0]);
      }
    }
    await client.close();
    return { seen, lives, steps: seen.length };
  };
  for (const game of ['breakout', 'space_invaders']) {
    const [whole, life] = [await lifeOf(game, false), await lifeOf(game, true)];
    assert.ok(life.steps < whole.steps, `${game}: ${life.steps} of ${whole.steps} steps`);
    assert.deepEqual(life.seen, whole.seen.slice(0, life.steps));
    const first = whole.lives.findIndex((lives, i) => i > 0 && lives < whole.lives[i - 1]);
    assert.equal(life.steps, first + 1, `${game}: it ends where the first life is lost`);
  }
  const env = await openenv('atari', { game: 'breakout', terminalOnLifeLoss: true });
  let result = await env.reset({ seed: 3 });
  while (!result.done) result = await env.step('NOOP');
  assert.deepEqual([result.observation.terminated, result.observation.lives], [true, 4]);
  await assert.rejects(env.step('NOOP'), /over. Call reset/);
  const {
    episodes: [episode],
  } = await rollout(env, ['function strategy() { return "NOOP"; }'], { seeds: [3] });
  assert.deepEqual(
    [episode!.end.reason, episode!.lives.at(-1), episode!.options.terminalOnLifeLoss],
    ['terminated', 4, true],
  );
  await env.close();
});

test('autoFire: a life begins without the player, also after a lost one; without it nothing moves', async () => {
  const played = async (autoFire: boolean): Promise<number> => {
    const client = await AtariClient.connect(addresses[0], {
      numEnvs: 1,
      options: { game: 'breakout', autoFire, noopMax: 0 },
    });
    const reader = atariReader({ game: 'breakout', autoFire });
    await client.reset([0], [1]);
    const inPlay = new Set<number>();
    for (let step = 0; step < 300; step++) {
      const { ram, lives, terminated } = await client.step([0], [reader.actions.indexOf('NOOP')]);
      if (reader.readState(ram[0]).ball_y > 0) inPlay.add(lives[0]);
      if (terminated[0]) break;
    }
    await client.close();
    return inPlay.size;
  };
  assert.equal(await played(true), 5, 'the ball of each of five lives is served');
  assert.equal(await played(false), 0);
});

test('frames only where they were asked for, and as often', async () => {
  const client = await AtariClient.connect(addresses[0], { numEnvs: 3, options: env.options });
  await client.reset([0], [4]);
  const first = await client.reset([1, 2], [4, 5], { frames: 2 });
  assert.deepEqual(
    first.frames.map((frame) => frame?.length),
    [33600, 33600],
  );
  assert.deepEqual((await client.step([0, 1, 2], [1, 1, 1])).frames, [null, null, null]);
  const { frames, ram } = await client.step([0, 1, 2], [1, 1, 1]);
  assert.deepEqual(
    frames.map((frame) => frame?.length ?? 0),
    [0, 33600, 33600],
  );
  assert.deepEqual(ram[0], ram[1], 'the same seed with and without frames');

  await env.reset({ seed: 4 });
  await env.step({ action_id: 1 });
  await env.step({ action_id: 1 });
  assert.deepEqual(await env.render().pixels(), frames[1], 'the picture of a session is the frame of the stream');
  await client.close();
});

test('a request that cannot be played says why, and the others play on', async () => {
  const client = await AtariClient.connect(addresses[0], { numEnvs: 2, options: env.options });
  await client.reset([0], [0]);
  await assert.rejects(client.step([1], [0]), /Slot 1 has no episode yet/);
  await assert.rejects(client.step([0, 5], [0, 0]), /There is no slot 5: the slots are 0 to 1/);
  await assert.rejects(client.step([0, 0], [0, 0]), /twice/);
  await assert.rejects(client.step([0], [3]), /There is no action 3: the actions are 0 NOOP, 1 RIGHT, 2 LEFT/);
  await assert.rejects(client.reset([0], [-1]), /seed must be a whole number/);
  await assert.rejects(client.reset([0], [0, 1]), /1 slots need as many values/);
  assert.equal((await client.step([0], [0])).ram.length, 1);
  await client.close();
  await assert.rejects(
    AtariClient.connect(addresses[0], { numEnvs: 1, options: { game: 'pong', frameskip: 2 } }),
    /no option 'frameskip'/,
  );
  await assert.rejects(
    AtariClient.connect(addresses[0], { numEnvs: 1, options: { game: 'pong', mode: 9 } }),
    /no mode 9. Valid are: 0, 1/,
  );
  await assert.rejects(
    AtariClient.connect(addresses[0], { numEnvs: 0, options: { game: 'pong' } }),
    /num_envs must be/,
  );
});

test('wrong calls: what is valid is said, and the session lives on', async () => {
  await env.reset({ seed: 1 });
  await assert.rejects(
    async () => env.step('FIRE'),
    /no action 'FIRE'. The actions are: NOOP, RIGHT, LEFT. FIRE is pressed by the environment itself/,
  );
  await assert.rejects(async () => env.step({ action_id: 3 }), /The actions are: NOOP, RIGHT, LEFT/);
  await assert.rejects(
    env.reset({ sead: 1 }),
    (error: OpenEnvError) =>
      error.code === 'VALIDATION_ERROR' && /no argument 'sead'; it takes: seed, episode_id/.test(error.message),
  );
  await assert.rejects(env.reset({ seed: -1 }), /seed: .*greater than or equal to 0/);
  await assert.rejects(env.reset({ seed: 1.5 }), /seed: .*valid integer/);
  await env.step('LEFT');
  assert.equal((await env.state()).step_count, 1);
});

test('obsType screen: every observation has the picture', async () => {
  const seen = await openenv('atari', { game: 'breakout', obsType: 'screen', frameSkip: 2 });
  await seen.reset({ seed: 3 });
  const { observation } = await seen.step('RIGHT');
  assert.deepEqual(observation.screen, await seen.render().pixels());
  assert.equal((await env.reset({ seed: 3 })).observation.screen, undefined);
  const [file] = Buffer.from(await seen.render().png())
    .toString('latin1')
    .split('\r');
  assert.equal(file, '\x89PNG');
  await seen.close();
});

test('sessions of one server do not disturb each other', async () => {
  const others = await Promise.all(Array.from({ length: 4 }, () => openenv('atari', { game: 'breakout' })));
  const alone = await playSession(env, 9, 60);
  const together = await Promise.all([env, ...others].map((other) => playSession(other, 9, 60)));
  for (const trajectory of together) assert.deepEqual(trajectory, alone);
  await Promise.all(others.map((other) => other.close()));
  await env.reset({ seed: 0 });
});

test('openenv validate passes, on the running server and on the package', async () => {
  const running = await openenvCommand('validate', '--url', url);
  assert.equal(running.code, 0, running.output);
  const packaged = await openenvCommand(
    'validate',
    path.join(packageRoot, 'kernel', 'environments', 'atari'),
    '--level',
    'static',
    '--skip-build',
  );
  assert.equal(packaged.code, 0, packaged.output);
});

test('health, metadata and schema tell what the environment is', async () => {
  assert.equal((await env.metadata()).description, 'The Atari game breakout. Actions: NOOP, RIGHT, LEFT.');
  const { action, observation } = await env.schema();
  assert.deepEqual(action.properties.action_id.action_meanings, env.actions);
  assert.equal(action.properties.action_id.exclusiveMaximum, 3);
  assert.ok('ram' in observation.properties);
  const refused = await fetch(`${url}/reset`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"sead":1}',
  });
  assert.equal(refused.status, 422);
  assert.match(await refused.text(), /no argument 'sead'/);
});
