import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { becomes, openNotebook, runAllCells, waitUntil } from './browser';
import { labTest } from './labTest';
import { writeNotebook } from './notebooks';
import { useLab } from './useLab';

/*
 * The way of somebody who has never seen the project, with a picture of each step in the
 * folder that $JOYLAB_FILM names.
 */

const REWARDS = `/** @reward */
function works({ episode }: Sample) {
  return episode && !episode.failed ? 1 : -1;
}
function plays(sample: Sample) {
  return normalizedReturn(sample);
}`;

/** What somebody tries to make the paddle calm: each move costs far more than a brick is worth. */
const CALM = `function plays(sample: Sample) {
  const { episode } = sample;
  if (!episode) return 0;
  const moves = episode.actions.filter((action) => /LEFT|RIGHT/.test(episode.actionNames[action])).length;
  return normalizedReturn(sample) - moves / 10;
}`;

const { lab, browser } = useLab({}, () => {
  writeNotebook(lab.folder, 'run.ipynb', [
    {
      source: `import { FastLanguageModel, openenv, normalizedReturn } from 'joylab';
import type { Sample } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256, loadIn4bit: false });
model = FastLanguageModel.getPeftModel(model, { r: 8, loraAlpha: 16, targetModules: ['q_proj', 'v_proj'], randomState: 1 });
const env = await openenv('atari', { game: 'breakout' });`,
    },
    { source: REWARDS },
    {
      source:
        '/** @grpo */\nconst config = { maxSteps: 60, numGenerations: 8, maxEpisodeSteps: 200, learningRate: 1e-5, seed: 1 };',
    },
  ]);
});

/** Somebody at a page: counts their clicks, and takes a picture after each step. */
class Visitor {
  clicks = 0;
  private pictures = 0;

  constructor(private readonly page: Page) {}

  async click(target: Locator): Promise<void> {
    this.clicks++;
    await target.click();
  }

  async clickAt(x: number, y: number): Promise<void> {
    this.clicks++;
    await this.page.mouse.click(x, y);
  }

  async see(name: string): Promise<void> {
    const folder = process.env.JOYLAB_FILM;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await this.page.waitForTimeout(700);
    await this.page.screenshot({ path: join(folder, `${String(++this.pictures).padStart(2, '0')}-${name}.png`) });
  }
}

/** Rewrites the last function of the reward cell, and runs the cell by its keys. */
async function editReward(page: Page, visitor: Visitor, plays: string): Promise<void> {
  const cell = page.locator('.jp-CodeCell').nth(1);
  await cell.scrollIntoViewIfNeeded();
  await visitor.click(cell.locator('.jp-InputArea-editor'));
  await page.evaluate(
    `(() => {
      const { sharedModel } = jupyterapp.shell.currentWidget.content.widgets[1].model;
      sharedModel.setSource(sharedModel.getSource().replace(/function plays[^]*/, ${JSON.stringify(plays)}));
    })()`,
  );
  await page.keyboard.press('Control+Enter');
}

/** The mean rewards by step, as the charts have them. */
function rewards(page: Page): Promise<Array<[step: number, reward: number]>> {
  return page.evaluate(`(() => {
    const { x, y } = document.querySelector('.joylab-Chart-plot').data.at(-1);
    return Array.from(x, (step, i) => [step, y[i]]);
  })()`);
}

/** Waits until a run has made some more steps. */
async function moreSteps(page: Page, count: number): Promise<void> {
  const made = async () => {
    // The charts are drawn where they are seen.
    await page.locator('.joylab-Chart').first().scrollIntoViewIfNeeded();
    return (await rewards(page).catch(() => [])).length;
  };
  const wanted = (await made()) + count;
  await waitUntil(page, async () => (await made()) >= wanted, `${count} more steps are made`, 400_000);
}

/** Returns where a step is in the chart of the reward. */
async function pointOf(page: Page, step: number): Promise<{ x: number; y: number }> {
  const plot = page.locator('.joylab-Chart-plot').first();
  await plot.scrollIntoViewIfNeeded();
  return plot.evaluate((node: any, at: number) => {
    const { xaxis, yaxis } = node._fullLayout;
    const { left, top } = node.getBoundingClientRect();
    const line = node.data.at(-1);
    return {
      x: left + xaxis._offset + xaxis.l2p(at),
      y: top + yaxis._offset + yaxis.l2p(line.y[Array.from<number>(line.x).indexOf(at)]),
    };
  }, step);
}

labTest(
  'a stranger edits a reward while it trains and sees the mark without a pause, then goes from the dip to the line that made it in three clicks',
  async () => {
    const { page, errors } = await openNotebook(browser, lab.url('run.ipynb'), { width: 1600, height: 1000 });
    await page.evaluate('jupyterapp.shell.collapseLeft()');
    const visitor = new Visitor(page);
    await runAllCells(page);
    const status = page.locator('.joylab-Status');
    await page.locator('.joylab-Chart-plot .main-svg').first().waitFor({ timeout: 300_000 });
    await moreSteps(page, 4);
    await status.scrollIntoViewIfNeeded();
    await visitor.see('it-trains');

    await editReward(page, visitor, CALM);
    await page.locator('.joylab-Compare').first().waitFor();
    await visitor.see('the-reward-is-edited-and-what-changed-is-shown');
    // No click leads there: it is the next cell.
    const mark = page.locator('.joylab-Chart').first().locator('.joylab-Mark[aria-label*="plays replaced"]');
    const isMarked = async () => {
      await page.locator('.joylab-Status').scrollIntoViewIfNeeded();
      return (await mark.count()) > 0;
    };
    await waitUntil(page, isMarked, 'the chart has the mark', 120_000);
    await mark.first().hover();
    assert.match(
      await page.locator('.joylab-Chart').first().locator('.joylab-Marks-text').innerText(),
      /^Step \d+: plays replaced \(Cell \[\d+\], line 5\)/,
    );
    assert.equal(await status.getAttribute('data-status'), 'running');
    assert.equal(await page.locator('.joylab-Mark.joylab-mod-pause').count(), 0, 'nothing paused');
    await visitor.see('the-mark-on-the-chart');
    const edits = visitor.clicks;
    assert.ok(edits <= 1, `${edits} clicks from the edit to the mark`);

    await moreSteps(page, 3);
    await status.scrollIntoViewIfNeeded();
    await editReward(page, visitor, REWARDS.slice(REWARDS.indexOf('function plays')));
    await moreSteps(page, 4);
    await page.evaluate('jupyterapp.commands.execute("notebook:interrupt-kernel")');
    await page.locator('.joylab-Status[data-status="paused"]').waitFor();
    await page.locator('.joylab-Training').scrollIntoViewIfNeeded();
    await page.locator('.joylab-Chart').first().scrollIntoViewIfNeeded();
    await visitor.see('the-dip');

    // The lowest point of the curve, its lowest rollout, the line that decided most of its steps.
    const [dip] = (await rewards(page)).reduce((a, b) => (b[1] < a[1] ? b : a));
    const { x, y } = await pointOf(page, dip);
    await page.mouse.move(x, y);
    visitor.clicks = 0;
    await visitor.clickAt(x, y);
    const view = page.locator('.joylab-Rollouts');
    await becomes(() => view.locator('.joylab-Rollouts-title').innerText(), `Step ${dip}`);
    await view.locator('.joylab-Rollout canvas').first().waitFor();
    await visitor.see('its-group');
    await visitor.click(view.getByRole('button', { name: /Highest first/ }));
    await view.locator('.joylab-Rollout canvas').first().waitFor();
    await visitor.see('the-lowest-first');
    await visitor.click(view.locator('.joylab-Rollout', { has: page.locator('canvas') }).first());
    const decided = view.locator('.joylab-Source-line.joylab-mod-decided');
    await decided.first().waitFor();
    await visitor.see('the-line-that-decided');
    assert.ok(visitor.clicks <= 3, `${visitor.clicks} clicks from the dip to the line`);
    const lines = await decided.allInnerTexts();
    const most = lines.reduce((a, b) => (count(b) > count(a) ? b : a));
    assert.match(most, /LEFT|RIGHT|return/, 'it is the line that moves the paddle');
    assert.match(await view.locator('.joylab-Rollouts-table').first().innerText(), /plays\s+(1\s+)?−\d/);
    assert.deepEqual(errors, []);
    await page.close();
  },
);

/** Steps that a line decided, as its mark says. */
function count(line: string): number {
  return Number(/(\d+)×/.exec(line)?.[1] ?? 0);
}
