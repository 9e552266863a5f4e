import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Environment, openenv, type AtariEnvironment } from '../../kernel';
import { serveInNotebook } from '../../kernel/environments';
import type { LiveEpisode, LiveView, PixelScreen } from '../../kernel/episodes/live';
import { rollout } from '../../kernel/rollout';
import type { RolloutEnvironment } from '../../kernel/environments';
import { always, followBall, random } from './strategies';

let breakout: AtariEnvironment;
before(async () => void (breakout = await openenv('atari', { game: 'breakout' })));
after(() => breakout.close());

/** Keeps what it is shown. */
class Watcher implements LiveView {
  readonly shown: Array<LiveEpisode & { index: number }> = [];
  screen: PixelScreen | undefined;

  constructor(
    readonly count: number,
    readonly wanted: number,
  ) {}

  show(index: number, episode: LiveEpisode, screen?: PixelScreen): void {
    this.shown.push({ index, ...episode });
    this.screen ??= screen;
  }

  pictures(index: number): NonNullable<LiveEpisode['picture']>[] {
    return this.shown.flatMap((shown) => (shown.index === index ? (shown.picture ?? []) : []));
  }
}

/** Plays with and without somebody who looks on, and returns what he saw. The episodes must be the same. */
async function watched(env: RolloutEnvironment, codes: string[], maxSteps: number, count = codes.length) {
  const play = (live?: LiveView) =>
    rollout(env, codes, { seeds: codes.map((_, i) => i), maxSteps, secret: 'the same for both'.padEnd(32), live });
  const watcher = new Watcher(count, count);
  const { episodes } = await play(watcher);
  const plain = (value: unknown) =>
    JSON.parse(JSON.stringify(value, (key, it) => (key === 'strategySeconds' ? 0 : it)));
  const alone = new Watcher(count, 0);
  assert.deepEqual(plain(episodes), plain((await play(alone)).episodes));
  assert.ok(
    alone.shown.every(({ picture }) => picture === undefined),
    'without anybody who looks, there are no pictures',
  );
  return { watcher, episodes: episodes.map((episode) => episode!) };
}

test('games of Atari are seen while they play, and play the same without', async () => {
  const maxSteps = 600;
  const codes = [followBall, random, always('LEFT'), always('RIGHT')];
  const { watcher, episodes } = await watched(breakout, codes, maxSteps, 3);
  const { width, height, palette } = watcher.screen!;
  assert.deepEqual([width, height, palette.length % 3], [160, 210, 0]);
  assert.deepEqual(watcher.pictures(3), [], 'only the first three are shown');
  for (const [i, episode] of episodes.slice(0, 3).entries()) {
    const shown = watcher.shown.filter(({ index }) => index === i);
    assert.deepEqual([shown[0].steps, shown[0].end], [0, undefined], 'it begins');
    const { steps, return: sum, end } = shown.at(-1)!;
    assert.deepEqual([steps, sum, end], [episode.steps, episode.return, episode.end]);
    const seen = watcher.pictures(i);
    assert.ok(seen.length >= 2 && seen.every((picture) => picture.length === width * height));
  }
  assert.ok(
    watcher.shown.some(({ steps, end, picture }) => picture && steps > 0 && !end),
    'one is seen in mid-play',
  );
  const { frames } = await rollout(breakout, [followBall], {
    seeds: [0],
    maxSteps,
    frames: { episodes: [0], every: 1 },
  });
  assert.deepEqual(watcher.pictures(0).at(-1), frames.get(0)!.frames.at(-1), 'the last picture is that of the end');
});

test('equal programs are one game, which each of them shows', async () => {
  const live = new Watcher(3, 3);
  await rollout(breakout, [always('LEFT'), always('RIGHT'), always('LEFT')], { seeds: [1, 1, 1], maxSteps: 30, live });
  assert.ok(live.pictures(2).length > 0);
  assert.deepEqual(live.pictures(2), live.pictures(0));
});

/** Counts. */
class Counter extends Environment<{ by: number }, { count: number }> {
  static override schema = {
    action: { type: 'object', properties: { by: { type: 'integer' } }, required: ['by'] },
    observation: { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'] },
    state: { type: 'object' },
  };
  protected count = 0;
  reset() {
    this.count = 0;
    return { observation: { count: 0 } };
  }
  step({ by }: { by: number }) {
    this.count += by;
    return { observation: { count: this.count }, reward: by, done: this.count >= 20 };
  }
}

/** Draws the count. */
class DrawnCounter extends Counter {
  override render() {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15">${this.count}</text></svg>`;
  }
}

const count = (by: number) => `function strategy() { return { by: ${by} }; }`;

test('boards, classes of a cell and sessions are seen as they are drawn, or as text', async () => {
  const board = await openenv('game2048');
  const { watcher } = await watched(board, ['function strategy() { return Math.floor(Math.random() * 4); }'], 60);
  assert.match(String(watcher.pictures(0).at(-1)), /^<svg/);

  const drawn = await serveInNotebook(DrawnCounter, {});
  const { watcher: seen } = await watched(drawn, [count(2), count(5)], 30);
  assert.match(String(seen.pictures(0).at(-1)), /<svg.*>20<\/text>/);

  const served = await serveInNotebook(Counter, {});
  const session = await openenv(drawn.url);
  for (const env of [served, session]) {
    const { watcher: told } = await watched(env, [count(4)], 30);
    assert.equal(told.pictures(0).at(-1), 'count: 20');
  }
  for (const env of [board, drawn, served, session]) await env.close();
});
