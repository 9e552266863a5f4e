import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { becomes, openNotebook, runAllCells, waitForMotion, waitUntil } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';

const { lab, browser } = useLab({}, async () => {
  writeNotebook(lab.folder, 'run.ipynb', [
    {
      source: `import { FastLanguageModel, openenv, normalizedReturn } from 'joylab';
import type { Sample } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256, loadIn4bit: false });
model = FastLanguageModel.getPeftModel(model, { r: 8, loraAlpha: 16, targetModules: ['q_proj', 'v_proj'], randomState: 1 });
const env = await openenv('atari', { game: 'breakout' });`,
    },
    {
      source: `/** @reward */
function works({ episode }: Sample) { return episode && !episode.failed ? 1 : -1; }
function plays(sample: Sample) { return normalizedReturn(sample); }`,
    },
    {
      source:
        '/** @grpo */\nconst config = { maxSteps: 2000, numGenerations: 8, maxEpisodeSteps: 200, learningRate: 1e-4, seed: 1 };',
    },
  ]);
});

/** Replaces the reward cell's last function, and runs the cell as its user would. */
async function runReward(page: Page, plays: string): Promise<void> {
  await page.evaluate(
    `(() => {
      const { sharedModel } = jupyterapp.shell.currentWidget.content.widgets[1].model;
      sharedModel.setSource(sharedModel.getSource().replace(/function plays[^]*/, ${JSON.stringify(plays)}));
    })()`,
  );
  await page.locator('.jp-CodeCell').nth(1).locator('.jp-InputArea-editor').click();
  await page.keyboard.press('Control+Enter');
}

/** Waits until the run is marked with a text; its view is brought into sight, as it is painted only there. */
async function waitForMark(page: Page, text: string): Promise<void> {
  const mark = page.locator('.joylab-Table-event', { hasText: text });
  const isThere = async () => {
    await page.locator('.joylab-Training').scrollIntoViewIfNeeded();
    return (await mark.count()) > 0;
  };
  await waitUntil(page, isThere, `the run is marked with "${text}"`, 120_000);
}

const prompt = (page: Page) => page.locator('.jp-CodeCell').nth(1).locator('.jp-InputPrompt').innerText();

labTest(
  'a reward that is edited while a model trains: what changed is shown at once, and the charts mark it',
  async () => {
    const { page, errors, cell } = await openNotebook(browser, lab.url('run.ipynb'));
    await runAllCells(page);
    const steps = page.locator('.joylab-Table tbody tr');
    await waitUntil(page, async () => (await steps.count()) >= 3, 'three steps are made', 300_000);

    await runReward(
      page,
      'let calls = 0;\nfunction plays({ episode }: Sample) { if (calls++ % 8 === 1) throw new Error("some"); return episode ? -episode.return : 0; }',
    );
    const comparison = cell(1).locator('.joylab-Compare');
    await comparison.waitFor();
    assert.match(await comparison.locator('.joylab-Compare-head').innerText(), /plays changed.*works as before/s);
    await becomes(() => prompt(page), '[4]:', 'it has run');
    assert.match(await cell(1).innerText(), /The run in progress uses works, plays from its next step\./);
    await waitForMark(page, 'plays replaced');
    assert.equal(await page.locator('.joylab-Status').getAttribute('data-status'), 'running');

    // The largest changes have their episodes, and the table is sorted by a click.
    await comparison.locator('.joylab-Compare-largest').scrollIntoViewIfNeeded();
    await waitForMotion(comparison.locator('.joylab-Compared canvas').first());
    await comparison.locator('.joylab-Compared-picture').first().click();
    await comparison.locator('.joylab-Player').waitFor();
    const numbers = async () => (await comparison.locator('tbody tr td:first-child').allInnerTexts()).map(Number);
    await comparison.getByRole('button', { name: '#' }).click();
    const ascending = await numbers();
    assert.deepEqual(
      ascending,
      [...ascending].sort((a, b) => a - b),
    );
    await comparison.getByRole('button', { name: '#' }).click();
    assert.deepEqual(await numbers(), ascending.reverse());

    // A weight that is changed in the panel counts from the next step, too.
    const panel = page.locator('.joylab-Training .joylab-Rewards');
    await page.locator('.joylab-RewardsPart > summary').click();
    await panel.getByLabel('Weight of plays').fill('3');
    await page.keyboard.press('Enter');
    await waitForMark(page, 'weight of plays 1 → 3');
    await panel.getByLabel('works', { exact: true }).click();
    await waitForMark(page, 'works removed');
    await panel.getByLabel('plays', { exact: true }).click();
    await panel.getByRole('alert').filter({ hasText: 'plays is the only function that counts' }).waitFor();
    await becomes(() => panel.getByLabel('plays', { exact: true }).isChecked(), true);

    // An error is the cell's own.
    await runReward(page, 'function plays({ episode }: Sample): number { return episode.retrun; }');
    await cell(1).locator('.jp-OutputArea-output', { hasText: 'The run in progress goes on with them.' }).waitFor();
    assert.match(await cell(1).innerText(), /Property 'retrun' does not exist/);
    assert.equal(await page.locator('.joylab-Status').getAttribute('data-status'), 'running');
    assert.deepEqual(errors, []);
    await page.evaluate('jupyterapp.commands.execute("notebook:interrupt-kernel")');
    await page.locator('.joylab-Status[data-status="paused"]').waitFor();
    await page.close();
  },
);
