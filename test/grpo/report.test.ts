import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { openenv, type RolloutEnvironment } from '../../kernel/environments';
import { GRPOTrainer, report, type GRPOConfig, type Report } from '../../kernel/grpo';
import type { RewardInput } from '../../kernel/rewards';
import { axeFindings, launchBrowser } from '../extension/browser';
import { freshModel, newTrainer, quietHost, temporaryFolder } from './fixtures';

// Reports of real runs, opened in a browser without a server.

const folder = temporaryFolder();
/** A folder for pictures that people look at; none by default. */
const PICTURES = process.env.JOYLAB_PICTURES;

let browser: Browser;
let breakout: GRPOTrainer;
let made: Report;
const path = join(folder, 'report.html');

function lasts({ episode }: RewardInput) {
  return episode ? episode.steps / 100 : 0;
}
function gains({ episode }: RewardInput) {
  return episode ? episode.return : null;
}

async function trained(env: RolloutEnvironment, args: GRPOConfig): Promise<GRPOTrainer> {
  const model = await freshModel({ maxSeqLength: 640 });
  const trainer = new GRPOTrainer({
    model,
    processingClass: model.tokenizer,
    env,
    rewardFuncs: [lasts, { name: 'gains', score: gains, weight: 2 }],
    args: { numGenerations: 4, maxCompletionLength: 96, maxEpisodeSteps: 120, seed: 3, ...args },
  });
  await trainer.train();
  return trainer;
}

before(async () => {
  quietHost();
  browser = await launchBrowser();
  const env = await openenv('atari', { game: 'breakout' });
  breakout = await trained(env, { maxSteps: 2, learningRate: 1e-4, refinement: { validationEpisodes: 0 } });
  made = await report(path, breakout);
});
after(() => browser?.close());

interface Opened {
  page: Page;
  /** Addresses outside of the file, and what the console said. */
  said: string[];
}

async function open(file: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, ...options });
  const said: string[] = [];
  page.on('request', (request) => /^(data|file):/.test(request.url()) || said.push(request.url()));
  page.on('console', (message) => said.push(message.text()));
  await page.goto(`file://${file}`);
  return { page, said };
}

test('a report has numbers, sources, settings and versions of the run, and the way to its best program', async () => {
  const { page, said } = await open(path, { javaScriptEnabled: false });
  assert.deepEqual(await page.locator('h2').allInnerTexts(), [
    'Before and after',
    'Numbers',
    'Curves',
    'Reward functions',
    'The way to the best program',
    'Settings',
    'Made with',
  ]);
  assert.equal(await page.locator('h1').innerText(), 'breakout: 2 steps of GRPO');
  const rows = await page.locator('table').first().locator('tbody tr').allInnerTexts();
  const [first, last] = [0, 1].map((i) => breakout.logHistory[i].reward.toFixed(2));
  assert.equal(rows[0], `reward\t${first}\t${last}`);
  assert.match(rows.join('\n'), /^lasts\t[\s\S]*^return, mean\t[\s\S]*^completions that play\t/m);
  const text = await page.locator('main').innerText();
  assert.match(
    text,
    /Returns to measure it by: random actions [\d.]+, always \w+, the best constant action, [\d.]+, a human 30\.5\./,
  );
  assert.match(text, /gains × 2\nfunction gains\(\{ episode \}\) \{\s+return episode \? episode\.return : null;\s+\}/);
  assert.match(text, new RegExp(`Program ${breakout.programs.best()!.id}: step`));
  assert.match(text, /learningRate\t0\.0001/);
  assert.match(text, new RegExp(`node ${process.versions.node}`));
  assert.match(text, new RegExp(`run\t${breakout.runId}`));
  assert.equal(await page.locator('.charts svg').count(), 6);
  assert.deepEqual(said, []);
  await page.close();
});

test('its pictures move without a script, stop on request, and stand still for those who want that', async () => {
  const { page } = await open(path, { javaScriptEnabled: false });
  const figure = page.locator('figure').last();
  const moving = figure.locator('.moving');
  const box = (await moving.boundingBox())!;
  assert.ok(Math.abs(box.width / box.height - 4 / 3) < 0.02, `the form of a television: ${box.width} × ${box.height}`);
  const shot = async () => (await figure.screenshot()).toString('base64');
  const before = await shot();
  let moved = false;
  for (let tries = 0; tries < 30 && !moved; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    moved = (await shot()) !== before;
  }
  assert.ok(moved, 'it plays');
  await figure.getByLabel('Stop the picture').check();
  assert.deepEqual([await moving.isVisible(), await figure.locator('.still').isVisible()], [false, true]);
  await page.close();
  const calm = await open(path, { reducedMotion: 'reduce' });
  assert.deepEqual(
    [await calm.page.locator('.moving:visible').count(), await calm.page.locator('.still:visible').count()],
    [0, 2],
  );
  await calm.page.close();
});

test('it is readable in light and dark, on a phone and on paper; axe finds nothing', async () => {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [390, 1200]) {
      // The page allows no script; axe is one.
      const { page } = await open(path, { colorScheme, viewport: { width, height: 844 }, bypassCSP: true });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false, `${width} pixels`);
      assert.deepEqual(await axeFindings(page, 'html'), []);
      if (PICTURES)
        await page.screenshot({ path: join(PICTURES, `report-${colorScheme}-${width}.png`), fullPage: true });
      await page.close();
    }
  const { page } = await open(path, { colorScheme: 'dark' });
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  assert.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)');
  assert.equal(await page.locator('.moving:visible').count(), 0);
  if (PICTURES) await page.screenshot({ path: join(PICTURES, 'report-print.png'), fullPage: true });
  await page.close();
});

test('the same is an output of a cell, with text for viewers without HTML', () => {
  const bundle = (made as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for('Jupyter.display')]();
  assert.match(bundle['text/html'], /Before: the median rollout of step 1[\s\S]*data:image\/gif;base64,[\s\S]*<table/);
  assert.doesNotMatch(bundle['text/html'], /<script|<style|<input|https?:\/\/(?!www\.w3\.org)/);
  assert.match(bundle['text/plain'], /^breakout: 2 steps of GRPO\n\n +before +after\nreward +/);
  assert.ok(bundle['text/html'].length < 1_500_000, `${bundle['text/html'].length} bytes`);
});

test('an environment that draws SVG moves, too; a run without one, and one that has made no step, say so', async () => {
  const env = await openenv('game2048');
  const trainer = await trained(env, { maxSteps: 1, measureReference: false });
  const file = join(folder, '2048.html');
  await report(file, trainer);
  const { page, said } = await open(file);
  await page.locator('figure .moving').first().waitFor();
  assert.ok(
    await page
      .locator('figure .moving')
      .first()
      .evaluate((image: any) => image.naturalWidth > 0),
  );
  assert.deepEqual(said, []);
  await page.close();
  const text = newTrainer(await freshModel(), { maxSteps: 1 });
  await assert.rejects(report(null, text), /The run has made no step yet/);
  await text.train();
  const html = (await report(null, text)).html;
  assert.match(html, /No rollout has played an episode\./);
  assert.match(html, /none: completions are scored as text/);
});
