import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundsFor, validate } from '../../../kernel/grpo/refinement/validation';
import { seededRandom } from '../../../kernel/common/random';

test('rounds halve the candidates, and play no more episodes than they may', () => {
  assert.deepEqual(roundsFor(16, 80), [
    { size: 16, starts: 1 },
    { size: 8, starts: 2 },
    { size: 4, starts: 5 },
    { size: 2, starts: 14 },
  ]);
  for (let candidates = 1; candidates <= 16; candidates++) {
    for (let episodes = 0; episodes <= 120; episodes++) {
      const rounds = roundsFor(candidates, episodes);
      const played = rounds.reduce((sum, { size, starts }) => sum + size * starts, 0);
      assert.ok(
        played <= episodes && rounds.every(({ size, starts }) => size >= 1 && starts >= 1),
        `${candidates} candidates, ${episodes} episodes`,
      );
      if (episodes >= 2) assert.ok(rounds.length > 0);
    }
  }
});

test('the truly best wins, though training thought otherwise; all play from the same starts, each start once', async () => {
  const random = seededRandom(2);
  const truth = new Map(Array.from({ length: 16 }, (_, i) => [i + 1, i === 5 ? 30 : 20 - i / 4]));
  const seen: number[][] = [];
  const play = async (ids: number[], starts: number[]) => {
    seen.push(starts);
    return ids.map((id) => starts.map(() => truth.get(id)! + 12 * (random.next() - 0.5)));
  };
  const candidates = [...truth.keys()].map((id) => ({ id, worth: 25 - id / 8 }));
  const { winner, episodes } = await validate(candidates, 80, play);
  assert.equal(winner!.id, 6);
  assert.ok(Math.abs(winner!.fitness - 30) < 3 && winner!.starts === 22);
  assert.ok(episodes <= 80);
  assert.deepEqual(
    seen.flat(),
    Array.from({ length: 22 }, (_, i) => i),
  );
});

test('what does not count is left out; without a candidate or an episode there is no winner', async () => {
  const none = await validate([{ id: 1, worth: 3 }], 10, async (ids, starts) => ids.map(() => starts.map(() => null)));
  assert.equal(none.winner, null);
  const never = async () => assert.fail('nothing to play');
  assert.deepEqual(await validate([], 80, never), { winner: null, episodes: 0 });
  assert.deepEqual(await validate([{ id: 1, worth: 3 }], 0, never), { winner: null, episodes: 0 });
});
