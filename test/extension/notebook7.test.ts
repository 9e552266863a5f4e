import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser, openNotebook, waitForCells, waitForMotion, waitUntil } from './browser';
import { writeRuns } from './keptRuns';
import { startLab, type Lab } from './lab';
import { labTest } from './labTest';
import { writeNotebook } from './notebooks';

let notebook7: Lab;
let browser: Browser;

before(async () => {
  notebook7 = await startLab({ app: 'notebook' });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await notebook7?.close();
});

const KERNEL_STATUS = 'jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status';

labTest('Notebook 7 runs cells, shows the card and plays episodes', async () => {
  writeNotebook(notebook7.folder, 'classic.ipynb', [
    { source: "import { executeWithTimeLimit, openenv } from 'joylab';" },
    { source: "/** @openenv */\nconst env = await openenv('atari', { game: 'breakout' });" },
    {
      source:
        'await executeWithTimeLimit(\'function strategy(state) { return state.ball_x < state.paddle_x ? "LEFT" : "RIGHT"; }\', env, { seed: 1, maxSteps: 100 })',
    },
  ]);
  const { page, errors } = await openNotebook(browser, notebook7.url('classic.ipynb'));
  await waitUntil(page, async () => (await page.evaluate(KERNEL_STATUS)) === 'idle', 'the kernel is idle', 300_000);
  await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
  await page
    .locator('.jp-CodeCell')
    .nth(1)
    .locator('.jp-OutputArea-output', { hasText: 'ball_x' })
    .waitFor({ timeout: 300_000 });
  await waitForCells(page, 300_000);
  await waitForMotion(page.locator('.jp-CodeCell').nth(2).locator('canvas').first());
  // Notebook 7.6 has an error of its own while it loads its settings.
  assert.deepEqual(
    errors.filter((error) => error.includes('/labextensions/joylab/')),
    [],
  );
  await page.close();
});

labTest('Notebook 7 shows kept rollouts over the notebook, and leads back', async () => {
  await writeRuns(notebook7.folder);
  const { page, errors } = await openNotebook(browser, notebook7.url('run.ipynb'));
  await page.locator('.joylab-Training').waitFor();
  await page.evaluate("jupyterapp.commands.execute('joylab:open-rollouts')");
  const view = page.getByRole('dialog', { name: 'Rollouts' });
  await view.locator('.joylab-Rollout').first().click();
  await waitForMotion(view.locator('canvas').first());
  await view.getByRole('button', { name: 'Close' }).click();
  await view.waitFor({ state: 'detached' });
  assert.deepEqual(
    errors.filter((error) => error.includes('/labextensions/joylab/')),
    [],
  );
  await page.close();
});
