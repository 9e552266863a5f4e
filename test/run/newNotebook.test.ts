import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../kernel/common/packagePaths';
import { ATARI_GAMES } from '../../kernel/environments/atari/catalog';
import { joylab } from './joylab';

const folder = mkdtempSync(join(tmpdir(), 'joylab-new-'));
after(() => rmSync(folder, { recursive: true }));

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
const sources = ({ cells }: any): string[] => cells.map(({ source }: any) => source.join(''));
function made(...args: string[]): { text: string; notebook: any; told: string } {
  const { code, stdout, stderr } = joylab(folder, ['new', ...args], { npm_lifecycle_event: '' });
  assert.equal(code, 0, stderr);
  const notebook = read(join(folder, `${args[0]}.ipynb`));
  assert.ok(
    notebook.cells.every(({ outputs = [], execution_count = null }: any) => !outputs.length && !execution_count),
  );
  const ids = notebook.cells.map(({ id }: any) => id);
  assert.equal(new Set(ids).size, ids.length);
  return { text: sources(notebook).join('\n'), notebook, told: stdout };
}

test('joylab new --game: the Atari notebook with the name of the game, and what to do next in one line', () => {
  const { text, notebook, told } = made('invaders', '--game', 'Space Invaders');
  assert.match(
    told,
    /^invaders\.ipynb trains a model on Space Invaders\. Open it: joylab lab invaders\.ipynb \(.*joylab run invaders\.ipynb\)\n$/,
  );
  const original = read(join(packageRoot, 'notebooks', 'atari.ipynb'));
  assert.deepEqual(
    sources(notebook),
    sources(original).map((source) =>
      source.replaceAll('Breakout', 'Space Invaders').replace("game: 'breakout'", "game: 'space_invaders'"),
    ),
  );
  assert.ok(text.includes("openenv('atari', { game: 'space_invaders' })"));
  assert.deepEqual(notebook.metadata, original.metadata);
});

test('joylab new says npm start where npm runs it', () => {
  const { stdout } = joylab(folder, ['new', 'two words', '--game', 'pong'], { npm_lifecycle_event: 'start' });
  assert.match(stdout, /Open it: npm start -- lab "two words\.ipynb" /);
});

test('joylab new --env: 2048 has its own notebook, others the cells that are good for any environment', () => {
  const own = made('board', '--env', '2048');
  assert.deepEqual(sources(own.notebook), sources(read(join(packageRoot, 'notebooks', '2048.ipynb'))));

  const remote = made('remote', '--env', 'http://localhost:8000');
  assert.match(remote.text, /@openenv \*\/\nconst env = await openenv\("http:\/\/localhost:8000"\);/);
  const written = made('written', '--env', 'catch');
  assert.match(written.text, /@openenv client=env reference \*\/\nclass Catch extends Environment<Move, Seen>/);
  for (const { text } of [remote, written]) {
    assert.match(text, /@reward[^]*@grpo[^]*refinement: [^]*await benchmark\([^]*savePretrained/);
    assert.doesNotMatch(text, /Atari|Breakout|catchGame/);
  }

  // A folder is found from the notebook's own.
  mkdirSync(join(folder, 'envs', 'maze'), { recursive: true });
  mkdirSync(join(folder, 'notes'));
  assert.match(made('notes/maze', '--env', './envs/maze').text, /openenv\("\.\.\/envs\/maze"\)/);
});

test('joylab new says in a line what is wrong, and writes nothing', () => {
  writeFileSync(join(folder, 'kept.ipynb'), 'mine');
  const before = readdirSync(folder).sort();
  for (const [args, said] of [
    [['kept', '--game', 'pong'], /kept\.ipynb exists already, and was left as it is: choose another name\.$/],
    [['a', '--game', 'pnog'], /There is no Atari game 'pnog'\. Did you mean 'pong'\? The games are: pong, /],
    [['a', '--game', 'warlords'], /is a game for two players only/],
    [['a', '--env', 'cach'], /There is no environment 'cach'\. Did you mean catch\?/],
    [['a', '--env', 'atari'], /--game pong/],
    [['a', '--env', './nowhere'], /There is no folder \S+nowhere\.$/],
    [['a'], /what is it to train on\? joylab new a --game GAME, or joylab new a --env 2048/],
    [['a', '--game', 'pong', '--env', '2048'], /what is it to train on\?/],
    [[], /one name for the notebook is needed/],
    [['nowhere/a', '--game', 'pong'], /There is no folder \S+nowhere: make it, or choose another name\.$/],
    [['a', '--gmae', 'pong'], /Unknown option '--gmae'/],
  ] as Array<[string[], RegExp]>) {
    const { code, stdout, stderr } = joylab(folder, ['new', ...args]);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^joylab new: [^\n]*\n$/, 'one line');
    assert.match(stderr.trimEnd(), said);
  }
  assert.deepEqual(readdirSync(folder).sort(), before);
  assert.equal(readFileSync(join(folder, 'kept.ipynb'), 'utf8'), 'mine');
  assert.deepEqual(joylab(folder, ['new', '--games']).stdout.trim().split('\n'), ATARI_GAMES);
});
