import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ATARI_GAMES, atariPalette, environmentReader } from '../../kernel/environments';
import { otherModes } from '../../kernel/environments/atari/modes';
import { atariLanes } from '../../kernel/environments/atari/servers';
import { VectorClient } from '../../kernel/openenv';
import { python } from './python';

let lanes: string[];

before(async () => {
  lanes = (await atariLanes(2)).map(lane => lane.url);
});

test("games, actions, modes and colours are ALE's", async () => {
  const facts: Record<string, { minimal: string[]; legal: string[]; colours: Record<string, number[]>; modes: number[]; difficulties: number[] }> = await python('ale_facts.py');
  assert.deepEqual([...ATARI_GAMES].sort(), Object.keys(facts).sort());
  for (const game of ATARI_GAMES) {
    assert.deepEqual(environmentReader('atari', { game, autoFire: false }).actions, facts[game].minimal, game);
    assert.deepEqual(environmentReader('atari', { game, fullActionSpace: true }).actions, facts[game].legal, game);
    for (let value = 0; value < 6000; value++) {
      assert.equal(otherModes(game, 'mode', value) === undefined, facts[game].modes.includes(value), `${game}: mode ${value}`);
      if (value < 300) assert.equal(otherModes(game, 'difficulty', value) === undefined, facts[game].difficulties.includes(value), `${game}: difficulty ${value}`);
    }
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
