import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { BenchmarkResult } from '../../kernel/benchmark';
import type { BenchmarkEntry } from '../../kernel/benchmark/entry';
import { seededRandom } from '../../kernel/common/random';
import { BENCHMARK_MIME } from '../../kernel/display/benchmarkMime';
import { axeFindings, changeTheme, launchBrowser, openNotebook, waitUntil } from './browser';
import { startLab, type Lab } from './lab';
import { labTest } from './labTest';
import { writeNotebook, type Bundle } from './notebooks';

let lab: Lab;
let browser: Browser;

/** Returns an entry whose attempts get about so much. */
function entry(
  policy: string,
  means: number[],
  { sampled = false, game = 'breakout', stopped = '' } = {},
): BenchmarkEntry {
  const random = seededRandom(policy.length, means.length);
  const seeds = Array.from({ length: 20 }, (_, i) => 1_000_001 + i);
  return {
    policy,
    kind: sampled ? 'model' : 'program',
    identity: policy,
    environment: { name: game, kind: 'atari', options: { game } },
    reference: {
      maxSteps: 1000,
      chance: { mean: 1.5, std: 1.2 },
      constants: [{ action: 'LEFT', mean: 3 }],
      human: { mean: 30.5, source: 'Wang et al. 2016' },
    },
    maxSteps: 1000,
    strategyTimeLimit: 2,
    seeds,
    sampling: sampled
      ? { attempts: means.length, validationEpisodes: 8, temperature: 1, topP: 1, maxNewTokens: 512, seed: 42 }
      : null,
    attempts: means.map((mean, i) => ({
      seed: sampled ? i : null,
      code: 'function strategy() { return "LEFT"; }',
      returns: seeds.map(() => Math.max(0, Math.round(mean + 6 * (random.next() - 0.5) * Math.sqrt(mean + 1)))),
      ...(sampled && { validation: mean }),
      failures: 0,
      promptTokens: 32,
      completionTokens: 60,
      seconds: 0.2,
    })),
    ...(stopped && { stopped }),
    version: '0.1.0',
    date: '2026-11-30T20:00:00.000Z',
  };
}

const result = new BenchmarkResult(
  [
    entry('random', [1.5]),
    entry('always the best action', [3]),
    entry('untrained', [1, 3, 2, 8, 0, 4, 3, 9], { sampled: true }),
    entry('trained', [27, 30, 28, 25, 31, 26, 29, 28], { sampled: true }),
    entry('a model of 120 billion parameters behind an address', [20, 36, 2], {
      sampled: true,
      stopped: 'https://api.example/v1/chat/completions answered 429: Slow down, after 6 tries.',
    }),
    entry('by hand', [60]),
    entry('random', [1.5], { game: 'pong' }),
    entry('trained', [12, 9, 11], { sampled: true, game: 'pong' }),
  ],
  ["The results are kept in leaderboard.json: leaderboard('leaderboard.json') shows all in it."],
);

before(async () => {
  lab = await startLab();
  browser = await launchBrowser();
  const show = (result as unknown as Record<symbol, () => Bundle>)[Symbol.for('Jupyter.display')];
  const bundle = show.call(result);
  const damaged = { [BENCHMARK_MIME]: { version: 1, groups: [{}], notes: [] }, 'text/plain': 'damaged' };
  writeNotebook(lab.folder, 'benchmark.ipynb', [
    { source: 'await benchmark(…)', outputs: [bundle] },
    { source: '', outputs: [damaged] },
  ]);
});

after(async () => {
  await browser?.close();
  await lab?.close();
});

/** Returns the colours of the charts' marks. */
const colours = (page: Page) =>
  page.evaluate<string[]>(
    "[...document.querySelectorAll('.joylab-Benchmark-plot .points path')].map((path) => getComputedStyle(path).fill)",
  );

labTest('a benchmark has a table, a chart that follows the theme, and comparisons in words', async () => {
  const { page } = await openNotebook(browser, lab.url('benchmark.ipynb'));
  const view = page.locator('.joylab-Benchmark');
  await view.waitFor();
  const group = view.locator('.joylab-Benchmark-group').first();
  assert.match(
    (await group.locator('.joylab-Benchmark-head').textContent())!,
    /breakout.*20 starts, at most 1,000 steps/,
  );
  const names = await group.locator('tbody td:first-child').allTextContents();
  assert.equal(names.length, 7);
  assert.deepEqual([names[0], names.at(-1)], ['by hand', 'human']);
  const chart = group.locator('.joylab-Benchmark-chart');
  await chart.locator('.main-svg').first().waitFor();
  assert.equal(
    await chart.locator('.points path').count(),
    6 + 3,
    'a mark for each mean, and for the best of each model',
  );
  assert.ok((await chart.locator('.errorbar').count()) >= 8);
  const light = await colours(page);
  assert.ok(light.length > 9 && light.every((colour) => colour.startsWith('rgb')));
  await changeTheme(page, 'JupyterLab Dark');
  await waitUntil(
    page,
    async () => String(await colours(page)) !== String(light),
    'the chart has the colours of the dark theme',
    30_000,
  );
  const statements = await group.locator('.joylab-Benchmark-statements li').allTextContents();
  assert.match(statements.join('\n'), /by hand is better than random by/);
  const hidden = group.locator('details li').first();
  assert.equal(await hidden.isVisible(), false);
  await group.locator('summary').click();
  assert.equal(await hidden.isVisible(), true);
  assert.match(
    (await view.textContent())!,
    /3 of 3 attempts\. https:\/\/api\.example\/v1\/chat\/completions answered 429/,
  );
  assert.match((await view.textContent())!, /over all environments/);
  const axe = () => axeFindings(page, '.joylab-Benchmark');
  assert.deepEqual(await axe(), []);
  await changeTheme(page, 'JupyterLab Light');
  assert.deepEqual(await axe(), []);
  await page.setViewportSize({ width: 700, height: 900 });
  const width = await chart.evaluate((node) => [
    node.lastElementChild!.clientWidth,
    node.querySelector('.main-svg')!.clientWidth,
  ]);
  await waitUntil(
    page,
    () =>
      chart.evaluate(
        (node) => Math.abs(node.lastElementChild!.clientWidth - node.querySelector('.main-svg')!.clientWidth) < 2,
      ),
    `the chart is as wide as its place: ${width}`,
    30_000,
  );
  await page.close();
});

labTest('data that is damaged is told in a sentence', async () => {
  const { page } = await openNotebook(browser, lab.url('benchmark.ipynb'));
  const problem = page.locator('.jp-Cell').nth(1).getByText('This benchmark cannot be shown.');
  await problem.waitFor();
  await page.close();
});
