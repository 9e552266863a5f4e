import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { becomes, openNotebook, runAllCells, waitUntil } from './browser';
import { labTest } from './labTest';
import { writeNotebook } from './notebooks';
import { useLab } from './useLab';

const { lab, browser } = useLab();

const TRAINS = [
  `import { FastLanguageModel, openenv } from 'joylab';
import type { Sample } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256 });
model = FastLanguageModel.getPeftModel(model, { r: 4, randomState: 1 });
const env = await openenv('atari', { game: 'breakout' });`,
  '/** @reward */\nfunction scores({ episode }: Sample) { return episode ? episode.return : null; }',
  '/** @grpo */\nconst config = { maxSteps: 500, numGenerations: 6, maxCompletionLength: 96, maxEpisodeSteps: 800, learningRate: 0, seed: 1, measureReference: false };',
];

/** Counts, in the page, pictures that are painted while a group plays, and keeps what its tiles say. */
const WATCH = `(() => {
  const seen = (window.seen = { painted: 0, said: [] });
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...args) {
    const tiles = [...document.querySelectorAll('.joylab-Tile.joylab-mod-live')];
    if (tiles.length > 0 && this.canvas.className.includes('joylab-Wall-canvas')) {
      seen.painted++;
      for (const { ariaLabel } of tiles) if (!seen.said.includes(ariaLabel)) seen.said.push(ariaLabel);
    }
    return put.apply(this, args);
  };
})()`;

const seen = (page: Page): Promise<{ painted: number; said: string[] }> => page.evaluate('window.seen');

labTest('tiles move while their group plays, and then the group is sorted; hidden, nothing comes', async () => {
  writeNotebook(
    lab.folder,
    'live.ipynb',
    TRAINS.map((source) => ({ source })),
  );
  const context = browser.contexts()[0] ?? (await browser.newContext());
  const received: string[] = [];
  context.on('page', (page) =>
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => received.push(String(payload)))),
  );
  const { page, errors } = await openNotebook(browser, lab.url('live.ipynb'), { height: 1200 });
  await page.evaluate(WATCH);
  await runAllCells(page);
  await page.locator('.joylab-Tile.joylab-mod-live').first().waitFor();
  await page.locator('.joylab-Wall').scrollIntoViewIfNeeded();
  const midPlay = (said: string[]) =>
    said.filter((text) => /^Rollout \d: plays, return \d+, [1-9]\d* steps$/.test(text));
  await waitUntil(
    page,
    async () => midPlay((await seen(page)).said).length >= 4 && (await seen(page)).painted >= 12,
    'tiles move while they play',
    60_000,
  );
  const sorted = page.locator('.joylab-Section-about', { hasText: 'from the best reward to the worst' });
  await sorted.waitFor();

  // Another tab of JupyterLab is in front: the run goes on, and nothing of it is shown.
  const count = (type: string) => received.filter((text) => text.includes(`"type":"${type}"`)).length;
  assert.ok(count('live') > 0);
  await page.evaluate('jupyterapp.commands.execute("launcher:create")');
  await page.locator('.joylab-Wall').waitFor({ state: 'hidden' });
  await page.waitForTimeout(1000);
  const [live, steps, { painted }] = [count('live'), count('log'), await seen(page)];
  await becomes(async () => count('log') >= steps + 2, true, 'the run goes on');
  assert.equal(count('live'), live, 'nothing is sent');
  assert.equal((await seen(page)).painted, painted, 'nothing is painted');
  assert.deepEqual(errors, []);
  await page.close();
});
