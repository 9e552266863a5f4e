import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openenv, type AtariEnvironment } from '../../kernel/environments';
import { replay, rollout, type Episode } from '../../kernel/rollout';
import { processAt } from './processAt';
import { always, atCall, followBall, random } from './strategies';

let env: AtariEnvironment;
before(async () => void (env = await openenv('atari', { game: 'breakout' })));
after(() => env.close());

/** Plays codes from seeds 0, 1, 2…, as plain records. */
async function records(
  codes: (string | null)[],
  options: { workers?: number; maxSteps?: number } = {},
): Promise<unknown> {
  const { episodes } = await rollout(env, codes, { seeds: codes.map((_, i) => i), maxSteps: 60, ...options });
  return JSON.parse(JSON.stringify(episodes));
}

async function one(code: string, maxSteps = 40): Promise<Episode> {
  const { episodes } = await rollout(env, [code], { seeds: [3], maxSteps });
  return episodes[0]!;
}

test('an episode is the record of a play', async () => {
  const episode = await one(followBall, 300);
  assert.equal(episode.environment, 'atari');
  assert.equal(episode.options.game, 'breakout');
  assert.deepEqual(episode.actionNames, env.actions);
  assert.equal(episode.seed, 3);
  assert.equal(episode.steps, 300);
  assert.deepEqual(episode.end, { reason: 'truncated', message: '300 steps' });
  assert.ok(episode.return > 0, 'follows the ball');
  for (const column of [episode.rewards, episode.lives]) assert.equal(column.length, 300);
  assert.deepEqual(
    Object.keys(episode.states),
    env.stateVariables.map(({ name }) => name),
  );
  for (const column of Object.values(episode.states)) assert.equal(column.length, 301);
  const direct = await env.reset({ seed: 3 });
  assert.deepEqual(episode.stateAt(0), direct.observation.state, 'starts as the environment does');
  const next = await env.step(episode.actionNames[episode.actions[0]]);
  assert.deepEqual(episode.stateAt(1), next.observation.state);
});

test('the strategy sees the state of each step', async () => {
  const sees = await one(
    `function strategy(state) { if (state.ball_y > 100) throw new Error(JSON.stringify(state)); return "NOOP"; }`,
    200,
  );
  assert.equal(sees.end.reason, 'error');
  assert.equal(sees.end.message, `Error: ${JSON.stringify(sees.stateAt(sees.steps))}`);
});

test('the number of workers changes nothing, nor does what else is played', async () => {
  const codes = [
    followBall,
    random,
    always('LEFT'),
    null,
    atCall(7, 'for (;;);'),
    followBall,
    atCall(20, 'throw new Error("x");'),
    random,
    'nonsense(',
  ];
  const two = await records(codes, { workers: 2 });
  assert.deepEqual(await records(codes, { workers: 1 }), two);
  assert.deepEqual(await records(codes), two);
  const { episodes } = await rollout(env, [codes[5]], { seeds: [5], maxSteps: 60 });
  assert.deepEqual(JSON.parse(JSON.stringify(episodes[0])), (two as unknown[])[5]);
  assert.equal((two as unknown[])[3], null);
});

test('equal codes with equal seeds get equal episodes of their own', async () => {
  const { episodes } = await rollout(env, [random, random, random], { seeds: [1, 1, 2], maxSteps: 50 });
  const [a, b, c] = episodes as Episode[];
  assert.deepEqual(a, b);
  assert.notDeepEqual(a.actions, c.actions);
  a.rewards[0] = 99;
  assert.notEqual(b.rewards[0], 99);
});

test('what a strategy does wrong ends its episode, with the reason', async () => {
  const wrong: [string, string, RegExp, number?][] = [
    [
      'return "JUMP";',
      'invalid_action',
      /^the strategy returned "JUMP"\. Valid: "NOOP", "RIGHT", "LEFT", or an index from 0 to 2\.$/,
    ],
    ['return null;', 'invalid_action', /returned null/],
    ['return;', 'invalid_action', /returned nothing/],
    ['return NaN;', 'invalid_action', /returned NaN/],
    ['return 3;', 'invalid_action', /returned 3/],
    ['return 0.5;', 'invalid_action', /returned 0.5/],
    ['return -1;', 'invalid_action', /returned -1/],
    ['return true;', 'invalid_action', /returned true/],
    ['return "LEFT\\0";', 'invalid_action', /returned "LEFT\\u0000"/],
    ['return ["LEFT"];', 'invalid_action', /returned \["LEFT"\]/],
    ['return { toString() { return "LEFT"; } };', 'invalid_action', /returned \{\}/],
    ['return strategy;', 'invalid_action', /returned a function/],
    ['return "x".repeat(1e6);', 'invalid_action', /^.{0,250}$/],
    ['throw new TypeError("no");', 'error', /^TypeError: no$/, 4],
    ['state.ball.x;', 'error', /cannot read property 'x' of undefined/, 4],
    ['for (;;);', 'timeout', /one call took more than 0.1 s/],
    ['return /^(a+)+$/.test("a".repeat(40) + "b");', 'timeout', /one call/],
    ['return { get x() { for (;;); } };', 'timeout', /one call/],
    ['return new Uint8Array(1e9);', 'memory', /more than 16 MiB/],
    ['const f = () => f() + 1; f();', 'error', /stack overflow/, 4],
    ['return require("fs");', 'error', /'require' is not defined/, 4],
    ['let o = "x"; for (let i = 0; i < 4000; i++) o = [o]; return o;', 'error', /nested more than 512 levels deep/],
    ['const o = {}; o.o = o; return o;', 'error', /or contains itself/],
    ['return (async () => 0)();', 'invalid_action', /a promise: a strategy must not be async, it answers at once/],
    ['return [NaN];', 'invalid_action', /returned an object with NaN in it/],
    ['return new Number(3);', 'invalid_action', /returned 3\. Valid/],
    [
      'Error.prototype.toJSON = Object.prototype.toJSON = () => ({ message: "x" }); for (;;);',
      'timeout',
      /^one call took more than 0\.1 s \(callTimeLimit\)$/,
    ],
    ['Object.defineProperty(Array.prototype, 0, { set() { throw 1; } }); for (;;);', 'timeout', /callTimeLimit/],
    ['throw { name: "InternalError", message: "out of memory" };', 'error', /^InternalError: out of memory$/],
    ['try { new Uint8Array(1e9); } catch { throw new Error("mine"); }', 'memory', /more than 16 MiB/],
  ];
  const { episodes } = await rollout(
    env,
    wrong.map(([text]) => atCall(5, text)),
    { seeds: wrong.map(() => 0), maxSteps: 20 },
  );
  wrong.forEach(([text, reason, message, line], i) => {
    const { steps, end } = episodes[i]!;
    assert.equal(steps, 5, text);
    assert.equal(end.reason, reason, `${text}: ${end.message}`);
    assert.match(end.message!, message, text);
    if (line !== undefined) assert.equal(end.line, line, text);
  });
});

test('objects of numbers and texts are what they hold', async () => {
  const codes = [
    'return 1;',
    'return new Number(1);',
    'return new String("RIGHT");',
    'return { toJSON: () => 1 };',
  ].map((text) => `function strategy() { ${text} }`);
  const { episodes } = await rollout(env, codes, { seeds: codes.map(() => 0), maxSteps: 5 });
  for (const episode of episodes) assert.deepEqual(episode, episodes[0]);
});

test('random numbers follow from the seed and the secret', async () => {
  const play = async (secret?: string): Promise<number[]> =>
    (await rollout(env, [random], { seeds: [3], maxSteps: 30, secret })).episodes[0]!.actions;
  const own = await play();
  assert.deepEqual(await play(), own);
  const other = await play('x'.repeat(32));
  assert.notDeepEqual(other, own);
  assert.deepEqual(await play('x'.repeat(32)), other);
});

test('indices are actions, too', async () => {
  const [byName, byIndex] = (
    await rollout(env, [always('RIGHT'), 'function strategy() { return 1; }'], { seeds: [0, 0], maxSteps: 30 })
  ).episodes;
  assert.deepEqual(byName, byIndex);
});

test('code that does not start plays no step', async () => {
  for (const [code, message] of [
    ['nonsense(', /SyntaxError/],
    [`let x: any = ${'a+'.repeat(49_000)}a;\nfunction strategy() { return 0; }`, /too long to parse|nested too deeply/],
    ['function other() {}', /no function named "strategy"/],
    ['throw 1; function strategy() {}', /1/],
  ] as const) {
    const episode = await one(code);
    assert.deepEqual([episode.steps, episode.end.reason], [0, 'error'], code);
    assert.match(episode.end.message!, message);
    assert.equal(Object.values(episode.states)[0].length, 1, 'the state at the start');
  }
});

test('a thread that a strategy hangs is replaced, and its other games go on as if nothing had been', async () => {
  const hang = '[].indexOf.call({ length: 2 ** 53 }, 1);';
  const codes = [followBall, atCall(10, hang), random, `${hang}\nfunction strategy() {}`, always('RIGHT'), random];
  const seeds = codes.map((_, i) => i);
  const { episodes } = await rollout(env, codes, { seeds, maxSteps: 60, workers: 2 });
  const quiet = codes.map((code, i) => (i === 1 || i === 3 ? null : code));
  const undisturbed = await rollout(env, quiet, { seeds, maxSteps: 60, workers: 2 });
  for (const i of [0, 2, 4, 5]) assert.deepEqual(episodes[i], undisturbed.episodes[i]);
  assert.deepEqual([episodes[1]!.steps, episodes[1]!.end.reason], [10, 'timeout']);
  assert.deepEqual([episodes[3]!.steps, episodes[3]!.end.reason], [0, 'timeout']);
});

test("the time of a whole episode is limited: the strategy's, not the environment's", async () => {
  const slow = 'function strategy() { for (let i = 0; i < 1e6; i++); return "LEFT"; }';
  const { episodes } = await rollout(env, [slow, always('LEFT')], {
    seeds: [0, 0],
    maxSteps: 1000,
    strategyTimeLimit: 1,
    callTimeLimit: 1,
  });
  assert.equal(episodes[0]!.end.reason, 'timeout');
  assert.ok(episodes[0]!.steps > 0);
  assert.ok(['terminated', 'truncated'].includes(episodes[1]!.end.reason));
});

test('an abort ends all at once, and the next rollout plays', async () => {
  for (const code of [followBall, atCall(3, '[].indexOf.call({ length: 2 ** 53 }, 1);')]) {
    const controller = new AbortController();
    const codes = Array.from({ length: 8 }, (_, i) => `${code}\n// ${i}`);
    const running = rollout(env, codes, { seeds: codes.map(() => 1), maxSteps: 100_000, signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const start = performance.now();
    controller.abort();
    const { episodes } = await running;
    const took = performance.now() - start;
    // 0.2 s on a quiet machine; left alone, the first takes minutes.
    assert.ok(took < 5000, `${took.toFixed(0)} ms`);
    assert.ok(episodes.every((episode) => episode!.end.reason === 'aborted'));
  }
  assert.equal((await one(always('LEFT'), 10)).steps, 10);
  const before = await rollout(env, [random], { seeds: [0], signal: AbortSignal.abort() });
  assert.deepEqual([before.episodes[0]!.steps, before.episodes[0]!.end.reason], [0, 'aborted']);
});

test('rollouts asked for at once are played one after another', async () => {
  const both = await Promise.all([records([random, followBall]), records([always('LEFT'), random])]);
  assert.deepEqual(both, [await records([random, followBall]), await records([always('LEFT'), random])]);
});

test('frames that were captured are those that a replay makes', async () => {
  const codes = [random, followBall, random];
  for (const every of [1, 4]) {
    const { episodes, frames } = await rollout(env, codes, {
      seeds: [5, 6, 5],
      maxSteps: 45,
      frames: { episodes: [1, 2], every },
    });
    assert.deepEqual([...frames.keys()], [1, 2]);
    for (const [i, captured] of frames) {
      const again = await replay(episodes[i]!, env, { every });
      assert.equal(captured.frames.length, 1 + Math.floor(45 / every));
      assert.deepEqual(captured, again);
      assert.equal(captured.frames[0].length, captured.width * captured.height);
      assert.notDeepEqual(captured.frames[0], captured.frames.at(-1));
    }
  }
});

test('a server that dies is replaced, and the rollout goes on', async () => {
  const expected = await records([random, followBall]);
  for (const { server } of await env.vectorSources()) process.kill(processAt(server!), 'SIGKILL');
  assert.deepEqual(await records([random, followBall]), expected);
});

test('options are checked', async () => {
  const wrong: [object, RegExp][] = [
    [{ seeds: [] }, /one seed for each of the 1 codes/],
    [{}, /one seed for each/],
    [{ seeds: [-1] }, /whole number of at least 0/],
    [{ seeds: [0], steps: 3 }, /rollout has no option steps\. Did you mean maxSteps\?/],
    [{ seeds: [0], seconds: 2 }, /rollout has no option seconds: it is now strategyTimeLimit\./],
    [{ seeds: [0], callSeconds: 2 }, /no option callSeconds: it is now callTimeLimit\./],
    [{ seeds: [0], maxSteps: 0 }, /maxSteps must be/],
    [{ seeds: [0], strategyTimeLimit: -1 }, /strategyTimeLimit must be/],
    [{ seeds: [0], workers: 0 }, /workers must be/],
    [{ seeds: [0], secret: 'short' }, /secret must be a text of at least 32 characters/],
    [{ seeds: [0], frames: { episodes: [1], every: 1 } }, /there is no episode 1; there are 1/],
    [{ seeds: [0], frames: { episodes: [0], every: 0 } }, /frames.every must be/],
  ];
  for (const [options, message] of wrong) await assert.rejects(rollout(env, [random], options as never), message);
  await assert.rejects(rollout(env, [3 as never], { seeds: [0] }), /codes\[0\] must be/);
  await assert.rejects(
    rollout({ environment: 'http://x' } as never, [], { seeds: [] }),
    /cannot be played by strategies/,
  );
  assert.deepEqual(await rollout(env, [], { seeds: [] }), { episodes: [], frames: new Map() });
  assert.deepEqual(await rollout(env, [null], { seeds: [0] }), { episodes: [null], frames: new Map() });
});
