import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import type { Locator } from 'playwright-core';
import { EPISODE_MIME, type EpisodeData } from '../../kernel/display/mime';
import { openenv } from '../../kernel/environments';
import { Environment, serve } from '../../kernel/openenv';
import { episodeData } from '../../kernel/display/pictures/episode';
import { executeWithTimeLimit, rollout, type RolloutEnvironment } from '../../kernel/rollout';
import { becomes, changes, openNotebook, pixels, waitForMotion } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook, type Bundle } from './notebooks';

const followBall =
  'function strategy(state) { return state.ball_x > state.paddle_x + 2 ? "RIGHT" : state.ball_x < state.paddle_x - 2 ? "LEFT" : "NOOP"; }';

const { lab, browser } = useLab({}, async () => {
  bundle = await playedEpisode();
  data = bundle[EPISODE_MIME] as EpisodeData;
  const broken: EpisodeData = { ...data, frames: data.frames.slice(0, 400) };
  const wrongVersion = { ...data, version: 2 };
  writeNotebook(lab.folder, 'episode.ipynb', [{ source: 'episode', outputs: [bundle] }]);
  writeNotebook(lab.folder, 'pictures.ipynb', [
    { source: 'drawn', outputs: [await drawnEpisode()] },
    { source: 'told', outputs: [await toldEpisode()] },
  ]);
  writeNotebook(
    lab.folder,
    'broken.ipynb',
    [broken, wrongVersion, { ...data, palette: '!' }, null].map((value) => ({
      source: '',
      outputs: [{ [EPISODE_MIME]: value, 'text/plain': 'text' }],
    })),
  );
  writeNotebook(lab.folder, 'long.ipynb', [
    { source: 'episode', outputs: [bundle] },
    ...Array.from({ length: 40 }, (_, i) => ({ source: `// cell ${i}\n\n\n` })),
  ]);
});
let bundle: Bundle;
let data: EpisodeData;

async function drawnEpisode(): Promise<Bundle> {
  return played(await openenv('game2048'), 'function strategy(state) { return state.legal_actions[0]; }');
}

async function toldEpisode(): Promise<Bundle> {
  class CountUp extends Environment<{ by: 1 | 2 | 3 }, { count: number; grid: number[][] }> {
    static override schema = { action: { type: 'object', properties: { by: { enum: [1, 2, 3] } }, required: ['by'] } };
    count = 0;
    reset() {
      this.count = 0;
      return {
        observation: {
          count: 0,
          grid: [
            [1, 0],
            [0, 1],
          ],
        },
      };
    }
    step({ by }: { by: number }) {
      this.count += by;
      return {
        observation: {
          count: this.count,
          grid: [
            [1, 0],
            [0, 1],
          ],
        },
        reward: by,
        done: this.count >= 10,
      };
    }
  }
  const server = await serve(CountUp);
  try {
    return await played(await openenv(server.url), 'function strategy() { return 3; }');
  } finally {
    await server.close();
  }
}

/** A real episode, as the kernel shows it. */
async function playedEpisode(): Promise<Bundle> {
  return played(await openenv('atari', { game: 'breakout' }), followBall);
}

async function played(env: RolloutEnvironment & { close(): Promise<void> }, strategy: string): Promise<Bundle> {
  try {
    const episode = await executeWithTimeLimit(strategy, env, { seed: 1, maxSteps: 200 });
    const display = (episode as unknown as Record<symbol, () => Promise<Bundle>>)[Symbol.for('Jupyter.display')];
    return await display.call(episode);
  } finally {
    await env.close();
  }
}

/** Waits until the value beside a name is the expected one. */
function shows(player: Locator, name: string, expected: string, message?: string): Promise<void> {
  return becomes(() => readout(player, name), expected, message);
}

/** The value beside a name: "Score" → "3". */
function readout(player: Locator, name: string): Promise<string> {
  return player.locator('.joylab-Readout').filter({ hasText: name }).locator('.joylab-Readout-value').innerText();
}

labTest('an episode of an untrusted notebook plays by itself, and its numbers move with the frames', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('episode.ipynb'));
  const player = page.locator('.joylab-Player');
  const canvas = player.locator('canvas');
  await player.waitFor();
  await waitForMotion(canvas);
  await becomes(async () => /^[1-9]\d* \/ 200$/.test(await readout(player, 'Step')), true, 'the step is shown');
  const { width, height } = (await canvas.boundingBox())!;
  assert.ok(Math.abs(width / height - 4 / 3) < 0.02, `an Atari picture is 4:3, this is ${width} × ${height}`);
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('frames are shown as the game made them, however they are packed', async () => {
  const env = await openenv('atari', { game: 'freeway' });
  const shown = { frames: { episodes: [0], every: 1 }, seeds: [1], maxSteps: 90 };
  const up = ['function strategy() { return "UP"; }'];
  const { episodes, frames } = await rollout(env, up, shown);
  const packed = await rollout(env, up, { ...shown, frames: { ...shown.frames, packed: true } });
  await env.close();
  const all = [frames.get(0)!, packed.frames.get(0)!].map((them) => episodeData(episodes[0]!, them));
  assert.deepEqual(
    all.map(({ encoding }) => encoding),
    ['rows', 'changes'],
  );
  writeNotebook(
    lab.folder,
    'packed.ipynb',
    all.map((episode) => ({ source: '', outputs: [{ [EPISODE_MIME]: episode }] })),
  );
  const { page, errors } = await openNotebook(browser, lab.url('packed.ipynb'), { reducedMotion: 'reduce' });
  const { palette, frames: wanted } = frames.get(0)!;
  const colours = (frame: Uint8Array) =>
    Array.from(frame, (value) => [...palette.subarray(3 * value, 3 * value + 3)].join());
  for (const player of [page.locator('.joylab-Player').first(), page.locator('.joylab-Player').last()]) {
    await player.waitFor();
    await player.focus();
    for (const [key, frame] of [
      ['End', wanted.at(-1)!],
      ['ArrowLeft', wanted.at(-2)!],
      ['Home', wanted[0]],
    ] as const) {
      await page.keyboard.press(key);
      const seen = await player.locator('canvas').evaluate((node: any) => {
        const [across, down] = [node.width / 160, node.height / 210];
        const { data } = node.getContext('2d').getImageData(0, 0, node.width, node.height);
        return Array.from({ length: 160 * 210 }, (_, i) => {
          const at = 4 * (Math.floor(i / 160) * down * node.width + (i % 160) * across);
          return [data[at], data[at + 1], data[at + 2]].join();
        });
      });
      assert.deepEqual(seen, colours(frame), key);
    }
  }
  assert.equal(await page.locator('.joylab-Readout', { hasText: 'Lives' }).count(), 0, 'Freeway has no lives');
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('a player tells named state and marks, and saves picture and episode in the shape that is shown', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('episode.ipynb'), { reducedMotion: 'reduce' });
  const player = page.locator('.joylab-Player');
  await player.waitFor();
  await player.focus();
  await page.keyboard.press('End');
  const names = Object.keys(data.states!);
  assert.deepEqual(
    await player.locator('.joylab-State tr').allInnerTexts(),
    names.map((name) => `${name}\t${data.states![name].at(-1)}`),
  );
  const step = data.rewards.findIndex((reward) => reward > 0) + 1;
  const scrubber = (await player.locator('.joylab-Scrubber').boundingBox())!;
  await page.mouse.move(scrubber.x + 6 + ((scrubber.width - 12) * step) / data.actions.length, scrubber.y + 8);
  await becomes(
    async () => (await player.locator('.joylab-Scrubber-tip').innerText()).split('\n').includes(`step ${step}: +1`),
    true,
  );
  for (const [label, start] of [
    ['Save the picture as PNG', '89504e47'],
    ['Save the episode as GIF', '47494638'],
  ]) {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      player.getByRole('button', { name: label }).click(),
    ]);
    const bytes = fs.readFileSync(await file.path());
    assert.equal(bytes.toString('hex', 0, 4), start);
    const size =
      start === '89504e47'
        ? [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
        : [bytes.readUInt16LE(6), bytes.readUInt16LE(8)];
    assert.deepEqual(size, [560, 420], 'a television has 4:3');
  }
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('an episode that is drawn, and one that is told in text, play alike', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('pictures.ipynb'), { reducedMotion: 'reduce' });
  const [drawn, told] = [page.locator('.joylab-Player').first(), page.locator('.joylab-Player').last()];
  await drawn.waitFor();
  await becomes(() => page.locator('.joylab-Player').count(), 2);
  const picture = drawn.locator('img');
  const start = await picture.getAttribute('src');
  assert.ok(
    await picture.evaluate((image: any) => image.decode().then(() => image.naturalWidth > 0)),
    'the board is drawn',
  );
  await drawn.focus();
  await page.keyboard.press('End');
  assert.notEqual(await picture.getAttribute('src'), start);
  assert.match(await readout(drawn, 'Step'), /^(\d+) \/ \1$/);
  assert.match(await readout(drawn, 'Action'), /UP|RIGHT|DOWN|LEFT/);
  assert.match(await told.locator('pre').innerText(), /^count: 0\ngrid:\n  1 0\n  0 1$/);
  await told.focus();
  await page.keyboard.press('ArrowRight');
  assert.match(await told.locator('pre').innerText(), /^count: 3/);
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('keys play, pause, step and jump; the notebook does not get them', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('episode.ipynb'), { reducedMotion: 'reduce' });
  const player = page.locator('.joylab-Player');
  await player.focus();
  const start = await pixels(player.locator('canvas'));
  await shows(player, 'Step', '0 / 200', 'it starts by itself though less motion was asked for');
  await page.keyboard.press('End');
  await shows(player, 'Step', '200 / 200');
  const score = data.rewards.reduce((sum, reward) => sum + reward, 0);
  assert.ok(score > 0, 'following the ball scores');
  await shows(player, 'Score', String(score));
  await shows(player, 'Lives', String(data.lives[199]));
  await page.keyboard.press('Home');
  await becomes(() => pixels(player.locator('canvas')), start, 'playing backwards restores the first frame');
  await page.keyboard.press('ArrowRight');
  await shows(player, 'Step', `${data.every} / 200`);
  await shows(player, 'Action', data.actionNames[data.actions[data.every - 1]]);
  await page.keyboard.press('Shift+ArrowRight');
  await shows(player, 'Step', `${11 * data.every} / 200`);
  await page.keyboard.press('ArrowLeft');
  await shows(player, 'Step', `${10 * data.every} / 200`);
  await page.keyboard.press('Space');
  await player.getByRole('button', { name: 'Pause' }).waitFor();
  await changes(() => readout(player, 'Step'), 'The step');
  await page.keyboard.press('Space');
  await player.getByRole('button', { name: 'Play' }).waitFor();
  const isFull = () => player.evaluate((node: any) => node.ownerDocument.fullscreenElement === node);
  await page.keyboard.press('f');
  await becomes(isFull, true);
  await page.keyboard.press('f');
  await becomes(isFull, false);
  await page.keyboard.press('b');
  assert.equal(await page.locator('.jp-Notebook .jp-Cell').count(), 1, 'a key of the notebook acted inside the player');
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('the bar scrubs, sets the speed and the loop', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('episode.ipynb'), { reducedMotion: 'reduce' });
  const player = page.locator('.joylab-Player');
  await player.getByLabel('Position in the episode').fill(String(data.frameCount - 2));
  await shows(player, 'Step', `${(data.frameCount - 2) * data.every} / 200`);
  await player.getByLabel(/^Speed/).selectOption('8');
  const loop = player.getByRole('button', { name: /^Loop/ });
  assert.equal(await loop.getAttribute('aria-pressed'), 'true');
  await loop.click();
  assert.equal(await loop.getAttribute('aria-pressed'), 'false');
  await player.getByRole('button', { name: 'Play' }).click();
  await player.getByRole('button', { name: 'Play' }).waitFor();
  await shows(player, 'Step', '200 / 200', 'without a loop it stops at the end');
  await player.getByRole('button', { name: 'Step back' }).click();
  await shows(player, 'Step', `${(data.frameCount - 2) * data.every} / 200`);
  assert.deepEqual(errors, []);
  await page.close();
});

/** In the page: whether a text stays for 90 frames. In frames, as a page that stands still draws none. */
async function restsForFrames(node: any): Promise<boolean> {
  const before = node.textContent;
  for (let frame = 0; frame < 90; frame++) await new Promise((globalThis as any).requestAnimationFrame);
  return node.textContent === before;
}

labTest('out of view it rests, in view again it goes on', async () => {
  const { page } = await openNotebook(browser, lab.url('long.ipynb'));
  const player = page.locator('.joylab-Player');
  await player.waitFor();
  const step = () => player.locator('.joylab-Readout-value').last().textContent();
  await changes(step, 'The step');
  const last = page.locator('.jp-Notebook .jp-Cell').last();
  // The browser reports soon that the player is out of view; from then on it rests.
  await becomes(
    async () => {
      // Again and again: JupyterLab may scroll to the active cell once more while it still opens the notebook.
      await last.scrollIntoViewIfNeeded();
      return player.locator('.joylab-Readout-value').last().evaluate(restsForFrames);
    },
    true,
    'it rests',
  );
  await player.scrollIntoViewIfNeeded();
  await changes(step, 'The step');
  await page.close();
});

labTest('it fits a narrow notebook', async () => {
  const { page } = await openNotebook(browser, lab.url('episode.ipynb'), { width: 680 });
  const player = page.locator('.joylab-Player');
  await player.waitFor();
  const { width } = (await player.boundingBox())!;
  assert.ok(width < 330, `the player is ${width} pixels wide`);
  const overflow = await player.evaluate((node: any) => node.scrollWidth - node.clientWidth);
  assert.equal(overflow, 0);
  await page.close();
});

labTest('broken data gives a message in place of the player', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('broken.ipynb'));
  const alerts = page.locator('.joylab-Problem');
  await alerts.nth(3).waitFor();
  const texts = await alerts.allInnerTexts();
  assert.match(texts[0], /cannot be played[\s\S]*frames are (cut off after \d+ of \d+|not a valid zlib stream)/);
  assert.match(texts[1], /version 2, this player knows version 1/);
  assert.match(texts[2], /palette/);
  assert.match(texts[3], /not an object/);
  assert.deepEqual(errors, []);
  await page.close();
});
