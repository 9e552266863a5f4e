import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Page } from 'playwright-core';
import { packageRoot } from '../../kernel/common/packagePaths';
import { ATARI_GAMES } from '../../kernel/environments/atari/catalog';
import { axeFindings, becomes, openNotebook, waitForCells, waitUntil } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';
import { loadedScripts } from './scripts';

const { lab, browser } = useLab();

/** The sources of the notebook in front. */
const sources = (page: Page): Promise<string[]> =>
  page.evaluate('jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => model.sharedModel.getSource())');

/** Chooses a command in the menu "Kernel", once the kernel is known. */
async function choose(page: Page, name: string): Promise<void> {
  await waitUntil(
    page,
    () => page.evaluate('jupyterapp.commands.isEnabled("joylab:insert-reward-cell")'),
    'the kernel is known',
    300_000,
  );
  await page.getByRole('menuitem', { name: 'Kernel', exact: true }).click();
  await page.locator('.lm-Menu-item', { hasText: 'Joylab' }).hover();
  await page.getByRole('menuitem', { name, exact: true }).click();
}

labTest('a GRPO cell is inserted with what the notebook lacks for it, and all of it runs', async () => {
  writeNotebook(lab.folder, 'empty.ipynb', [{ source: '' }]);
  const { page, errors, cell } = await openNotebook(browser, lab.url('empty.ipynb'));
  await choose(page, 'Insert Environment Cell');
  await becomes(async () => (await sources(page)).length, 1, 'an empty cell is filled');
  await choose(page, 'Insert GRPO Cell');
  await becomes(
    async () => (await sources(page)).map((source) => /@\w+|fromPretrained/.exec(source)?.[0]),
    ['@openenv', 'fromPretrained', '@reward', '@grpo'],
  );
  await becomes(() => page.locator('.joylab-Badge').allInnerTexts(), ['env', 'reward', 'GRPO']);
  await becomes(() => page.evaluate('jupyterapp.shell.currentWidget.content.mode'), 'edit', 'the new cell is edited');
  const [, , , training] = await sources(page);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(
    training.replace('maxSteps: 60', 'maxSteps: 1').replace('numGenerations: 32', 'numGenerations: 4'),
  );
  await page.evaluate('void jupyterapp.commands.execute("notebook:run-all-cells")');
  await page.locator('.joylab-Training').waitFor({ timeout: 300_000 });
  await waitForCells(page, 300_000);
  // The reward cell alone runs again.
  await cell(2).locator('.jp-InputPrompt').click();
  await choose(page, 'Run This Reward Cell Again');
  await becomes(() => page.locator('.jp-InputPrompt').allInnerTexts(), ['[1]:', '[2]:', '[5]:', '[4]:']);
  assert.deepEqual(errors, []);
  await page.close({ runBeforeUnload: false });
});

labTest(
  'JupyterLab starts with at most 100 KB of JavaScript: the rest comes with the first output of its kind',
  async () => {
    writeNotebook(lab.folder, 'nothing.ipynb', [{ source: '' }]);
    const { page } = await openNotebook(browser, lab.url('nothing.ipynb'));
    const sizes = (await loadedScripts(page)).map(({ size }) => size);
    assert.ok(sizes.length > 0 && sizes.every((size) => size > 0));
    const together = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(together <= 100_000, `${together} bytes`);
    await page.close({ runBeforeUnload: false });
  },
);

labTest('the launcher makes a notebook for the game that was chosen, of the cells of the Atari notebook', async () => {
  writeNotebook(lab.folder, 'start.ipynb', [{ source: '1 + 1' }]);
  const { page, errors } = await openNotebook(browser, lab.url('start.ipynb'));
  await page.evaluate('jupyterapp.commands.execute("launcher:create")');
  await page.locator('.jp-LauncherCard', { hasText: 'Atari GRPO Notebook' }).click();
  const options = page.getByRole('option');
  await becomes(() => options.count(), ATARI_GAMES.length);
  assert.deepEqual(
    (await options.allInnerTexts()).slice(0, 3).map((text) => text.split('\n')[0]),
    ['Bowling', 'Boxing', 'Breakout'],
  );
  assert.deepEqual(await axeFindings(page, '.jp-Dialog'), []);
  // What is no game cannot be created.
  await page.keyboard.insertText('ponk');
  await becomes(() => page.getByRole('button', { name: 'Create' }).isDisabled(), true);
  await page.keyboard.press('Enter');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText('space');
  await becomes(
    async () => (await options.allInnerTexts()).map((text) => text.split('\n')[0]),
    ['Space Invaders', 'Space War'],
  );
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  const file = path.join(lab.folder, 'atari-space_invaders.ipynb');
  await becomes(async () => fs.existsSync(file), true);
  await becomes(
    () => page.evaluate('jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.name'),
    'joylab',
    'it is open with the kernel',
  );
  const read = (name: string) => JSON.parse(fs.readFileSync(name, 'utf8'));
  const original = read(path.join(packageRoot, 'notebooks', 'atari.ipynb'));
  const made = read(file);
  const text = ({ cells }: any): string[] => cells.map(({ source }: any) => [source].flat().join(''));
  assert.deepEqual(
    text(made),
    text(original).map((source) =>
      source.replaceAll('Breakout', 'Space Invaders').replace("game: 'breakout'", "game: 'space_invaders'"),
    ),
  );
  assert.ok(text(made).join().includes("openenv('atari', { game: 'space_invaders' })"));
  assert.ok(made.cells.every(({ outputs = [], execution_count = null }: any) => !outputs.length && !execution_count));
  // A second one has a name of its own.
  await page.evaluate('void jupyterapp.commands.execute("joylab:new-atari-notebook", { game: "space_invaders" })');
  await becomes(async () => fs.existsSync(path.join(lab.folder, 'atari-space_invaders-1.ipynb')), true);
  assert.deepEqual(errors, []);
  await page.close({ runBeforeUnload: false });
});
