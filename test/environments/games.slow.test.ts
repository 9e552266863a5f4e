import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ATARI_GAMES, atariPalette, environmentReader, openenv } from '../../kernel/environments';
import { atariLanes } from '../../kernel/environments/atari/servers';
import { VectorClient } from '../../kernel/openenv';
import { replay, rollout } from '../../kernel/rollout';
import { python } from './python';
import { playLane, playSession } from './trajectories';

let lanes: string[];

before(async () => {
  lanes = (await atariLanes(2)).map(lane => lane.url);
});

test("games, actions and colours are ALE's", async () => {
  const facts: Record<string, { minimal: string[]; legal: string[]; colours: Record<string, number[]> }> = await python('ale_facts.py');
  assert.deepEqual([...ATARI_GAMES].sort(), Object.keys(facts).sort());
  for (const game of ATARI_GAMES) {
    assert.deepEqual(environmentReader('atari', { game, autoFire: false }).actions, facts[game].minimal, game);
    assert.deepEqual(environmentReader('atari', { game, fullActionSpace: true }).actions, facts[game].legal, game);
    for (const [code, rgb] of Object.entries(facts[game].colours)) {
      assert.deepEqual([...atariPalette(game).subarray(3 * +code, 3 * +code + 3)], rgb, `${game}: colour ${code}`);
    }
  }
});

test('every game plays, with the actions that the reader tells, and a seed is an episode again', async () => {
  for (const game of ATARI_GAMES) {
    const client = await VectorClient.connect(lanes[0], { numEnvs: 1, options: { game } });
    assert.deepEqual(client.actions, environmentReader('atari', { game }).actions, game);
    const episode = async (seed: number): Promise<string> => {
      const seen = [await client.reset([0], [seed], { frames: 5 })];
      for (let step = 1; step <= 40; step++) seen.push(await client.step([0], [step % client.actions.length]));
      assert.equal(seen[40].frames[0]!.length, 33600);
      return seen.map(({ ram }) => Buffer.from(ram[0]).toString('hex')).join();
    };
    const first = await episode(1);
    assert.notEqual(await episode(2), first, `${game}: another seed is another episode`);
    assert.equal(await episode(1), first, `${game}: the same seed is the same episode`);
    await client.close();
  }
});

test('two processes, OpenEnv sessions and replays play the same episodes: 10 games, 2,000 steps', async t => {
  for (const game of ['breakout', 'pong', 'space_invaders', 'freeway', 'boxing', 'seaquest', 'ms_pacman', 'bowling', 'tennis', 'demon_attack'] as const) {
    const [one, two] = await Promise.all(lanes.map(lane => playLane(lane, { game }, [11, 12], 2000)));
    assert.deepEqual(one, two, game);
    assert.notEqual(one[0].memory, one[1].memory, `${game}: two seeds differ`);
    const env = await openenv('atari', { game });
    assert.deepEqual(await playSession(env, 11, 2000), one[0], `${game}: over WebSocket`);
    const code = `let step = 0; function strategy() { return (step++ * 7) % ${env.actions.length}; }`;
    const { episodes: [episode] } = await rollout(env, [code], { seeds: [11], maxSteps: 2000 });
    assert.deepEqual(episode!.rewards, one[0].rewards, `${game}: as a strategy`);
    const { frames } = await replay(episode!, env, { every: 200 }); // fails where the game goes another way
    assert.equal(frames.length, 1 + Math.floor(episode!.steps / 200));
    t.diagnostic(`${game}: ${episode!.steps} steps`);
    await env.close();
  }
});
