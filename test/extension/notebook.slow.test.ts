import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { packageRoot } from '../../kernel/common/packagePaths';
import { becomes, changes, openNotebook, pixels, runAllCells, waitForCells, waitForMotion, waitUntil } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';

const { lab, browser } = useLab();

/** The project's notebook with less work in it: few steps, small groups. */
function writeShortened(file: string): void {
  let text = fs.readFileSync(path.join(packageRoot, 'notebooks', 'atari.ipynb'), 'utf8');
  for (const [setting, value] of [
    ['maxSteps', 12],
    ['searchSteps', 2],
    ['starts', 4],
    ['numGenerations', 8],
  ]) {
    const pattern = new RegExp(`${setting}(:| =) \\d+(?=(,|;)( //|\\\\n))`);
    assert.ok(pattern.test(text), `the notebook sets no ${setting}`);
    text = text.replace(pattern, `${setting}$1 ${value}`);
  }
  const notebook = JSON.parse(text);
  for (const cell of notebook.cells)
    if (cell.cell_type === 'code') Object.assign(cell, { outputs: [], execution_count: null });
  fs.writeFileSync(file, JSON.stringify(notebook));
}

function cellWith(page: Page, text: string): Locator {
  return page
    .locator('.jp-CodeCell')
    .filter({ has: page.locator('.jp-InputArea-editor', { hasText: text }) })
    .first();
}

/** Data of the first chart's line. */
function rewardPoints(page: Page): Promise<number[]> {
  return page
    .locator('.joylab-Chart-plot')
    .first()
    .evaluate((node: any) => node.data.at(-1).y);
}

/** Puts the cursor after a text of a cell's editor. */
async function editAfter(page: Page, cell: Locator, text: string, addition: string): Promise<void> {
  await cell.scrollIntoViewIfNeeded();
  const line = cell.locator('.cm-line', { hasText: text });
  await line.click();
  await page.keyboard.press('End');
  if (!(await line.innerText()).endsWith(text)) throw new Error(`The line does not end with ${text}`);
  await page.keyboard.insertText(addition);
}

labTest('run all cells: frames move, charts grow; an edited reward shows old and new scores at once', async () => {
  writeShortened(path.join(lab.folder, 'atari.ipynb'));
  const { page, errors } = await openNotebook(browser, lab.url('atari.ipynb'));
  await runAllCells(page);

  const training = page.locator('.joylab-Training').first();
  await waitUntil(page, async () => (await training.count()) > 0, 'the training cell has an output', 400_000);
  // Pictures play in view, and the charts above them grow.
  const wall = training.locator('.joylab-Wall-canvas');
  // The first step of many episodes takes a while where other tests run beside.
  await wall.waitFor({ timeout: 240_000 });
  await changes(async () => {
    await wall.evaluate((node: any) => node.scrollIntoView({ block: 'center' }));
    return pixels(wall);
  }, 'The wall');
  // Of the group that was scored last: while the next one plays, there is no best.
  await training.locator('.joylab-Tile.joylab-mod-best').first().waitFor();
  await training.locator('.joylab-Status[data-status="finished"]').waitFor({ timeout: 300_000 });
  await becomes(async () => (await rewardPoints(page)).filter(Number.isFinite).length, 12);
  await becomes(() => training.locator('.joylab-Table tbody tr:not(:has(.joylab-Table-event))').count(), 12);

  await waitForCells(page, 300_000);
  await page.locator('.joylab-Environment').scrollIntoViewIfNeeded();
  assert.match((await page.locator('.joylab-Environment').textContent())!, /breakout[\s\S]*LEFT[\s\S]*ball_x/);
  const players = page.locator('.joylab-Player');
  assert.ok((await players.count()) >= 2, 'episodes that cells return are shown in the player');
  for (const player of await players.all()) {
    await player.scrollIntoViewIfNeeded();
    await waitForMotion(player.locator('canvas'));
  }

  const rewardCell = cellWith(page, 'function strategySucceeds');
  await editAfter(page, rewardCell, 'return 5 * normalizedReturn(sample);', ' // changed');
  await page.keyboard.press('Control+Home');
  await editAfter(
    page,
    rewardCell,
    'function strategySucceeds(sample: Sample) {',
    '\n  if (sample.episode?.return === 0) return -9;',
  );
  const start = Date.now();
  await page.keyboard.press('Control+Enter');
  const comparison = rewardCell.locator('.jp-OutputArea-output', { hasText: 'strategySucceeds' }).first();
  await comparison.filter({ hasText: 'strategySucceeds changed' }).waitFor({ timeout: 60_000 });
  const seconds = (Date.now() - start) / 1000;
  assert.match(await comparison.innerText(), /scored again without playing/);
  // Within a second on a quiet machine.
  assert.ok(seconds < 20, `old and new scores were there after ${seconds} s`);
  await waitForCells(page, 120_000);
  assert.deepEqual(errors, []);
  await page.close();
});

labTest(
  'the view follows a run over a reload of the page; stop pauses, running the cell again goes on, a restart ends it',
  async () => {
    writeNotebook(lab.folder, 'run.ipynb', [
      {
        source: `import { FastLanguageModel, openenv } from 'joylab';
import type { Sample } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256, loadIn4bit: false });
model = FastLanguageModel.getPeftModel(model, { r: 8, loraAlpha: 16, targetModules: ['q_proj', 'v_proj'], randomState: 1 });
const env = await openenv('atari', { game: 'breakout' });`,
      },
      { source: '/** @reward */\nfunction scores({ episode }: Sample) { return episode ? episode.return : null; }' },
      { source: '/** @grpo */\nconst config = { maxSteps: 500, numGenerations: 4, learningRate: 1e-4, seed: 1 };' },
    ]);
    const { page, errors } = await openNotebook(browser, lab.url('run.ipynb'));
    await runAllCells(page);
    await page.locator('.joylab-Training').waitFor({ timeout: 300_000 });
    await waitForStep(page, 2);
    // Not by the page's marks: a run's output makes the notebook dirty again at once.
    await page.evaluate('jupyterapp.commands.execute("docmanager:save")');

    await page.goto(lab.url('run.ipynb'));
    await page.locator('.joylab-Training').waitFor({ timeout: 300_000 });
    const step = await shownStep(page);
    await waitForStep(page, step + 2);
    await page.locator('.joylab-Training').scrollIntoViewIfNeeded();
    await waitForMotion(page.locator('.joylab-Wall-canvas'));

    await page.evaluate('jupyterapp.commands.execute("notebook:interrupt-kernel")');
    const start = Date.now();
    await page.locator('.joylab-Status[data-status="paused"]').waitFor({ timeout: 120_000 });
    const seconds = (Date.now() - start) / 1000;
    // Within two seconds on a quiet machine; the run would go on for minutes.
    assert.ok(seconds < 40, `it paused after ${seconds} s`);
    const paused = await shownStep(page);

    await page.locator('.jp-CodeCell').nth(2).locator('.jp-InputArea-editor').click();
    await page.keyboard.press('Control+Enter');
    await page.locator('.joylab-Status[data-status="running"]').waitFor({ timeout: 120_000 });
    await waitForStep(page, paused + 1);
    await page.evaluate('jupyterapp.commands.execute("notebook:interrupt-kernel")');
    await page.locator('.joylab-Status[data-status="paused"]').waitFor({ timeout: 120_000 });

    await page.evaluate('jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()');
    await page.locator('.joylab-Status[data-status="lost"]').waitFor({ timeout: 120_000 });
    assert.deepEqual(errors, []);
    await page.close();
  },
);

async function shownStep(page: Page): Promise<number> {
  const text = await page.locator('.joylab-Status-detail').first().textContent();
  return Number(/step (\d+)/.exec(text ?? '')?.[1] ?? 0);
}

function waitForStep(page: Page, step: number): Promise<void> {
  return waitUntil(page, async () => (await shownStep(page)) >= step, `step ${step} is shown`, 300_000);
}
