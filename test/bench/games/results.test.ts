import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { studentT } from '../../../kernel/common/statistics';
import { interval, intervalText, pairedInterval } from '../common/interval';
import { packageRoot } from '../../../kernel/common/packagePaths';
import { coresOf, listedCores } from './jobs';
import { plannedRuns } from './plan';
import { heldOutStarts, trainingStart, validationStarts } from './starts';
import { contentHash, Store, writeResult, type Line, type Run, type RunResult } from './store';
import { gameTable, missingText } from './table';
import { taskNamed } from './tasks';
import { VARIANTS } from './variants';
import { LOWEST_VALID } from './variants/trained';
import { CORNER } from './moves2048';
import {
  above2048Corner,
  aboveWithoutSkill,
  againstRandomEdits,
  floors,
  keepsPlaying,
  GameResults,
  policyAlone,
  verdicts,
  worthOfTraining,
} from './verdicts';

const folder = mkdtempSync(join(tmpdir(), 'joylab-games-'));
after(() => rmSync(folder, { recursive: true }));

const run: Run = { game: 'pong', variant: 'random', seed: 2 };
const result = (of: Partial<RunResult> = {}): RunResult => ({
  ...run,
  version: 'v1',
  lines: [],
  episodes: 1920,
  seconds: 10,
  cores: 2,
  ...of,
});

test('intervals are those of Student', () => {
  // Of 5, 7, 9: mean 7, standard error 2 / √3, t 4.303.
  const { mean, half } = interval([5, 7, 9]);
  assert.equal(mean, 7);
  assert.ok(Math.abs(half - (4.303 * 2) / Math.sqrt(3)) < 1e-9);
  assert.ok(Number.isNaN(interval([4]).half));
  assert.throws(() => interval([]), /needs values/);
  assert.deepEqual(pairedInterval([3, 5], [1, 3]), { mean: 2, half: 0 });
  assert.throws(() => pairedInterval([1], [1, 2]), /1 and 2/);
});

test("Student's t beyond the table", () => {
  for (const [degrees, t] of [
    [30, 2.042],
    [31, 2.04],
    [40, 2.021],
    [60, 2.0],
    [120, 1.98],
    [1000, 1.962],
  ])
    assert.ok(Math.abs(studentT(degrees) - t) < 0.0015, `${degrees}: ${studentT(degrees)}`);
  assert.throws(() => studentT(0), /at least 1/);
});

test('an interval has digits by its size', () => {
  assert.equal(intervalText({ mean: 12.34, half: 1.26 }), '12.3 ± 1.3');
  assert.equal(intervalText({ mean: 475.4, half: 30.6 }), '475 ± 31');
  assert.equal(intervalText({ mean: -6.04, half: NaN }), '-6.0');
});

test('95 % of intervals hold the mean that the values come from', () => {
  let state = 1;
  const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const held = Array.from({ length: 1000 }, () => {
    const { mean, half } = interval(Array.from({ length: 20 }, () => uniform() + uniform() + uniform()));
    return Math.abs(mean - 1.5) <= half;
  }).filter(Boolean).length;
  assert.ok(held > 930 && held < 970, `${held} of 1,000`);
});

test('a store gives what was written, by version, and knows what is missing', () => {
  let version = 'v1';
  const store = new Store(folder, () => version);
  assert.deepEqual(store.missing([run]), [run]);
  writeResult(store.path(run), result());
  assert.deepEqual(store.results([run, { ...run, seed: 3 }]), [result()]);
  assert.deepEqual(store.missing([run, { ...run, seed: 3 }]), [{ ...run, seed: 3 }]);
  assert.deepEqual(readdirSync(dirname(store.path(run))), ['pong.random.2.json'], 'no part of a file is left');
  version = 'v2';
  assert.deepEqual(store.missing([run]), [run], 'other sources, other results');
  const any = new Store(folder, () => version, true);
  assert.deepEqual(any.results([run, { ...run, seed: 3 }]), [result()], 'unless those are asked for, too');
  assert.equal(any.isOld(any.read(run)!), true);
});

test('a file that was cut off is no result', () => {
  const store = new Store(folder, () => 'broken');
  mkdirSync(dirname(store.path(run)), { recursive: true });
  writeFileSync(store.path(run), JSON.stringify(result()).slice(0, 40));
  assert.deepEqual(store.missing([run]), [run]);
});

test('a hash is of paths and contents, not of caches', () => {
  const sources = join(folder, 'sources');
  mkdirSync(join(sources, 'a/__pycache__'), { recursive: true });
  writeFileSync(join(sources, 'a/one.ts'), 'one');
  writeFileSync(join(sources, 'two.ts'), 'two');
  const hash = contentHash(sources, ['a', 'two.ts']);
  writeFileSync(join(sources, 'a/__pycache__/one.pyc'), 'cache');
  assert.equal(contentHash(sources, ['two.ts', 'a']), hash);
  writeFileSync(join(sources, 'a/one.ts'), 'other');
  assert.notEqual(contentHash(sources, ['a', 'two.ts']), hash);
  assert.throws(() => contentHash(sources, ['three.ts']), /three\.ts/);
});

test('the sources of every variant are there', () => {
  for (const { sources } of Object.values(VARIANTS)) assert.match(contentHash(packageRoot, sources), /^[0-9a-f]{12}$/);
});

test('starts of training, choosing and reporting are apart', () => {
  const training = [1, 2, 3].flatMap((seed) => Array.from({ length: 2000 }, (_, step) => trainingStart(seed, step)));
  const validation = [1, 2, 3].flatMap((seed) => validationStarts(seed, 200));
  const reported = heldOutStarts(100);
  assert.equal(new Set(validation).size, 600);
  const sets = [training, validation, reported].map((starts) => new Set(starts));
  for (const [i, one] of sets.entries())
    for (const other of sets.slice(i + 1)) assert.ok([...one].every((start) => !other.has(start)));
});

test('the runs that are wanted', () => {
  const runs = plannedRuns();
  const count = (game: string, variant: string): number =>
    runs.filter((one) => one.game === game && one.variant === variant).length;
  for (const game of ['breakout', 'pong', 'boxing', 'space_invaders', 'ms_pacman'])
    assert.deepEqual(
      ['trained', 'frozen', 'random', 'untrained', 'references'].map((variant) => count(game, variant)),
      [3, 3, 3, 1, 1],
    );
  for (const game of ['freeway', 'seaquest', 'demon_attack', 'qbert', 'tennis'])
    assert.deepEqual(
      ['trained', 'frozen', 'random', 'references'].map((variant) => count(game, variant)),
      [1, 0, 1, 1],
    );
  assert.deepEqual(
    ['breakout', 'pong', 'boxing'].map((game) => count(game, 'plain')),
    [1, 3, 3],
  );
  assert.deepEqual(plannedRuns({ games: ['pong'], variants: ['random'], seeds: [7] }), [
    { game: 'pong', variant: 'random', seed: 7 },
  ]);
});

const line = (name: string, ...returns: number[]): Line => ({
  name,
  returns: { 1000: returns, 5000: returns.map((value) => 2 * value) },
});

test('runs at a time have cores of their own, those that the process may use', () => {
  assert.deepEqual(listedCores(' 0-2,5\n'), [0, 1, 2, 5]);
  const cores = [4, 5, 6, 7, 9];
  assert.deepEqual(
    [0, 1, 2].map((job) => coresOf(job, cores)),
    ['4,5', '6,7', '9,4'],
  );
  assert.equal(coresOf(1, [3]), '3');
  assert.equal(coresOf(0, []), undefined);
});

test('a table has a row for each name, with its interval, its seeds and what is missing', () => {
  const results = [
    result({
      variant: 'references',
      lines: [line('random actions', 1, 2, 3)],
      episodes: 0,
      published: [{ who: 'somebody', score: 864, settings: 'no sticky actions' }],
    }),
    ...[1, 2].map((seed) => result({ seed, lines: [line('random edits', 10 * seed, 12 * seed)] })),
  ];
  const text = gameTable(taskNamed('breakout'), results);
  assert.match(text, /^breakout +1000 steps +seeds +5000 steps +seeds +episodes +seconds\n/);
  assert.match(text, /\nrandom actions +2\.0 ± 2\.5 +4\.0 ± 5\.0 +10\n/);
  assert.match(text, /\nrandom edits +16\.5 ± \d+\.\d +11\.0 22\.0 +33\.0 ± \d+\.\d +22\.0 44\.0 +1920 +10\n/);
  assert.match(text, /\ntarget +45 +70\n/);
  assert.match(text, /\npublished: 864 \(somebody; no sticky actions\)$/);
  assert.equal(
    missingText([run, { ...run, seed: 3 }, { ...run, game: 'boxing' }]),
    '  pong random, seed 2, 3\n  boxing random, seed 2',
  );
});

/** Runs of a variant, one for each mean, with a line of that name. */
const seeds = (name: string, variant: string, ...means: number[]): RunResult[] =>
  means.map((value, i) => result({ variant, seed: i + 1, lines: [line(name, value, value)] }));
const references = result({
  variant: 'references',
  lines: [line('random actions', 0), line('always LEFT', 4), line('always RIGHT', 5)],
});

test('verdicts: floors, and the rival', () => {
  const game = (trained: number[], rival: number): GameResults =>
    new GameResults(taskNamed('breakout'), [
      references,
      ...seeds('best of untrained', 'untrained', 20),
      ...seeds('random edits', 'random', rival),
      ...seeds('trained', 'trained', ...trained),
    ]);
  const good = game([44, 40, 48], 40);
  assert.equal(good.bestConstant()?.name, 'always RIGHT');
  assert.ok(floors([good]).length === 3 && floors([good]).every(({ met }) => met));
  assert.deepEqual(
    floors([game([44, 19], 40)]).map(({ met }) => met),
    [true, false, true],
  );
  assert.deepEqual(
    againstRandomEdits([good], 1).map(({ met }) => met),
    [true, true],
  );
  assert.deepEqual(
    againstRandomEdits([game([30], 40)], 1).map(({ met }) => met),
    [false, false],
    '75 % of the rival',
  );
  assert.equal(
    againstRandomEdits([good, new GameResults(taskNamed('pong'), [])], 1)[0].met,
    undefined,
    'a game is missing',
  );
});

test('verdicts: what training adds is paired by game and seed', () => {
  const improved = (results: RunResult[], ...shares: number[]): RunResult[] =>
    results.map((one, i) => ({ ...one, figures: { 'refinement/improved': shares[i] } }));
  const game = (frozen: number[], shares: number[]): GameResults =>
    new GameResults(taskNamed('breakout'), [
      references,
      ...seeds('random edits', 'random', 40),
      ...improved(seeds('trained', 'trained', 44, 40, 48), 0.2, 0.3, 0.4),
      ...improved(seeds('frozen', 'frozen', ...frozen), ...shares),
    ]);
  const [edits, score] = worthOfTraining([game([40, 36, 44], [0.1, 0.2, 0.3])]);
  assert.match(edits.text, /0\.100 ± 0\.000, 3 pairs$/);
  assert.match(score.text, /0\.100 ± 0\.000, 3 pairs$/);
  assert.ok(edits.met && score.met);
  assert.deepEqual(
    worthOfTraining([game([48, 30, 52], [0.4, 0.1, 0.4])]).map(({ met }) => met),
    [false, false],
    'within the noise',
  );
  assert.deepEqual(
    worthOfTraining([game([], [])]).map(({ met }) => met),
    [undefined, undefined],
  );
});

test('verdicts: the policy alone, invented environments, 2048, who keeps playing', () => {
  const policies = (trained: number): GameResults =>
    new GameResults(taskNamed('pong'), [
      ...seeds('policy', 'trained', trained),
      ...seeds('untrained policy', 'untrained', 3),
    ]);
  assert.equal(policyAlone([policies(4), policies(2)], 1).met, true);
  assert.equal(policyAlone([policies(4), policies(2)], 2).met, false);
  assert.equal(policyAlone([policies(4), new GameResults(taskNamed('boxing'), [])], 1).met, undefined);

  const invented = (...values: number[]): GameResults => {
    const at = (name: string, ...returns: number[]): Line => ({ name, returns: { 200: returns } });
    return new GameResults(taskNamed('weirferry'), [
      result({ lines: [at('random actions', 1, 2, 3), at('always still', 2, 2, 2)] }),
      ...(values.length > 0 ? [result({ variant: 'trained', lines: [at('trained', ...values)] })] : []),
    ]);
  };
  assert.equal(aboveWithoutSkill(invented(9, 10, 11)).met, true);
  assert.equal(aboveWithoutSkill(invented(2, 3, 2)).met, false, 'above chance and the constant, but not significantly');
  assert.equal(aboveWithoutSkill(invented()).met, undefined);

  const board = (score: number): GameResults =>
    new GameResults(taskNamed('2048'), [
      result({ lines: [{ name: CORNER, returns: { 8192: [2000, 3000] } }] }),
      result({ variant: 'trained', lines: [{ name: 'trained', returns: { 8192: [score, score] } }] }),
    ]);
  assert.deepEqual(
    [3251, 3249].map((score) => above2048Corner(board(score)).met),
    [true, false],
  );
  assert.equal(verdicts([invented(9, 10, 11), board(4000)]).length, 2);

  const without = (...lowest: number[]): GameResults =>
    new GameResults(
      taskNamed('pong'),
      lowest.map((share, i) => result({ variant: 'plain', seed: i + 1, figures: { [LOWEST_VALID]: share } })),
    );
  assert.equal(keepsPlaying(without(0.9, 1)).met, true);
  assert.equal(keepsPlaying(without(0.89, 1)).met, false);
  assert.equal(keepsPlaying(without()).met, undefined);
});
