import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imitationsOf } from '../../../kernel/grpo/refinement/imitation';
import { ProgramSearch } from '../../../kernel/grpo/refinement/search';
import { resolveRefinement } from '../../../kernel/grpo/refinement/settings';
import { databaseOf } from './fixtures';

/** A search whose database has a program for each list of fitness, the third being an edit of the first, the fourth of the second. */
function searchOf(fitness: number[][]): ProgramSearch {
  const settings = { ...resolveRefinement({})!, seed: 4 };
  const parents: Record<number, number> = { 2: 1, 3: 2 };
  const saved = databaseOf(fitness, { archiveSize: 24 }, (i) => ({ parent: parents[i] ?? null })).toJSON();
  return ProgramSearch.fromJSON({ ...saved, episodes: 0, winner: null }, settings);
}

const told = (search: ProgramSearch, generation = 0, count = 40) =>
  imitationsOf(search, count, generation).map(
    ({ parent, program }) => `${parent ? `${parent.code} → ` : ''}${program.code}`,
  );

test('imitated are programs that several episodes have shown to be better than the mean, and edits that improved their parent', () => {
  const search = searchOf([[1, 1, 1], [20, 20, 20], [30, 30, 30], [15, 15, 15], [45], [0, 0, 0]]);
  const drawn = told(search);
  assert.deepEqual([...new Set(drawn)].sort(), ['program 0 → program 2', 'program 1', 'program 2']);
  assert.equal(drawn.filter((text) => text.includes('→')).length, 20, 'half of them are edits');
  const count = (text: string) => drawn.filter((one) => one === text).length;
  assert.ok(count('program 2') > count('program 1'), 'the better one more often');
  assert.deepEqual(told(search), drawn, 'the same generation draws the same');
  assert.notDeepEqual(told(search, 1), drawn);
});

test('nothing is imitated while nothing is known to be better', () => {
  assert.deepEqual(told(searchOf([])), []);
  assert.deepEqual(told(searchOf([[3], [5], [9]])), [], 'one episode is luck');
  assert.deepEqual(
    told(
      searchOf([
        [4, 4],
        [4, 4],
      ]),
    ),
    [],
    'all are alike',
  );
});
