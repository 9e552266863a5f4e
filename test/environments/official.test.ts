import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openenv, strategyPrompt, type OfficialAtariEnvironment } from '../../kernel/environments';
import type { ServerProcess } from '../../kernel/openenv';
import { AtariClient } from '../../kernel/environments/atari/stream';
import { atariProcesses } from '../../kernel/environments/atari/servers';
import { atariReader } from '../../kernel/environments';
import { executeWithTimeLimit, replay, rollout } from '../../kernel/rollout';
import { officialAtari } from './official';

/** Our own server with what OpenEnv's does: no automatic FIRE, no idle start, no sticky actions. */
const PLAIN = { game: 'breakout', autoFire: false, repeatActionProbability: 0, noopMax: 0 };
const CODE = `let n = 0;
function strategy(state) {
  if (state.ram.length !== 128 || state.paddle_x === undefined) throw new Error(JSON.stringify(state));
  return state.ball_y === 0 || n++ % 16 === 0 ? "FIRE" : state.ball_x > state.paddle_x ? "RIGHT" : "LEFT";
}`;

let server: ServerProcess;
let env: OfficialAtariEnvironment;

before(async () => {
  server = await officialAtari({ ATARI_GAME: 'breakout', ATARI_OBS_TYPE: 'ram' });
  env = (await openenv(server.url)) as unknown as OfficialAtariEnvironment;
});

after(async () => {
  await env.close();
  await server.close();
});

test("OpenEnv's own Atari server is an Atari environment: name, actions, prompt, card, named state", async () => {
  assert.deepEqual([env.environment, env.name, env.actions], ['atari', 'breakout', ['NOOP', 'FIRE', 'RIGHT', 'LEFT']]);
  const { actions, stateVariables } = atariReader(PLAIN);
  assert.equal(strategyPrompt(env), strategyPrompt({ name: 'breakout', actions, stateVariables }));
  const text = String((await env.card())['text/plain']);
  assert.match(text, /breakout \(atari\): OpenEnv's own Atari server\. It has no seeds/);
  assert.match(text, /state.ball_x/);
  await assert.rejects(async () => env.step('UP'), /no action 'UP'. The actions are: NOOP, FIRE, RIGHT, LEFT/);
});

test('the same steps as on our server: memory, named state, rewards, lives', async () => {
  const [atariProcess] = await atariProcesses(1);
  const ours = await AtariClient.connect(atariProcess.url, { numEnvs: 1, options: PLAIN });
  const { readState } = atariReader(PLAIN);
  let expected = await ours.reset([0], [1]);
  let result = await env.reset();
  for (let step = 0; step < 300 && !result.done; step++) {
    assert.deepEqual(result.observation.ram, expected.ram[0], `step ${step}`);
    assert.deepEqual(result.observation.state, readState(expected.ram[0]));
    const action = step % 20 === 0 ? 1 : (step >> 3) % env.actions.length;
    [result, expected] = [await env.step({ action_id: action }), await ours.step([0], [action])];
    assert.deepEqual(
      [result.reward, result.observation.lives, result.done],
      [expected.rewards[0], expected.lives[0], expected.terminated[0] === 1],
    );
  }
  await ours.close();
});

test('it has no picture to render: the state is told in words', async () => {
  const { observation } = await env.reset();
  const shown = (env.render() as Record<symbol, () => Record<string, string>>)[Symbol.for('Jupyter.display')]();
  assert.match(
    shown['text/plain'],
    new RegExp(`^No picture: .* paddle_x ${(observation.state as Record<string, number>).paddle_x}\\b`),
  );
});

test('strategies play it, one session at a time, as on our server; the record replays', async () => {
  const options = { maxSteps: 120 };
  const { episodes } = await rollout(env, [CODE, 'function strategy() { return "UP"; }', CODE], {
    ...options,
    seeds: [1, 2, 3],
  });
  assert.deepEqual(
    episodes.map((episode) => episode!.end.reason),
    ['truncated', 'invalid_action', 'truncated'],
  );
  const local = await openenv('atari', PLAIN as { game: 'breakout' });
  const expected = await executeWithTimeLimit(CODE, local, { ...options, seed: 1 });
  await local.close();
  const [episode] = episodes;
  assert.equal(episode!.environment, 'atari');
  assert.deepEqual(
    [episode!.actions, episode!.rewards, episode!.lives, episode!.states],
    [expected.actions, expected.rewards, expected.lives, expected.states],
  );
  assert.deepEqual(episode!.actionNames, expected.actionNames);
  assert.deepEqual((await executeWithTimeLimit(CODE, env, options)).actions, expected.actions);
  await replay(episode!, env);
  assert.equal((await env.reset()).done, false, 'the session that was lent is opened again');
});

test('a server that sends pictures stays an environment like any other, and says what to do', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const pictures = await officialAtari({ ATARI_GAME: 'pong', ATARI_OBS_TYPE: 'grayscale' });
  const other = await openenv(pictures.url);
  assert.match(
    String(warn.mock.calls[0].arguments[0]),
    /sends pictures \(ATARI_OBS_TYPE=grayscale\).*start it with ATARI_OBS_TYPE=ram/,
  );
  assert.equal((await other.reset()).observation.screen.length, 160 * 210);
  await other.close();
  await pictures.close();
});
