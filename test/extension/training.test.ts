import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import type { Page } from 'playwright-core';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import { trainingBundle } from '../../kernel/display/training/trainingBundle';
import { becomes, changeTheme, openNotebook, waitForMotion } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';
import { playedGroup, run, savedRewards, supervisedRun } from './savedRuns';

const { lab, browser } = useLab({}, async () => {
  const save = (name: string, data: TrainingData) =>
    writeNotebook(lab.folder, name, [{ source: '/** @grpo */', outputs: [trainingBundle(data)] }]);
  const score = (index: number, reward: number | null) => ({
    index,
    reward,
    advantage: 0.25,
    rewards: { functionWorks: 1, scores: reward === null ? null : reward - 1 },
  });
  const group = {
    step: 40,
    episodes: await playedGroup(),
    scores: [score(7, 2.5), score(0, 1), score(2, null)],
    of: 32,
  };
  save('finished.ipynb', { ...run('finished', 40), group });
  save('running.ipynb', run('running', 12));
  save('empty.ipynb', run('running', 0));
  save('marked.ipynb', {
    ...run('finished', 40),
    events: [
      { step: 4, text: 'paused', kind: 'pause' },
      { step: 9, text: 'scores replaced (Cell [3], line 2)' },
      { step: 9, text: 'no signal: all 8 completions get 1', kind: 'problem' },
      { step: 30, text: 'weight of scores 1 → 2' },
    ],
    rewards: savedRewards,
  });
  save('supervised.ipynb', supervisedRun());
  writeNotebook(lab.folder, 'broken.ipynb', [
    { source: '', outputs: [{ [TRAINING_MIME]: { version: 1 }, 'text/plain': 'text' }] },
  ]);
});

function charts(page: Page) {
  return page.locator('.joylab-Chart');
}

labTest('a finished run of a saved notebook shows charts and table without a kernel that knows it', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('finished.ipynb'));
  await page.locator('.joylab-Chart .js-line').first().waitFor();
  await becomes(
    () => page.locator('.joylab-Chart-title').allInnerTexts(),
    ['Reward, mean ± std', 'Reward functions', 'Completion length, tokens', 'Loss'],
  );
  const points = await charts(page)
    .first()
    .locator('.joylab-Chart-plot')
    .evaluate((node: any) => node.data.at(-1).y);
  assert.equal(points.length, 40);
  assert.equal(points[39], 3.9);
  await becomes(async () => (await charts(page).first().locator('.js-fill').count()) > 0, true, 'the band is missing');
  assert.match(
    await page.locator('.joylab-Status').innerText(),
    /Finished\s+step 40 of 40 · 2\.0 s per step · 1 min in all/,
  );
  assert.deepEqual(await page.locator('.joylab-Table th').allInnerTexts(), [
    'Step',
    'Loss',
    'Reward',
    'Reward std',
    'functionWorks',
    'scores',
    'Completion length',
    'KL',
  ]);
  await becomes(() => page.locator('.joylab-Table tbody tr').count(), 41, '40 steps and an event');
  assert.equal(await page.locator('.joylab-Table-event').innerText(), 'scores was replaced');
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('a supervised run shows its losses and accuracies, evaluations beside the steps', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('supervised.ipynb'));
  await page.locator('.joylab-Chart .js-line').first().waitFor();
  await becomes(() => page.locator('.joylab-Chart-title').allInnerTexts(), ['Loss', 'Token accuracy']);
  const lines = await charts(page)
    .first()
    .locator('.joylab-Chart-plot')
    .evaluate((node: any) => node.data.map(({ x, y }: any) => [x, y]));
  assert.deepEqual(lines, [
    [
      [1, 2, 3, 4, 5, 6],
      [3, 2.75, 2.5, 2.25, 2, 1.75],
    ],
    [
      [2, 4, 6],
      [3.25, 2.75, 2.25],
    ],
  ]);
  assert.deepEqual(await page.locator('.joylab-Table th').allInnerTexts(), [
    'Step',
    'Loss',
    'Evaluation loss',
    'Token accuracy',
    'Learning rate',
    'Tokens',
  ]);
  assert.deepEqual(await page.locator('.joylab-Table tbody tr').nth(1).locator('td').allInnerTexts(), [
    '2',
    '2.7500',
    '3.2500',
    '0.100',
    '0.000020',
    '200',
  ]);
  await becomes(() => page.locator('.joylab-Table tbody tr').count(), 6);
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('the newest group of a saved notebook plays; a click opens an episode in the player', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('finished.ipynb'));
  const tiles = page.locator('.joylab-Tile');
  await tiles.nth(2).waitFor();
  await becomes(() => tiles.count(), 3);
  await tiles.first().scrollIntoViewIfNeeded();
  await waitForMotion(page.locator('.joylab-Wall-canvas'));
  assert.match(
    await page.locator('.joylab-Section').innerText(),
    /Rollouts of step 40\s+3 of 32, from the best reward/,
  );
  assert.deepEqual(await page.locator('.joylab-Tile-reward').allInnerTexts(), ['2.5', '1', 'return 0']);
  await tiles.nth(1).click();
  await waitForMotion(page.locator('.joylab-Player canvas'));
  assert.equal(await tiles.nth(1).getAttribute('aria-pressed'), 'true');
  assert.deepEqual(await page.locator('.joylab-Detail-scores tr').allInnerTexts(), [
    'functionWorks\t1',
    'scores\t0',
    'reward\t1',
    'advantage\t0.25',
  ]);
  await page.keyboard.press('PageDown');
  await becomes(() => page.locator('.joylab-Detail-title').innerText(), 'Step 40, rollout 3');
  await page.getByRole('button', { name: 'Close the player' }).click();
  await becomes(() => page.locator('.joylab-Player').count(), 0);
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('charts and lines can be switched', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('finished.ipynb'));
  await page.locator('.joylab-Chart .js-line').first().waitFor();
  await page.getByRole('button', { name: 'KL', exact: true }).click();
  await page.getByRole('button', { name: 'Loss', exact: true }).click();
  await becomes(
    () => page.locator('.joylab-Chart-title').allInnerTexts(),
    ['Reward, mean ± std', 'Reward functions', 'Completion length, tokens', 'KL from the reference model'],
  );
  const functions = charts(page).nth(1);
  await becomes(() => functions.locator('.js-line').count(), 2);
  const scores = functions.locator('.joylab-Legend-item', { hasText: 'scores' });
  await scores.click();
  await page.waitForFunction('document.querySelectorAll(".joylab-Chart")[1].querySelectorAll(".js-line").length === 1');
  assert.equal(await scores.getAttribute('aria-pressed'), 'false');
  assert.deepEqual(errors, []);
  await page.close();
});

labTest(
  'signs of a chart tell what happened, by pointer and by keyboard; the rewards are a part that opens',
  async () => {
    const { page, errors } = await openNotebook(browser, lab.url('marked.ipynb'));
    const chart = charts(page).first();
    const signs = chart.locator('.joylab-Mark');
    await becomes(() => signs.allInnerTexts(), ['❚❚', '!', '◆']);
    const text = chart.locator('.joylab-Marks-text');
    await signs.nth(1).hover();
    assert.equal(
      await text.innerText(),
      'Step 9: scores replaced (Cell [3], line 2)\nno signal: all 8 completions get 1',
    );
    // The chart has one stop of the Tab key.
    assert.deepEqual(await signs.evaluateAll((all) => all.map((one: any) => one.tabIndex)), [0, -1, -1]);
    await signs.first().focus();
    assert.equal(await text.innerText(), 'Step 4: paused');
    for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowRight');
    assert.equal(await text.innerText(), 'Step 30: weight of scores 1 → 2');
    await page.keyboard.press('Escape');
    await text.waitFor({ state: 'hidden' });

    const part = page.locator('.joylab-RewardsPart');
    assert.equal(await part.locator('summary').innerText(), 'Rewards functionWorks, scores · 1 remark');
    await part.locator('summary').click();
    assert.match(await part.locator('.joylab-Rewards').innerText(), /scores applies to none of the last 64 rollouts\./);
    assert.deepEqual(errors, []);
    await page.close();
  },
);

labTest('charts share cursor and zoom: the legend tells the values, with the spread, and what happened', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('finished.ipynb'));
  await page.locator('.joylab-Chart .js-line').first().waitFor();
  const [reward, functions] = [charts(page).nth(0), charts(page).nth(1)];
  const place = (await reward.locator('.joylab-Chart-plot').boundingBox())!;
  // The steps from 0 to 40 lie between the margins of the plot.
  const at = (step: number) => place.x + 50 + ((place.width - 62) * step) / 40;
  await page.mouse.move(at(5), place.y + 90);
  await becomes(() => reward.locator('.joylab-Legend').innerText(), 'reward 0.4 ± 0.5\nstep 5 · scores was replaced');
  assert.match(await functions.locator('.joylab-Legend').innerText(), /scores −0\.6\s+step 5/);
  const range = () => functions.locator('.joylab-Chart-plot').evaluate((node: any) => node._fullLayout.xaxis.range);
  assert.deepEqual(await range(), [0, 40]);
  await page.mouse.move(at(10), place.y + 90);
  await page.mouse.down();
  await page.mouse.move(at(20), place.y + 95, { steps: 4 });
  await page.mouse.up();
  await becomes(async () => (await range()).map(Math.round), [10, 20]);
  await page.getByRole('button', { name: 'Reset zoom' }).click();
  await becomes(range, [0, 40]);
  await page.getByLabel('Smoothing').fill('0.9');
  await becomes(() => reward.locator('.js-line').count(), 4, 'the line, its running mean, the edges of the band');
  const file = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save data' }).click();
  assert.equal((await file).suggestedFilename(), 'training.csv');
  assert.deepEqual(errors, []);
  await page.close();
});

labTest(
  'a chart has a logarithmic scale, fills the screen and is saved; charts use the width that there is',
  async () => {
    const { page, errors } = await openNotebook(browser, lab.url('finished.ipynb'));
    await page.locator('.joylab-Chart .js-line').first().waitFor();
    const length = charts(page).filter({ hasText: 'Completion length' });
    const shown = (what: string) =>
      length
        .locator('.joylab-Chart-plot')
        .evaluate(
          (node: any, path) => path.split('.').reduce((it: any, key: string) => it[key], node._fullLayout),
          what,
        );
    assert.equal(await shown('yaxis.type'), 'linear');
    const log = length.getByRole('button', { name: 'Logarithmic scale' });
    await log.click();
    await becomes(() => shown('yaxis.type'), 'log');
    assert.equal(await log.getAttribute('aria-pressed'), 'true');
    assert.ok(
      await charts(page).first().getByRole('button', { name: 'Logarithmic scale' }).isDisabled(),
      'a reward of 0 has no logarithm',
    );
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      length.getByRole('button', { name: 'Save the picture' }).click(),
    ]);
    assert.equal(file.suggestedFilename(), 'completion-length-tokens.png');
    assert.equal(fs.readFileSync(await file.path()).toString('hex', 0, 4), '89504e47');
    const width = await shown('width');
    await length.getByRole('button', { name: 'Full screen' }).click();
    await becomes(async () => (await shown('width')) > width, true);
    await length.getByRole('button', { name: 'Full screen' }).click();
    await becomes(() => shown('width'), width);

    // Charts beside one another, and nothing wider than the notebook.
    for (const [width, beside] of [
      [2560, 4],
      [1280, 2],
      [700, 1],
    ]) {
      await page.setViewportSize({ width, height: 900 });
      await becomes(
        () =>
          charts(page).evaluateAll(
            (all) => all.filter((one: any) => one.offsetTop === (all[0] as any).offsetTop).length,
          ),
        beside,
        `${width} pixels`,
      );
      await becomes(
        () => page.locator('.joylab-Training').evaluate((node: any) => node.scrollWidth <= node.clientWidth),
        true,
      );
    }
    assert.deepEqual(errors, []);
    await page.close();
  },
);

labTest('charts follow the theme', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('finished.ipynb'));
  await page.locator('.joylab-Chart .js-line').first().waitFor();
  const colour = () =>
    page
      .locator('.joylab-Chart .js-line')
      .first()
      .evaluate((node: any) => node.style.stroke);
  const light = await colour();
  await changeTheme(page, 'JupyterLab Dark');
  await page.waitForFunction(
    `document.querySelector('.joylab-Chart .js-line').style.stroke !== ${JSON.stringify(light)}`,
  );
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('a run that no kernel knows is not said to be running', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('running.ipynb'));
  await page.locator('.joylab-Status[data-status="lost"]').waitFor();
  assert.match(
    await page.locator('.joylab-Status').innerText(),
    /Not running\s+step 12 of 40\s+The kernel ended after step 12, .* run the notebook again to train/,
  );
  await page.locator('.joylab-Chart .js-line').first().waitFor();
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('a run without steps shows no empty charts; broken data gives a message', async () => {
  const empty = await openNotebook(browser, lab.url('empty.ipynb'));
  await empty.page.locator('.joylab-Status').waitFor();
  assert.equal(await empty.page.locator('.joylab-Chart').count(), 0);
  assert.equal(await empty.page.locator('.joylab-Table').isVisible(), false);
  assert.deepEqual(empty.errors, []);
  await empty.page.close();
  const broken = await openNotebook(browser, lab.url('broken.ipynb'));
  assert.match(await broken.page.locator('.joylab-Problem').innerText(), /cannot be shown[\s\S]*log is missing/);
  assert.deepEqual(broken.errors, []);
  await broken.page.close();
});
