import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Page } from 'playwright-core';
import {
  axeFindings,
  becomes,
  changes,
  changeTheme,
  openNotebook,
  waitForCells,
  waitForMotion,
  waitUntil,
} from './browser';
import { writeRuns } from './keptRuns';
import { labTest } from './labTest';
import { writeNotebook } from './notebooks';
import { kernelPid, sentences, shownStep, waitForStep, writeRun } from './runs';
import { useLab } from './useLab';

const { lab: notebook7, browser } = useLab({ app: 'notebook' });

const KERNEL_STATUS = 'jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status';

async function runAll(page: Page): Promise<void> {
  await waitUntil(page, async () => (await page.evaluate(KERNEL_STATUS)) === 'idle', 'the kernel is idle', 300_000);
  await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
}

/** Notebook 7.6 has an error of its own while it loads its settings. */
const ours = (errors: string[]) => errors.filter((error) => error.includes('/labextensions/joylab/'));

labTest('Notebook 7 runs cells, shows the card, plays episodes by keyboard, and keeps a slider', async () => {
  const name = 'classic.ipynb';
  writeNotebook(notebook7.folder, name, [
    {
      source: `import { executeWithTimeLimit, openenv, rewardRegistry } from 'joylab';
rewardRegistry.register('plays', () => 1);
rewardRegistry.on('change', ({ name }) => console.log('weight', rewardRegistry.get(name).weight));
rewardRegistry.weightSlider('plays')`,
    },
    { source: "/** @openenv */\nconst env = await openenv('atari', { game: 'breakout' });" },
    {
      source:
        'await executeWithTimeLimit(\'function strategy(state) { return state.ball_x < state.paddle_x ? "LEFT" : "RIGHT"; }\', env, { seed: 1, maxSteps: 100 })',
    },
  ]);
  const { page, errors, cell } = await openNotebook(browser, notebook7.url(name));
  await runAll(page);
  await cell(1).locator('.jp-OutputArea-output', { hasText: 'ball_x' }).waitFor({ timeout: 300_000 });
  await waitForCells(page, 300_000);
  const player = cell(2).locator('.joylab-Player');
  await waitForMotion(player.locator('canvas').first());
  const step = () =>
    player.locator('.joylab-Readout', { hasText: 'Step' }).locator('.joylab-Readout-value').innerText();
  await player.focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Home');
  await becomes(step, '0 / 100');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await becomes(step, '2 / 100', 'the notebook does not get the keys');

  await cell(1).getByRole('button', { name: 'Play' }).click();
  const game = cell(1).locator('.joylab-Play');
  await game.locator('canvas').waitFor();
  await page.keyboard.down('ArrowRight');
  await waitForMotion(game.locator('canvas'));
  await page.keyboard.up('ArrowRight');
  await page.keyboard.press('Escape');

  const handle = cell(0).locator('.noUi-handle');
  await handle.focus();
  await page.keyboard.press('ArrowRight');
  await cell(0).getByText('weight 1.05').waitFor();
  await page.evaluate("jupyterapp.commands.execute('docmanager:save')");
  const { metadata } = JSON.parse(fs.readFileSync(path.join(notebook7.folder, name), 'utf8'));
  const { state } = metadata.widgets['application/vnd.jupyter.widget-state+json'];
  assert.ok(Object.values<any>(state).some((model) => model.state.value === 1.05));
  await page.reload();
  await becomes(() => cell(0).locator('.widget-readout').innerText(), '1.05');
  await handle.focus();
  await page.keyboard.press('ArrowRight');
  await cell(0).getByText('weight 1.1', { exact: false }).waitFor();
  assert.deepEqual(ours(errors), []);
  await page.close({ runBeforeUnload: false });
});

labTest('Notebook 7 shows kept rollouts over the notebook, and leads back', async () => {
  await writeRuns(notebook7.folder);
  const { page, errors } = await openNotebook(browser, notebook7.url('run.ipynb'));
  await page.locator('.joylab-Training').waitFor();
  await page.evaluate("jupyterapp.commands.execute('joylab:open-rollouts')");
  const view = page.getByRole('dialog', { name: 'Rollouts' });
  // Frames of tiles, the line that decided, and another rollout to compare with.
  await view.locator('.joylab-Rollout canvas').first().waitFor();
  await view.locator('.joylab-Rollout').first().click();
  await waitForMotion(view.locator('canvas').first());
  await view.locator('.joylab-Source-line.joylab-mod-decided').first().waitFor();
  await view.getByRole('button', { name: 'Compare with' }).click();
  await view.locator('.joylab-Chooser-item').nth(1).click();
  await view.locator('canvas').nth(1).waitFor();
  await view.getByRole('button', { name: 'Close' }).click();
  await view.waitFor({ state: 'detached' });
  assert.deepEqual(ours(errors), []);
  await page.close();
});

labTest('Notebook 7 trains: wall, charts, rewards edited in mid-run, pause, problems, a kernel that dies', async () => {
  writeRun(notebook7.folder, 'trains.ipynb', 500);
  const { page, errors, cell } = await openNotebook(browser, notebook7.url('trains.ipynb'), { height: 1400 });
  await runAll(page);
  await waitForStep(page, 3);
  const view = cell(2).locator('.joylab-Training');
  await view.locator('.joylab-Chart .js-line').first().waitFor();
  await view.locator('button.joylab-Tile').first().click();
  // Its rollout opens over the notebook, and its player below the wall.
  const rollouts = page.getByRole('dialog', { name: 'Rollouts' });
  await rollouts.locator('.joylab-Rollouts-title', { hasText: 'Reward' }).waitFor();
  await rollouts.getByRole('button', { name: 'Close' }).click();
  await waitForMotion(view.locator('.joylab-Player canvas').first());
  await view.locator('.joylab-RewardsPart > summary').click();
  await view.getByLabel('Weight of scores').waitFor();
  for (const theme of ['JupyterLab Dark', 'JupyterLab Light'] as const) {
    await changeTheme(page, theme);
    assert.deepEqual(await axeFindings(page, '.joylab-Training'), [], theme);
  }

  // Written in the cell and run beside the training.
  await cell(1).locator('.cm-content').click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(
    '/** @reward wieght=2 */\nfunction scores({ episode }: Sample) { return episode ? -episode.return : null; }',
  );
  const squiggle = cell(1).locator('.joylab-Squiggle');
  await becomes(() => squiggle.allInnerTexts(), ['wieght=2']);
  await page.keyboard.press('F8');
  await page.keyboard.insertText('weight=2');
  await becomes(() => squiggle.count(), 0);
  await page.keyboard.press('Control+Enter');
  await cell(1).locator('.joylab-Compare').waitFor();
  await view.locator('.joylab-Table-event', { hasText: 'scores replaced' }).first().waitFor();

  // The buttons of the cell.
  await cell(2).locator('.cm-content').click();
  await page.keyboard.press('Escape');
  const press = (name: string) => cell(2).locator(`.joylab-Actions jp-button[title^="${name}"]`).click();
  await press('Pause');
  await view.locator('.joylab-Status[data-status="paused"]').waitFor();
  const paused = await shownStep(page);
  await press('Resume');
  await changes(() => shownStep(page), 'The step');
  process.kill(kernelPid(notebook7.folder, 'trains.ipynb'), 'SIGKILL');
  await view.locator('.joylab-Status[data-status="lost"]').waitFor();
  const [told] = await sentences(page);
  assert.match(told, /^The kernel ended after step \d+, and what is shown here is kept/);
  assert.ok((await shownStep(page)) > paused);
  assert.deepEqual(ours(errors), []);
  await page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()').catch(() => undefined);
  await page.close({ runBeforeUnload: false });
});
