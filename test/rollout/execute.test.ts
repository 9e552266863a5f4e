import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openenv, type AtariEnvironment } from '../../kernel/environments';
import { Episode, executeWithTimeLimit, replay, rollout } from '../../kernel/rollout';
import { createLockedDownFunction } from '../../kernel/strategy';
import { Stopwatch } from '../../kernel/common/threads/processorTime';
import { atCall, followBall, random } from './strategies';

let env: AtariEnvironment;
before(async () => void (env = await openenv('atari', { game: 'breakout' })));
after(() => env.close());

test('a source, a locked-down function and a plain function play the same episode as a rollout', async () => {
  const options = { seed: 4, maxSteps: 120 };
  const source = await executeWithTimeLimit(followBall, env, options);
  assert.equal(source.steps, 120);
  const locked = await createLockedDownFunction(followBall);
  assert.deepEqual(await executeWithTimeLimit(locked, env, options), source);
  const plain = new Function(`${followBall}; return strategy;`)() as (state: object) => unknown;
  assert.deepEqual(await executeWithTimeLimit(plain, env, options), source);
  const { episodes } = await rollout(env, [followBall], { seeds: [4], maxSteps: 120 });
  assert.deepEqual(episodes[0], source);
  locked.dispose();
});

test('a locked-down function starts afresh for every episode', async () => {
  const locked = await createLockedDownFunction(
    `let n = 0; function strategy() { return n++ % 3; }\n${random.replace('strategy', 'other')}`,
  );
  const first = await executeWithTimeLimit(locked, env, { maxSteps: 20 });
  assert.deepEqual(first.actions.slice(0, 4), [0, 1, 2, 0]);
  assert.deepEqual(await executeWithTimeLimit(locked, env, { maxSteps: 20 }), first);
  locked.dispose();
});

test('the seed seeds Math.random, too', async () => {
  const play = (seed: number): Promise<Episode> => executeWithTimeLimit(random, env, { seed, maxSteps: 40 });
  const episode = await play(1);
  assert.deepEqual(await play(1), episode);
  assert.notDeepEqual((await play(2)).actions, episode.actions);
});

test('the game of the environment itself is not touched', async () => {
  await env.reset({ seed: 9 });
  const before = await env.state();
  await executeWithTimeLimit(random, env, { seed: 1, maxSteps: 20 });
  assert.deepEqual(await env.state(), before);
});

test('an episode tells the time that its strategy took, which makes no difference between equal games', async () => {
  const strategy = (turns: number) =>
    `function strategy() { let x = 0; for (let i = 0; i < ${turns}; i++) x += i; return x < 0 ? 'LEFT' : 'RIGHT'; }`;
  const [slow, fast] = [
    await executeWithTimeLimit(strategy(200_000), env, { maxSteps: 20 }),
    await executeWithTimeLimit(strategy(0), env, { maxSteps: 20 }),
  ];
  assert.ok(
    fast.strategySeconds! > 0 && slow.strategySeconds! > 5 * fast.strategySeconds!,
    `${slow.strategySeconds} s, ${fast.strategySeconds} s`,
  );
  assert.ok(slow.strategySeconds! < 2);
  assert.deepEqual(slow, fast);
  assert.equal(JSON.stringify(slow), JSON.stringify(fast));
  const { episodes } = await rollout(env, [strategy(200_000), strategy(0)], { seeds: [0, 0], maxSteps: 20 });
  assert.ok(episodes[0]!.strategySeconds! > 5 * episodes[1]!.strategySeconds!);
  await replay(slow, env);
});

test('a source that does wrong ends its episode', async () => {
  const ends: [string, string, number][] = [
    ['for (;;);', 'timeout', 6],
    ['[].indexOf.call({ length: 2 ** 53 }, 1);', 'timeout', 6],
    ['let a = []; for (;;) a.push(new Uint8Array(1e6));', 'memory', 6],
    ['throw new Error("x");', 'error', 6],
    ['return {};', 'invalid_action', 6],
    ['let o = "x"; for (let i = 0; i < 4000; i++) o = [o]; return o;', 'error', 6],
  ];
  for (const [text, reason, steps] of ends) {
    const episode = await executeWithTimeLimit(atCall(6, text), env, { maxSteps: 20 });
    assert.deepEqual([episode.end.reason, episode.steps, episode.failed], [reason, steps, true], text);
  }
  const broken = await executeWithTimeLimit('\nfunction strategy( {', env);
  assert.deepEqual([broken.end.reason, broken.end.line, broken.steps], ['error', 2, 0]);
});

test('a plain function that does wrong ends its episode', async () => {
  const end = async (strategy: (state: any) => unknown, options = {}): Promise<Episode['end']> =>
    (await executeWithTimeLimit(strategy, env, { maxSteps: 5, ...options })).end;
  const trap = {
    toString() {
      throw new Error('touched');
    },
    get x() {
      throw new Error('touched');
    },
  };
  assert.match((await end(() => trap)).message!, /returned an object/);
  assert.match((await end(() => Promise.resolve('LEFT'))).message!, /must not be async/);
  assert.match((await end(() => Symbol('x'))).message!, /returned a symbol/);
  assert.match(
    (
      await end(function* () {
        yield 0;
      })
    ).message!,
    /a generator: a strategy must not be a function\*/,
  );
  let deep: unknown = 0;
  for (let i = 0; i < 5000; i++) deep = [deep];
  assert.match((await end(() => deep)).message!, /nested more than 512 levels deep/);
  assert.equal((await end(() => deep)).reason, 'error');
  assert.deepEqual((await executeWithTimeLimit(() => -0, env, { maxSteps: 2 })).actions, [0, 0]);
  assert.deepEqual(await end((state) => state.ball.x), {
    reason: 'error',
    message: "TypeError: Cannot read properties of undefined (reading 'x')",
  });
  assert.equal(
    (
      await end(() => {
        throw null;
      })
    ).message,
    'null',
  );
  const busy = (milliseconds: number) => () => {
    const stopwatch = new Stopwatch();
    stopwatch.start();
    while (!stopwatch.exceeds(milliseconds));
    return 'LEFT';
  };
  assert.equal((await end(busy(200), { callTimeLimit: 0.05 })).reason, 'timeout');
  assert.match(
    (await end(busy(60), { strategyTimeLimit: 0.15, callTimeLimit: 1 })).message!,
    /0.15 s of the strategy's own time/,
  );
});

test('time in which a strategy does not compute is not counted', async () => {
  const waiting = () => (Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100), 'LEFT');
  const { steps, end } = await executeWithTimeLimit(waiting, env, {
    maxSteps: 5,
    callTimeLimit: 0.05,
    strategyTimeLimit: 0.2,
  });
  assert.deepEqual([steps, end], [5, { reason: 'truncated', message: '5 steps' }]);
});

test('is interrupted by its signal', async () => {
  const controller = new AbortController();
  let calls = 0;
  const abortsAtTenth = () => {
    if (++calls === 10) controller.abort();
    return 'NOOP';
  };
  const { end, steps } = await executeWithTimeLimit(abortsAtTenth, env, {
    maxSteps: 1_000_000,
    strategyTimeLimit: 100,
    signal: controller.signal,
    seed: 1,
  });
  assert.equal(end.reason, 'aborted');
  assert.ok(steps <= 10 && calls <= 11, `${steps} steps, ${calls} calls`);
  const before = await executeWithTimeLimit(random, env, { signal: AbortSignal.abort() });
  assert.deepEqual([before.steps, before.end.reason], [0, 'aborted']);
});

test('strategies and options are checked', async () => {
  await assert.rejects(
    executeWithTimeLimit(3 as never, env),
    /A strategy is a source text, a locked-down function or a function, not number/,
  );
  await assert.rejects(
    executeWithTimeLimit(random, env, { steps: 1 } as never),
    /executeWithTimeLimit has no option steps\. Did you mean maxSteps\?/,
  );
  await assert.rejects(executeWithTimeLimit(random, env, { seed: 1.5 }), /seed must be a whole number/);
  await assert.rejects(executeWithTimeLimit(random, undefined as never), /cannot be played/);
});

test('an episode survives JSON, and plays again in an environment of another game', async () => {
  const pong = env.withOptions({ ...env.options, game: 'pong' });
  const episode = await executeWithTimeLimit(random, pong, { maxSteps: 60 });
  const read = new Episode(JSON.parse(JSON.stringify(episode)));
  assert.deepEqual(JSON.stringify(read), JSON.stringify(episode));
  assert.deepEqual(await replay(read, env), await replay(episode, pong));
});

test('a replay that goes another way says where', async () => {
  const episode = await executeWithTimeLimit(followBall, env, { seed: 2, maxSteps: 200 });
  const scored = episode.rewards.findIndex((reward) => reward > 0);
  const changed = { ...episode, rewards: episode.rewards.map((reward, i) => (i === scored ? 7 : reward)) };
  await assert.rejects(replay(changed, env), new RegExp(`step ${scored + 1} gave a reward of 1, recorded is 7`));
  await assert.rejects(
    replay({ ...episode, lives: episode.lives.map(() => 9) }, env),
    /step 1 left 5 lives, recorded are 9/,
  );
  const elsewhere = { ...episode.states, ball_x: episode.states.ball_x.map((x, i) => (i === 3 ? x + 1 : x)) };
  await assert.rejects(
    replay({ ...episode, states: elsewhere }, env),
    new RegExp(`step 3 led to ball_x = ${episode.states.ball_x[3]}, recorded is ${elsewhere.ball_x[3]}`),
  );
  const late = { ...episode.states, paddle_x: episode.states.paddle_x.map(() => 1) };
  await assert.rejects(
    replay({ ...episode, states: late }, env),
    /the reset with seed 2 led to paddle_x = \d+, recorded is 1/,
  );
  await assert.rejects(replay({ ...episode, end: { reason: 'terminated' } }, env), /step 200 did not end the episode/);
  await assert.rejects(replay({ ...episode, environment: 'chess' }, env), /played in 'chess'/);
  await assert.rejects(replay(episode, env, { every: 0 }), /every must be/);
});
