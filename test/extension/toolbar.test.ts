import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { axeFindings, becomes, changeTheme, launchBrowser, openNotebook, waitForCells } from './browser';
import { startLab, type Lab } from './lab';
import { labTest } from './labTest';
import { writeNotebook } from './notebooks';

let lab: Lab;
let notebook7: Lab;
let browser: Browser;

before(async () => {
  [lab, notebook7] = await Promise.all([startLab(), startLab({ app: 'notebook' })]);
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await lab?.close();
  await notebook7?.close();
});

/** The names of the buttons that a cell's toolbar has. */
const actions = (cell: Locator) =>
  cell
    .locator('.joylab-Actions jp-button:not([hidden])')
    .evaluateAll((buttons) => buttons.map((button: any) => button.title.split(':')[0]));

/** Makes a cell the active one, in command mode. */
async function choose(page: Page, cell: Locator): Promise<void> {
  await cell.locator('.cm-content').click();
  await page.keyboard.press('Escape');
}

const press = (cell: Locator, name: string) => cell.locator(`.joylab-Actions jp-button[title^="${name}"]`).click();
const source = (page: Page, index: number) =>
  page.evaluate<string>(`jupyterapp.shell.currentWidget.content.widgets[${index}].model.sharedModel.getSource()`);

const CELLS = [
  "/** @openenv reference=false */\nconst env = await openenv('atari', { game: 'breakout' });",
  `import { FastLanguageModel } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 512 });
model = FastLanguageModel.getPeftModel(model, { r: 4 });`,
  '/** @reward weight=2 */\nfunction long({ completion }: Sample) { return completion.length; }',
  `/** @grpo */
const config: GRPOConfig = { maxSteps: 1000, numGenerations: 4, maxCompletionLength: 8, learningRate: 0 };`,
].map((code) => ({ source: code }));

labTest('the toolbar of a cell plays, scores again, turns off, trains, pauses, resumes and stops', async () => {
  writeNotebook(lab.folder, 'cells.ipynb', CELLS);
  const { page, errors, cell } = await openNotebook(browser, lab.url('cells.ipynb'), { height: 1200 });
  const activate = (index: number) => choose(page, cell(index));
  await activate(0);
  await becomes(() => actions(cell(0)), ['Open the environment anew']);
  await press(cell(0), 'Open');
  await becomes(() => actions(cell(0)), ['Play it by keyboard', 'Open the environment anew']);
  await waitForCells(page, 200_000);
  await press(cell(0), 'Play');
  await cell(0).locator('.joylab-Play canvas').waitFor();
  await page.keyboard.press('Escape');

  await activate(1);
  await page.keyboard.press('Shift+Enter');
  await waitForCells(page, 100_000);
  await activate(2);
  await becomes(() => actions(cell(2)), ['Score again', 'Turn the rewards of this cell off']);
  await press(cell(2), 'Turn');
  await becomes(() => actions(cell(2)), ['Score again', 'Turn the rewards of this cell on']);
  assert.match(await source(page, 2), /^\/\*\* @reward off weight=2 \*\//);
  await becomes(() => cell(2).locator('.joylab-Actions-state').innerText(), 'Off');
  await waitForCells(page, 60_000);
  await press(cell(2), 'Turn');
  await becomes(() => source(page, 2), CELLS[2].source);
  await waitForCells(page, 60_000);
  for (const theme of ['JupyterLab Dark', 'JupyterLab Light'] as const) {
    await changeTheme(page, theme);
    assert.deepEqual(await axeFindings(page, '.joylab-Actions'), [], theme);
  }

  await activate(3);
  await becomes(() => actions(cell(3)), ['Train']);
  // By keyboard.
  for (let i = 0; i < 3 && !(await inToolbar(page)); i++) await page.keyboard.press('Tab');
  assert.ok(await inToolbar(page));
  await page.keyboard.press('Enter');
  const state = () => cell(3).locator('.joylab-Actions-state').innerText();
  await becomes(state, 'Training');
  await becomes(() => actions(cell(3)), ['Pause', 'Stop', 'Show the rollouts']);
  await cell(3).locator('.joylab-Training').waitFor();
  await press(cell(3), 'Pause');
  await becomes(state, 'Paused');
  await becomes(() => actions(cell(3)), ['Resume', 'Stop', 'Show the rollouts']);
  await waitForCells(page, 60_000);
  await press(cell(3), 'Resume');
  await becomes(state, 'Training');
  await press(cell(3), 'Stop');
  await becomes(() => actions(cell(3)), ['Train', 'Show the rollouts']);
  await press(cell(3), 'Show');
  await page.locator('.joylab-Rollouts-title').waitFor();
  assert.deepEqual(errors, []);
  await page.close({ runBeforeUnload: false });
});

const inToolbar = (page: Page) => page.evaluate<boolean>('document.activeElement.closest(".joylab-Actions") !== null');

labTest('Notebook 7 has the buttons, too, and cells without a directive have none', async () => {
  writeNotebook(notebook7.folder, 'cells.ipynb', [...CELLS, { source: '1 + 1' }]);
  const { page, errors, cell } = await openNotebook(browser, notebook7.url('cells.ipynb'));
  await choose(page, cell(2));
  await becomes(() => actions(cell(2)), ['Score again', 'Turn the rewards of this cell off']);
  await choose(page, cell(4));
  await becomes(() => cell(4).locator('.jp-cell-toolbar:visible').count(), 1);
  assert.deepEqual(await actions(cell(4)), []);
  assert.deepEqual(errors, []);
  await page.close({ runBeforeUnload: false });
});
