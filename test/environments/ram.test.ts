import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATARI_PALETTE, openenv, strategyPrompt } from '../../kernel/environments';
import { executeWithTimeLimit, replay, rollout } from '../../kernel/rollout';

test('strategies get the memory of every game as state.ram, the same in every way to play', async () => {
  const env = await openenv('atari', { game: 'tetris' });
  assert.match(
    strategyPrompt(env),
    /plays tetris\.\nThe state:\nstate\.ram, 128 numbers from 0 to 255: .*\nIt returns/,
  );
  const code = `let before = null;
function strategy(state) {
  if (!Array.isArray(state.ram) || state.ram.length !== 128) throw new Error('no memory');
  if (before && state.ram === before) throw new Error('the same array again');
  before = state.ram;
  return state.ram.reduce((sum, byte) => sum + byte, 0) % ${env.actions.length};
}`;
  const options = { maxSteps: 200 };
  const {
    episodes: [played],
  } = await rollout(env, [code], { ...options, seeds: [3] });
  const alone = await executeWithTimeLimit(code, env, { ...options, seed: 3 });
  const strategy = (state: { ram: number[] }): number =>
    state.ram.reduce((sum, byte) => sum + byte, 0) % env.actions.length;
  const here = await executeWithTimeLimit(strategy, env, { ...options, seed: 3 });
  assert.equal(played!.end.reason, 'truncated', played!.end.message);
  assert.ok(new Set(played!.actions).size > 1);
  assert.deepEqual(alone.actions, played!.actions);
  assert.deepEqual(here.actions, played!.actions);
  await env.close();
});

test('the memory does not show in prompts of games with named state, and is given there, too', async () => {
  const env = await openenv('atari', { game: 'freeway' });
  assert.doesNotMatch(strategyPrompt(env), /ram/);
  assert.match(strategyPrompt(env), /state\.car10_x from 0 to 159/);
  const code =
    'function strategy(state) { if (state.player_y !== 197 - state.ram[14]) throw new Error("differs"); return "UP"; }';
  const {
    episodes: [played],
  } = await rollout(env, [code], { seeds: [1], maxSteps: 100 });
  assert.equal(played!.steps, 100, played!.end.message);
  await env.close();
});

test('frames of a game for PAL televisions have their colours', async () => {
  const env = await openenv('atari', { game: 'mr_do' });
  const {
    episodes: [played],
    frames,
  } = await rollout(env, ['function strategy() { return 0; }'], {
    seeds: [1],
    maxSteps: 4,
    frames: { episodes: [0], every: 2 },
  });
  assert.deepEqual(frames.get(0)!.palette, env.palette);
  assert.deepEqual((await replay(played!, env)).palette, env.palette);
  assert.notDeepEqual(env.palette, ATARI_PALETTE);
  await env.close();
});
