import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { axeFindings, becomes, changeTheme, openNotebook, pixels, waitForMotion } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeRuns } from './keptRuns';

const { lab, browser } = useLab({}, async () => {
  await writeRuns(lab.folder);
});

async function openRollouts(page: Page): Promise<void> {
  await page.locator('.joylab-Training').waitFor();
  await page.evaluate("jupyterapp.commands.execute('joylab:open-rollouts')");
}

/** Jupyter's server answers with an error of its own when it lists kernels while one starts. */
const isOurs = (error: string) => !/status of 500 .*\/api\/kernels\?\d+\)$/.test(error);
const axe = (page: Page) => axeFindings(page, '.joylab-Rollouts');

labTest(
  'from the curve to the line that decided: a step, its group by reward, an episode beside its program',
  async () => {
    const { page, errors } = await openNotebook(browser, lab.url('run.ipynb'), { width: 1600 });
    await openRollouts(page);
    const view = page.locator('.joylab-Rollouts');
    const rewards = () => view.locator('.joylab-Rollout-reward').allTextContents();
    await becomes(rewards, ['2', '1', '0', '−1', '−2', '−3', '−4', '−5']);
    // A step of the training view's table, as a point of its charts.
    await page.locator('.joylab-Table').getByRole('button', { name: '2', exact: true }).click();
    await becomes(rewards, ['5', '4', '3', '2', '1', '0', '−1', '−2']);
    await page.locator('.joylab-Table').getByRole('button', { name: '5', exact: true }).click();
    await becomes(() => view.locator('.joylab-Rollouts-title').innerText(), 'Step 5');
    await view.locator('.joylab-Curve svg').focus();
    await page.keyboard.press('ArrowLeft');
    await becomes(rewards, ['3', '2', '1', '0', '−1', '−2', '−3', '−4']);
    assert.deepEqual(await axe(page), []);

    await view.getByRole('searchbox').fill('paddle_x truncated');
    await becomes(rewards, ['3', '2']);
    await view.getByRole('combobox').selectOption('sampled');
    await view.getByRole('button', { name: /Highest first/ }).click();
    await becomes(rewards, ['2', '3']);
    await view.locator('.joylab-Rollout').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');

    await waitForMotion(view.locator('canvas').first());
    await view.locator('.joylab-Replay').focus();
    await page.keyboard.press('Home');
    assert.match(await view.locator('.joylab-Rollout-decision').innerText(), /^Step 1 is decided in line [23]\.$/);
    assert.match(await view.locator('.joylab-mod-current').innerText(), /LEFT|RIGHT/);
    await page.keyboard.press('End');
    await becomes(() => view.locator('.joylab-Rollout-decision').innerText(), 'The episode is over.');
    assert.deepEqual(await view.locator('.joylab-Rollouts-table tbody tr').allInnerTexts(), [
      'scores\t1\t3',
      'survives\t2\t0',
      'sum\t\t3',
      'advantage\t\t0.7',
    ]);
    assert.deepEqual(await axe(page), []);
    await view.getByRole('tab', { name: 'Completion' }).click();
    assert.match(await view.locator('.joylab-Token').first().getAttribute('title').then(String), /"<300>": \d/);

    await view.focus();
    await page.keyboard.press('ArrowLeft');
    await becomes(() => view.locator('.joylab-Rollouts-title').innerText(), 'Reward 2');
    await view.getByRole('button', { name: /^Pin/ }).click();
    await page.keyboard.press('Escape');
    await view.locator('.joylab-Curve svg').focus();
    await page.keyboard.press('ArrowLeft');
    await becomes(rewards, ['3', '4']);
    await view.locator('.joylab-Rollout').last().click();
    await view.getByRole('button', { name: 'Compare with' }).click();
    await becomes(
      () => view.locator('.joylab-Chooser-title').allTextContents(),
      ['Pinned', 'Best of the run', 'Step 3'],
    );
    await view.locator('.joylab-Chooser-item', { hasText: 'step 4, no. 7' }).click();
    await view.locator('canvas').nth(1).waitFor();
    assert.match(await view.locator('.joylab-Source').innerText(), /They are the same/);
    await view.locator('.joylab-Replay').focus();
    await page.keyboard.press('End');
    await becomes(
      async () => (await pixels(view.locator('canvas').first())) === (await pixels(view.locator('canvas').nth(1))),
      true,
    );
    assert.deepEqual(await axe(page), []);

    await view.getByRole('button', { name: 'Runs' }).click();
    for (const box of [0, 1]) await view.getByRole('checkbox').nth(box).check();
    await view.locator('.joylab-Curve').waitFor();
    assert.match(
      await view.locator('.joylab-Runs-comparison').innerText(),
      /learningRate\s+0\.0001\s+0\.00001|learningRate\s+0\.0001\s+1e-5/i,
    );
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(errors.filter(isOurs), []);
    await page.close();
  },
);

labTest('tiles of a step play how the reward came about, and any two rollouts of a run are compared', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('run.ipynb'), { width: 1600 });
  await openRollouts(page);
  const view = page.locator('.joylab-Rollouts');
  const best = view.locator('.joylab-Rollout').first();
  // Frames are made again for what is played; the rest of the tile says what gave the reward.
  const canvas = best.locator('canvas');
  await canvas.waitFor();
  assert.deepEqual(await best.locator('.joylab-Rollout-function').allInnerTexts(), ['scores\n2', 'survives\n0']);
  const still = await pixels(canvas);
  await best.hover();
  await waitForMotion(canvas);
  await view.getByRole('searchbox').hover();
  await becomes(() => pixels(canvas), still, 'it shows how the episode ended again');
  const why = view.locator('.joylab-Rollout-why').first();
  await why.scrollIntoViewIfNeeded();
  assert.match(await why.innerText(), /^Its frames are made again in line, which is not open/);
  for (const theme of ['JupyterLab Dark', 'JupyterLab Light'] as const) {
    await changeTheme(page, theme);
    assert.deepEqual(await axe(page), []);
  }

  await best.click();
  await view.getByRole('button', { name: 'Compare with' }).click();
  const found = () => view.locator('.joylab-Chooser-item').allInnerTexts();
  const search = view.locator('.joylab-Chooser').getByRole('searchbox');
  await search.fill('step 2, no. 3');
  await becomes(found, ['0\nstep 2, no. 3 · return 1.5']);
  await search.fill('paddle_x truncated');
  await becomes(found, ['6\nstep 1, no. 8 · return 0']);
  await search.fill('nobody writes this');
  await becomes(() => view.locator('.joylab-Chooser .joylab-Rollouts-hint').innerText(), 'Nothing is found.');
  await search.fill('5');
  await becomes(async () => (await found()).length, 7, 'the seven others of step 5');
  assert.deepEqual(await axe(page), []);
  await search.press('ArrowDown');
  await page.keyboard.press('Enter');
  await becomes(() => view.locator('.joylab-Rollouts-title').innerText(), 'Reward 2 and 1');
  for (const theme of ['JupyterLab Dark', 'JupyterLab Light'] as const) {
    await changeTheme(page, theme);
    assert.deepEqual(await axe(page), []);
  }
  assert.deepEqual(errors.filter(isOurs), []);
  await page.close();
});

labTest(
  'a link shows a rollout whose notebook has no kernel, in one of its own, which ends with the view',
  async () => {
    const { page, errors } = await openNotebook(browser, lab.url('run.ipynb'), { width: 1600 });
    const kernels = () =>
      page.evaluate<number>(`(async () => {
      const { kernels } = jupyterapp.serviceManager;
      await kernels.refreshRunning();
      return [...kernels.running()].length;
    })()`);
    await becomes(async () => (await kernels()) > 0, true);
    const others = await kernels();
    const route = { notebook: 'closed.ipynb', database: 'out/rollouts.db', run: 'first', step: 5, position: 7 };
    const anchor = `#joylab-rollouts=${encodeURIComponent(JSON.stringify(route))}`;
    await page.evaluate(`location.hash = ${JSON.stringify(anchor)}`);
    await page.reload();
    const view = page.locator('.joylab-Rollouts');
    await becomes(() => view.locator('.joylab-Rollouts-title').innerText(), 'Reward 2');
    await waitForMotion(view.locator('canvas').first());
    assert.equal(await kernels(), others + 1);
    await page
      .locator('.lm-DockPanel-tabBar .lm-TabBar-tab', { hasText: 'Rollouts' })
      .locator('.lm-TabBar-tabCloseIcon')
      .click();
    await becomes(kernels, others);
    assert.deepEqual(errors.filter(isOurs), []);
    await page.close();
  },
);
