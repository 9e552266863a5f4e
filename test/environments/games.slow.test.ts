import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { ATARI_GAMES, atariPalette, atariReader } from '../../kernel/environments';
import { otherModes } from '../../kernel/environments/atari/options';
import { atariProcesses } from '../../kernel/environments/atari/servers';
import { AtariClient } from '../../kernel/environments/atari/stream';
import { python } from './python';

let addresses: string[];

before(async () => {
  addresses = (await atariProcesses(2)).map(({ url }) => url);
});

test("games, actions, modes and colours are ALE's", async () => {
  const facts: Record<
    string,
    { minimal: string[]; legal: string[]; colours: Record<string, number[]>; modes: number[]; difficulties: number[] }
  > = await python('ale_facts.py');
  assert.deepEqual([...ATARI_GAMES].sort(), Object.keys(facts).sort());
  for (const game of ATARI_GAMES) {
    assert.deepEqual(atariReader({ game, autoFire: false }).actions, facts[game].minimal, game);
    assert.deepEqual(atariReader({ game, fullActionSpace: true }).actions, facts[game].legal, game);
    for (let value = 0; value < 6000; value++) {
      assert.equal(
        otherModes(game, 'mode', value) === undefined,
        facts[game].modes.includes(value),
        `${game}: mode ${value}`,
      );
      if (value < 300)
        assert.equal(
          otherModes(game, 'difficulty', value) === undefined,
          facts[game].difficulties.includes(value),
          `${game}: difficulty ${value}`,
        );
    }
    for (const [code, rgb] of Object.entries(facts[game].colours)) {
      assert.deepEqual([...atariPalette(game).subarray(3 * +code, 3 * +code + 3)], rgb, `${game}: colour ${code}`);
    }
  }
});

test('every game plays, with the actions that the reader tells; a seed is an episode again, in another process, too', async () => {
  for (const game of ATARI_GAMES) {
    const [client, other] = await Promise.all(
      addresses.map((address) => AtariClient.connect(address, { numEnvs: 1, options: { game } })),
    );
    assert.deepEqual(client.actions, atariReader({ game }).actions, game);
    const episode = async (seed: number, player = client): Promise<string> => {
      const seen = [await player.reset([0], [seed], { frames: 5 })];
      for (let step = 1; step <= 40; step++) seen.push(await player.step([0], [step % client.actions.length]));
      assert.equal(seen[40].frames[0]!.length, 33600);
      const hash = createHash('sha256');
      for (const { ram, frames } of seen) hash.update(ram[0]).update(frames[0] ?? '');
      return hash.digest('hex');
    };
    const first = await episode(1);
    assert.notEqual(await episode(2), first, `${game}: another seed is another episode`);
    assert.equal(await episode(1), first, `${game}: the same seed is the same episode`);
    assert.equal(await episode(1, other), first, `${game}: the same seed is the same episode in another process`);
    await Promise.all([client.close(), other.close()]);
  }
});
