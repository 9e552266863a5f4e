import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { axeFindings, becomes, changeTheme, openNotebook, waitForCells, waitUntil } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeRuns } from './keptRuns';
import { writeNotebook } from './notebooks';

const { lab, browser } = useLab();

/** Milliseconds after which a cell no longer counts as run together with the one before, as by "Run All". */
const SENT_TOGETHER = 1100;

const panel = (page: Page) => page.locator('#joylab-panel');
const section = (page: Page, title: string) =>
  panel(page).locator('details', { has: page.locator(`summary:has-text("${title}")`) });
const run = (page: Page, command: string) => page.evaluate(`void jupyterapp.commands.execute("${command}")`);

/** Runs the cell with a number, which is then the active one. */
async function runCell(page: Page, index: number): Promise<void> {
  await page.evaluate(`jupyterapp.shell.currentWidget.content.activeCellIndex = ${index}`);
  await run(page, 'notebook:run-cell');
}

/** Waits until the notebook's kernel is known, and shows the panel. */
async function showPanel(page: Page): Promise<void> {
  const isKnown = () => page.evaluate<boolean>('jupyterapp.commands.isEnabled("joylab:insert-reward-cell")');
  await waitUntil(page, isKnown, 'the kernel is known', 300_000);
  await run(page, 'joylab:show-panel');
  await becomes(() => page.evaluate('document.activeElement.id'), 'joylab-panel', 'the keyboard is in the panel');
}

const CELLS = [
  "/** @openenv */\nconst env = await openenv('atari', { game: 'breakout' });",
  `import { FastLanguageModel } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 512 });
model = FastLanguageModel.getPeftModel(model, { r: 4 });`,
  '/** @reward */\nfunction long({ completion }: Sample) { return completion.length; }\nfunction short({ completion }: Sample) { return -completion.length / 2; }',
  `/** @grpo */
const config: GRPOConfig = { maxSteps: 1000, numGenerations: 4, maxCompletionLength: 8, learningRate: 0 };`,
  "console.log('behind')",
];

labTest('the side panel follows notebooks and kernels, and lists earlier runs', async () => {
  await writeRuns(lab.folder);
  writeNotebook(lab.folder, 'python.ipynb', [{ source: '1 + 1' }], 'python3');
  const { page, errors } = await openNotebook(browser, lab.url('run.ipynb'), { height: 1200 });
  await showPanel(page);
  const earlier = section(page, 'Runs').locator('.joylab-Panel-run');
  await becomes(() => earlier.count(), 2);
  assert.match(await earlier.first().innerText(), /breakout · 5 steps · reward/);
  await earlier.first().click();
  await page.locator('.joylab-Rollouts-title').waitFor();

  const said = () => panel(page).locator('p').first().innerText();
  await page.evaluate('void jupyterapp.commands.execute("docmanager:open", { path: "python.ipynb" })');
  await becomes(said, "This notebook's kernel is not Joylab.");
  await panel(page).getByRole('button', { name: 'Change the kernel' }).click();
  await page.locator('.jp-Dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.evaluate('void jupyterapp.commands.execute("docmanager:open", { path: "run.ipynb" })');
  await becomes(() => panel(page).locator('.joylab-Panel-title').innerText(), 'run.ipynb');
  // A restarted kernel is another one.
  await page.evaluate('jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()');
  await becomes(said, 'No environment is open.');
  await becomes(() => earlier.count(), 2);
  await page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
  await becomes(said, 'This notebook has no kernel.');
  // Hidden, it asks for nothing.
  assert.deepEqual(errors, []);
  await page.close({ runBeforeUnload: false });
});

labTest(
  'the side panel shows environments, rewards and runs of the notebook, and acts on them while a cell runs',
  async () => {
    writeNotebook(
      lab.folder,
      'lab.ipynb',
      CELLS.map((source) => ({ source })),
    );
    const { page, errors, cell } = await openNotebook(browser, lab.url('lab.ipynb'), { height: 1200 });
    await showPanel(page);
    await becomes(
      () => panel(page).locator('.joylab-Panel-empty p').allInnerTexts(),
      ['No environment is open.', 'No reward function is registered.', 'Nothing was trained yet.'],
    );
    await section(page, 'Environments').getByRole('button', { name: 'Run its cell' }).click();
    const environment = section(page, 'Environments').locator('li');
    await becomes(() => environment.locator('.joylab-Panel-head').innerText(), 'breakout\nenv\natari');
    await waitForCells(page, 200_000);
    await becomes(
      async () =>
        /1 session open, none busy\nScores .*chance \d.*human 30.5\nActions NOOP/.test(
          (await environment.innerText()).replace(/ ·\n/g, ' · '),
        ),
      true,
    );
    await runCell(page, 1);
    await runCell(page, 2);
    await becomes(() => section(page, 'Rewards').getByRole('checkbox').count(), 2);

    // While the cell trains.
    await runCell(page, 3);
    const training = section(page, 'Runs').locator('.joylab-Status');
    await becomes(async () => /^Training\s+step [1-9]\d* of 1000 · reward/.test(await training.innerText()), true);
    await training.locator('.joylab-Panel-curve svg').waitFor();
    await cell(3).locator('.joylab-RewardsPart > summary').click();
    await section(page, 'Rewards').getByLabel('Weight of short').fill('3');
    await page.keyboard.press('Enter');
    await becomes(
      () => cell(3).locator('.joylab-Rewards').getByLabel('Weight of short').inputValue(),
      '3',
      'the panel of the run follows',
    );
    await section(page, 'Rewards').getByRole('checkbox').first().uncheck();
    await becomes(() => cell(3).locator('.joylab-Rewards').getByRole('checkbox').first().isChecked(), false);
    await section(page, 'Rewards').getByRole('button', { name: 'Cell [3], line 2' }).click();
    await becomes(() => page.evaluate('jupyterapp.shell.currentWidget.content.activeCellIndex'), 2);
    await environment.getByRole('button', { name: 'Close breakout' }).click();
    await becomes(
      () => panel(page).locator('.joylab-Panel-refusal').innerText(),
      'env is played by the run in progress: pause it first.',
    );
    await training.locator('.joylab-Panel-run').click();
    await becomes(() => page.evaluate('jupyterapp.shell.currentWidget.content.activeCellIndex'), 3);
    for (const theme of ['JupyterLab Dark', 'JupyterLab Light'] as const) {
      await changeTheme(page, theme);
      assert.deepEqual(await axeFindings(page, '#joylab-panel'), [], theme);
    }

    await training.getByRole('button', { name: /^Pause/ }).click();
    await becomes(async () => /^Paused/.test(await training.innerText()), true);
    await waitForCells(page, 60_000);
    await training.getByRole('button', { name: /^Resume/ }).click();
    await becomes(async () => /^Training/.test(await training.innerText()), true);
    // The stop button of JupyterLab pauses, too, and nothing looks like an error; what waits behind does not run.
    await page.waitForTimeout(SENT_TOGETHER);
    await runCell(page, 4);
    await run(page, 'notebook:interrupt-kernel');
    await becomes(async () => /^Paused/.test(await training.innerText()), true);
    await waitForCells(page, 60_000);
    const outputs = (index: number) =>
      page.evaluate<string[]>(
        `jupyterapp.shell.currentWidget.content.widgets[${index}].model.outputs.toJSON().map(({ output_type, name }) => name ?? output_type)`,
      );
    assert.ok(!(await outputs(3)).some((type) => type === 'error' || type === 'stderr'), String(await outputs(3)));
    await becomes(
      () =>
        cell(4)
          .locator('.jp-OutputArea')
          .innerText()
          .then((text) => text.trim()),
      'This cell did not run: the one that it waited for was interrupted, or failed. Run it again.',
    );

    await environment.getByRole('button', { name: 'Close breakout' }).click();
    await becomes(async () => /Closed: run its cell/.test(await environment.innerText()), true);
    await training.getByRole('button', { name: /^Show the rollouts/ }).click();
    await page.locator('.joylab-Rollouts-title').waitFor();
    assert.deepEqual(errors, []);
    await page.close({ runBeforeUnload: false });
  },
);
