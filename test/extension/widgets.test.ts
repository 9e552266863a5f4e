import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { becomes, changeTheme, openNotebook, runAllCells, waitForCells } from './browser';
import { startLab } from './lab';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';

const STATE = 'application/vnd.jupyter.widget-state+json';

const CELLS = [
  `/** @reward */
function plays() { return 1; }
/** @reward weight=0.5 */
function survivesLong() { return 0; }`,
  `import { rewardRegistry } from 'joylab';
import { VBox, widget } from 'joylab/widgets';
VBox([rewardRegistry.weightSlider('plays'), rewardRegistry.weightSlider('survivesLong')])`,
  `const counter = widget({
  state: { value: 0, bytes: new Uint8Array([1, 2, 3]) },
  render({ model, el }) {
    const button = document.createElement('button');
    const show = () => { button.textContent = \`count is \${model.get('value')}, \${model.get('bytes').byteLength} bytes\`; };
    button.onclick = () => { model.set('value', model.get('value') + 1); model.save_changes(); };
    model.on('change:value', show);
    show();
    el.append(button);
  },
});
counter.on('change:value', (value) => console.log('counted', value));
counter`,
].map((source) => ({ source }));

const { lab, browser } = useLab();

/** Opens a new notebook of {@link CELLS} and more, and runs it. */
async function run(name: string, ...more: string[]) {
  writeNotebook(lab.folder, name, [...CELLS, ...more.map((source) => ({ source }))]);
  const opened = await openNotebook(browser, lab.url(name));
  await runAllCells(opened.page);
  return opened;
}

/** Moves a slider by the keyboard. */
async function press(slider: Locator, key: string, times: number): Promise<void> {
  await slider.locator('.noUi-handle').focus();
  for (let i = 0; i < times; i++) await slider.page().keyboard.press(key);
}

const sliders = (cell: Locator) => cell.locator('.widget-slider');
const readout = (slider: Locator) => slider.locator('.widget-readout').innerText();

/** Runs code in the kernel of the notebook, beside its cells. */
function evaluate(page: Page, code: string): Promise<string> {
  return page.evaluate(`(async () => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    const future = kernel.requestExecute({ code: '', user_expressions: { it: ${JSON.stringify(code)} }, silent: true });
    return (await future.done).content.user_expressions.it.data['text/plain'];
  })()`);
}

async function save(page: Page, name: string): Promise<Record<string, any>> {
  await page.evaluate(`jupyterapp.commands.execute('docmanager:save')`);
  return JSON.parse(fs.readFileSync(path.join(lab.folder, name), 'utf8'));
}

labTest(
  'a slider weighs a reward, in both themes: moved in the page, and by what else changes the weight',
  async () => {
    const { page, errors, cell } = await run('weights.ipynb');
    await waitForCells(page, 60_000);
    const [plays, survives] = [sliders(cell(1)).nth(0), sliders(cell(1)).nth(1)];
    await becomes(() => readout(plays), '1.00');
    assert.equal(await readout(survives), '0.50');
    await press(plays, 'ArrowRight', 3);
    await becomes(() => evaluate(page, "rewardRegistry.get('plays').weight"), '1.15');
    await changeTheme(page, 'JupyterLab Dark');
    assert.equal(await evaluate(page, "rewardRegistry.setWeight('survivesLong', 3)"), 'undefined');
    await becomes(() => readout(survives), '3.00');
    await press(survives, 'ArrowLeft', 1);
    await becomes(() => evaluate(page, "rewardRegistry.get('survivesLong').weight"), '2.95');
    await changeTheme(page, 'JupyterLab Light');
    // Sliders below one another are of one length.
    const [first, second] = await Promise.all(
      [plays, survives].map((it) => it.locator('.slider-container').boundingBox()),
    );
    assert.deepEqual([first!.x, first!.width], [second!.x, second!.width]);
    assert.deepEqual(errors, []);
    await page.close();
  },
);

labTest('an anywidget is drawn by its own code, and what its handlers print is below its cell', async () => {
  const { page, errors, cell } = await run('counter.ipynb');
  await waitForCells(page, 60_000);
  const button = cell(2).getByRole('button', { name: /count is/ });
  await becomes(() => button.innerText(), 'count is 0, 3 bytes');
  await button.click();
  await becomes(() => button.innerText(), 'count is 1, 3 bytes');
  await cell(2).getByText('counted 1').waitFor();
  await evaluate(page, 'counter.value = 7');
  await becomes(() => button.innerText(), 'count is 7, 3 bytes');
  // Another view of the same state.
  await page.evaluate(`jupyterapp.commands.execute('notebook:create-output-view')`);
  const views = page.getByRole('button', { name: /count is/ });
  await becomes(() => views.count(), 2);
  await views.last().click();
  await becomes(async () => new Set(await views.allInnerTexts()), new Set(['count is 8, 3 bytes']));
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('while a cell runs, every move of a slider reaches the kernel', async () => {
  const { page, errors, cell } = await run(
    'during.ipynb',
    `console.log('waits');
await new Promise<void>((resolve) => rewardRegistry.on('change', ({ name }) => {
  const { weight } = rewardRegistry.get(name);
  console.log('weight', weight);
  if (weight === 1.15) resolve();
}));`,
  );
  await cell(3).getByText('waits', { exact: true }).waitFor();
  const plays = sliders(cell(1)).first();
  for (const weight of [1.05, 1.1, 1.15]) {
    await press(plays, 'ArrowRight', 1);
    // The change was made by the slider's own handler, which is cell 1's.
    await cell(1).getByText(`weight ${weight}`).waitFor();
  }
  await waitForCells(page, 60_000);
  assert.deepEqual(errors, []);
  await page.close();
});

labTest(
  'the state is saved with the notebook: live after a reload, shown with a new kernel, and not after it is cleared',
  async () => {
    const name = 'saved.ipynb';
    const { page, errors, cell } = await run(name);
    await waitForCells(page, 60_000);
    const plays = sliders(cell(1)).first();
    const button = cell(2).getByRole('button', { name: /count is/ });
    await press(plays, 'ArrowRight', 2);
    await button.click();
    await becomes(() => evaluate(page, "rewardRegistry.get('plays').weight"), '1.1');
    const { state } = (await save(page, name)).metadata.widgets[STATE];
    const values = Object.values<any>(state).map((model) => [model.model_name, model.state.value]);
    assert.deepEqual(values.filter(([, value]) => value !== undefined).sort(), [
      ['AnyModel', 1],
      ['FloatSliderModel', 0.5],
      ['FloatSliderModel', 1.1],
    ]);

    await page.reload();
    await becomes(() => button.innerText(), 'count is 1, 3 bytes');
    await button.click();
    await cell(2).getByText('counted 2').waitFor();
    await becomes(() => readout(plays), '1.10');
    await press(plays, 'ArrowLeft', 1);
    await becomes(() => evaluate(page, "rewardRegistry.get('plays').weight"), '1.05');
    await save(page, name);

    // Without the kernel that made them they are shown as they were, and marked as not connected.
    await page.evaluate(`jupyterapp.shell.currentWidget.sessionContext.shutdown()`);
    await page.goto(lab.url(name));
    // Where a new kernel connects late, Jupyter's widget manager draws outputs before it has read the saved state, for good.
    const early = cell(2).getByText('model not found');
    await button.or(early).first().waitFor();
    if ((await early.count()) > 0) {
      await page.reload();
      errors.splice(0, errors.length, ...errors.filter((error) => !error.includes('widget model not found')));
    }
    await becomes(() => button.innerText(), 'count is 2, 3 bytes');
    await becomes(() => readout(plays), '1.05');
    await cell(1).locator('.jupyter-widgets-disconnected').first().waitFor();
    const again = await save(page, name);
    assert.equal(Object.keys(again.metadata.widgets[STATE].state).length, values.length, 'saved again, it is the same');

    // A cell that runs again has live ones; the others stay as they were saved.
    await runAllCells(page);
    await waitForCells(page, 60_000);
    await becomes(() => button.innerText(), 'count is 0, 3 bytes');
    assert.equal(Object.keys((await save(page, name)).metadata.widgets[STATE].state).length, values.length);
    await page.evaluate(`jupyterapp.commands.execute('editmenu:clear-all')`);
    assert.equal((await save(page, name)).metadata.widgets, undefined);
    assert.deepEqual(errors, []);
    await page.close();
  },
);

labTest('in a JupyterLab without the front end of widgets a text says which package to install', async () => {
  const other = await startLab({ disabled: ['@jupyter-widgets/jupyterlab-manager', 'anywidget'] });
  try {
    writeNotebook(other.folder, 'plain.ipynb', CELLS);
    const { page, errors, cell } = await openNotebook(browser, other.url('plain.ipynb'));
    await runAllCells(page);
    await waitForCells(page, 60_000);
    await becomes(
      async () =>
        /^VBox\(.*value: 1, .*pip install anywidget/s.test(await cell(1).locator('.jp-OutputArea-output').innerText()),
      true,
    );
    // JupyterLab says of each comm whose target it does not know that there was an exception.
    assert.deepEqual(
      errors.filter((error) => !error.startsWith('Exception opening new comm')),
      [],
    );
    await page.close();
  } finally {
    await other.close();
  }
});
