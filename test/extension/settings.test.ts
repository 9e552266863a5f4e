import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { EpisodeData, TrainingData } from '../../kernel/display/mime';
import { episodeData } from '../../kernel/display/pictures/episode';
import { trainingBundle } from '../../kernel/display/training/trainingBundle';
import { openenv } from '../../kernel/environments';
import { rollout } from '../../kernel/rollout';
import { becomes, openNotebook, pixels, waitForMotion } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';

const { lab, browser } = useLab({}, async () => {
  const run = trainingBundle(await finishedRun());
  writeNotebook(lab.folder, 'run.ipynb', [
    { source: '/** @grpo */', outputs: [run] },
    { source: 'const wrong: number = "text";' },
  ]);
  writeNotebook(lab.folder, 'second.ipynb', [{ source: '/** @grpo */', outputs: [run] }]);
});

/** A run with four real episodes in its newest group. */
async function finishedRun(): Promise<TrainingData> {
  const env = await openenv('atari', { game: 'breakout' });
  const codes = ['LEFT', 'RIGHT', 'NOOP', 'LEFT'].map((action) => `function strategy(state) { return "${action}"; }`);
  const { episodes, frames } = await rollout(env, codes, {
    seeds: [1, 1, 1, 2],
    maxSteps: 400,
    frames: { episodes: [0, 1, 2, 3], every: 1 },
  });
  await env.close();
  const played: EpisodeData[] = episodes.map((episode, i) => episodeData(episode!, frames.get(i)!));
  const scores = played.map((_, index) => ({ index, reward: 4 - index, advantage: 0, rewards: { scores: 4 - index } }));
  return {
    version: 1,
    runId: 'finished',
    status: 'finished',
    step: 3,
    maxSteps: 3,
    rewardNames: ['scores'],
    log: [1, 2, 3].map((step) => ({ step, reward: step, loss: 0.1 })),
    events: [],
    group: { step: 3, episodes: played, scores, of: 4 },
  };
}

/** Shows the form of the settings, beside the notebook. */
async function openSettings(page: Page): Promise<void> {
  await page.evaluate('void jupyterapp.commands.execute("settingeditor:open", { query: "Joylab" })');
  const name = await page.locator('.jp-SettingsPanel').first();
  await name.waitFor();
  await page.evaluate(`(() => {
    const { shell } = jupyterapp;
    const editor = [...shell.widgets('main')].find(({ id }) => id === 'setting-editor');
    const notebook = [...shell.widgets('main')].find(({ id }) => id !== 'setting-editor');
    shell.add(editor, 'main', { mode: 'split-right', ref: notebook.id });
  })()`);
  await field(page, 'badges').waitFor();
}

/** The control of a setting. */
const field = (page: Page, name: string) =>
  page.locator(`.jp-SettingsPanel [id$="settings_${name}"]:is(input, select)`);

labTest('settings in the Settings Editor take effect at once', async () => {
  const { page, errors, cell } = await openNotebook(browser, lab.url('run.ipynb'), { width: 2000, height: 1200 });
  const badges = () => page.locator('.joylab-Badge').count();
  await becomes(badges, 1);
  await cell(1).locator('.cm-content').click();
  await cell(1).locator('.joylab-Squiggle').waitFor();
  await cell(0).locator('.cm-content').click();
  const actions = page.locator('.joylab-Actions jp-button:not([hidden])');
  await becomes(() => actions.count(), 1);
  const tiles = () => page.locator('.joylab-Tile').count();
  await becomes(tiles, 4);
  const canvas = page.locator('.joylab-Wall-canvas');
  await waitForMotion(canvas);
  await openSettings(page);

  await field(page, 'badges').uncheck();
  await becomes(badges, 0);
  await field(page, 'cellToolbar').uncheck();
  await becomes(() => page.locator('.joylab-Actions:visible').count(), 0);
  await field(page, 'problems').uncheck();
  await becomes(() => page.locator('.joylab-Squiggle').count(), 0);
  await field(page, 'tiles').fill('2');
  await becomes(tiles, 2);
  assert.match(await page.locator('.joylab-Wall-panel .joylab-Section').innerText(), /2 of 4, from the best reward/);
  await field(page, 'smoothing').fill('0.5');
  await becomes(() => page.locator('.joylab-Smoothing-input').inputValue(), '0.5');
  await field(page, 'framesPerSecond').fill('2');
  await becomes(async () => (await pictures(page)) <= 5, true, 'two pictures are drawn in a second');
  await field(page, 'badges').check();
  await becomes(badges, 1);

  // What comes into view from now on stands still.
  await field(page, 'autoplay').uncheck();
  await page.waitForTimeout(1000);
  await page.evaluate('void jupyterapp.commands.execute("docmanager:open", { path: "second.ipynb" })');
  const second = page.locator('.jp-NotebookPanel:visible .joylab-Wall-canvas').last();
  await second.waitFor();
  await page.getByRole('button', { name: 'Play the rollouts' }).last().waitFor();
  const still = await pixels(second);
  await page.waitForTimeout(1500);
  assert.equal(await pixels(second), still);
  assert.deepEqual(errors, []);
  await page.close({ runBeforeUnload: false });
});

/** Returns the number of pictures that a wall draws in two seconds. */
function pictures(page: Page): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    const { putImageData } = CanvasRenderingContext2D.prototype;
    const times = new Set();
    CanvasRenderingContext2D.prototype.putImageData = function (...args) {
      times.add(document.timeline.currentTime);
      return putImageData.apply(this, args);
    };
    setTimeout(() => {
      CanvasRenderingContext2D.prototype.putImageData = putImageData;
      resolve(times.size);
    }, 2000);
  })`);
}
