import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgramDatabase } from '../../../kernel/grpo/refinement/database';
import { seededRandom } from '../../../kernel/common/random';
import { databaseOf, databaseSettings, evaluation } from './fixtures';

const codes = (database: ProgramDatabase) => database.programs().map(({ code }) => code);
/** As a checkpoint keeps it. */
const reloaded = (database: ProgramDatabase, settings = database.settings) =>
  ProgramDatabase.fromJSON(JSON.parse(JSON.stringify(database)), settings);

test('each island keeps those of the highest worth: twenty good episodes before one lucky one', () => {
  const steady = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 24 : 16));
  const noisy = (mean: number) => [mean - 6, mean + 6, mean - 6, mean + 6];
  const database = databaseOf([steady, steady, noisy(2), noisy(3), [21], [22], noisy(1), noisy(4)], { archiveSize: 2 });
  database.trim();
  assert.deepEqual(
    database.programs().map(({ code, islands }) => [code, islands]),
    [
      ['program 0', [0]],
      ['program 1', [1]],
    ],
  );
});

test('no behaviour fills more than half of an island', () => {
  const same = (i: number) => ({ cell: i < 6 ? 'always' : `cell ${i}` });
  const database = databaseOf(
    [[20], [19], [18], [17], [16], [15], [3], [2], [1]],
    { numIslands: 1, archiveSize: 6 },
    same,
  );
  database.trim();
  assert.deepEqual(codes(database), ['program 0', 'program 1', 'program 2', 'program 6', 'program 7', 'program 8']);
});

test('parents: the same random numbers draw the same; high ranks more often; only of the island, and only those that are accepted', () => {
  const database = databaseOf(Array.from({ length: 8 }, (_, i) => [10 * i, 10 * i, 10 * i]));
  const draw = (seed: number, island = 0, accepts = (_: { id: number }) => true) =>
    database.parent(island, seededRandom(seed), accepts)!;
  assert.equal(draw(5), draw(5));
  const drawn = Array.from({ length: 200 }, (_, seed) => draw(seed));
  assert.ok(drawn.every(({ islands }) => islands.includes(0)));
  const count = (code: string) => drawn.filter((program) => program.code === code).length;
  assert.ok(
    count('program 6') > 2 * count('program 2') && count('program 0') > 0,
    [0, 2, 4, 6].map((i) => count(`program ${i}`)).join(' '),
  );
  assert.ok(Array.from({ length: 20 }, (_, seed) => draw(seed, 1, ({ id }) => id === 2)).every(({ id }) => id === 2));
  assert.equal(
    database.parent(0, seededRandom(1), () => false),
    null,
  );
});

test('programs without episodes are no parents, and are among the promising', () => {
  const database = databaseOf([[], [1], [2, 2]], { numIslands: 1 });
  assert.ok(
    Array.from({ length: 30 }, (_, seed) => database.parent(0, seededRandom(seed))!).every(
      ({ code }) => code !== 'program 0',
    ),
  );
  assert.ok(database.promising().some(({ code }) => code === 'program 0'));
  assert.deepEqual(
    database.best().map(({ code }) => code),
    ['program 2', 'program 1'],
  );
});

test('the best of an island migrates: it lives on both, and is one program', () => {
  const database = databaseOf([
    [9, 9],
    [1, 1],
    [8, 8],
    [2, 2],
  ]);
  database.migrate();
  assert.deepEqual(
    database.programs().map(({ islands }) => islands),
    [[0, 1], [1], [0], [1, 0]],
  );
  assert.equal(database.size, 4);
});

test('what leaves is forgotten, unless a descendant lives; its source stays known', () => {
  const database = databaseOf([[1], [9], [2]], { numIslands: 1, archiveSize: 2 });
  database.add({
    code: 'child',
    parent: 1,
    generation: 1,
    islands: [0],
    evaluations: [evaluation(20)],
    cell: 'x',
    gain: 19,
  });
  database.trim();
  assert.deepEqual(codes(database), ['program 1', 'child']);
  assert.ok(!database.has(1) && database.get(1)?.evaluations.length === 1, 'the parent is an ancestor');
  assert.equal(database.get(3), undefined);
  assert.equal(database.idOf(' program\n2 '), 3, 'blanks do not make another program');
});

test('a copy changes on its own', () => {
  const database = databaseOf([[1], [2]]);
  const before = JSON.stringify(database);
  const copy = database.clone();
  copy.record(1, evaluation(50));
  copy.add({ ...database.get(1)!, code: 'more' });
  copy.trim();
  assert.equal(JSON.stringify(database), before);
  assert.notEqual(JSON.stringify(copy), before);
});

test('saved and loaded it is the same, also under fewer islands', () => {
  const database = databaseOf([[1], [2], [5, 6], [3]], { archiveSize: 4 });
  database.add({
    code: 'child',
    parent: 1,
    generation: 1,
    islands: [1],
    evaluations: [evaluation(20)],
    cell: 'x',
    gain: 19,
  });
  database.trim();
  const copy = reloaded(database);
  assert.deepEqual(copy.toJSON(), database.toJSON());
  assert.deepEqual(
    Array.from({ length: 9 }, (_, seed) => copy.parent(seed % 2, seededRandom(seed))?.id),
    Array.from({ length: 9 }, (_, seed) => database.parent(seed % 2, seededRandom(seed))?.id),
  );
  assert.ok(
    reloaded(database, { ...databaseSettings, numIslands: 1 })
      .programs()
      .every(({ islands }) => islands.length === 1 && islands[0] === 0),
  );
});

test('inspirations are other programs of any island, the better ones more often, none twice', () => {
  const database = databaseOf(Array.from({ length: 6 }, (_, i) => [10 * i, 10 * i, 10 * i]));
  const [parent] = database.programs();
  const drawn = Array.from({ length: 60 }, (_, seed) => database.inspirations(parent, 2, seededRandom(seed)));
  for (const [a, b] of drawn) assert.ok(a.id !== b.id && a.id !== parent.id && b.id !== parent.id);
  const count = (code: string) => drawn.flat().filter((program) => program.code === code).length;
  assert.ok(count('program 5') > 2 * count('program 1') && count('program 4') > 0 && count('program 1') > 0);
  assert.equal(database.inspirations(parent, 9, seededRandom(1)).length, 5, 'as many as there are');
  assert.deepEqual(database.inspirations(parent, 0, seededRandom(1)), []);
});
