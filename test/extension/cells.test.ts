import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { outline } from '../../kernel/cells/directives/comments';
import { axeFindings, becomes, changeTheme, openNotebook, waitUntil } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';

const { lab, browser } = useLab();

/** Cells with a directive and cells without one, whatever they look like. */
const SOURCES = [
  '/** @reward */\nfunction one() { return 1; }',
  '/** How good is it?\n * @reward weight=2 */\nfunction two() { return 2; }',
  '// first\n/* then */ /** @grpo dataset=data */\nconst config = {};',
  "const text = '/** @grpo */';\nconst other = `\n/** @reward */\n`;",
  "const a = 1; // it's\n/** @openenv */\nclass Mine {}",
  'class Mine {\n  /** @reward */\n  method() {}\n}',
  '/* @reward */\nfunction three() {}',
  '/** @rewards */\nfunction four() {}',
  '/**\n * Both.\n * @openenv card=false\n * @grpo\n */\nconst both = 1;',
  '1 + 1',
];

/** The names of the directives that the kernel finds in a cell. */
function kinds(source: string): string[] {
  const known = ['openenv', 'reward', 'grpo'];
  const tags = outline(source).comments.flatMap((comment) => comment.tags.map(({ name }) => name));
  return [...new Set(tags)].filter((name) => known.includes(name));
}

const badge = (cell: Locator) => cell.locator('.joylab-Badge');

/** The directives that the badges of a notebook name, cell by cell. */
function shown(page: Page): Promise<string[][]> {
  return page
    .locator('.jp-Notebook .jp-Cell')
    .evaluateAll((cells) =>
      cells.map((cell: any) => (cell.querySelector('.joylab-Badge')?.title ?? '').match(/(?<=@)\w+/g) ?? []),
    );
}

labTest('cells with a directive have a badge that names it, as the kernel reads them', async () => {
  writeNotebook(
    lab.folder,
    'badges.ipynb',
    SOURCES.map((source) => ({ source })),
  );
  const { page, errors, cell } = await openNotebook(browser, lab.url('badges.ipynb'), { height: 1400 });
  await becomes(() => shown(page), SOURCES.map(kinds));
  assert.equal(await badge(cell(0)).innerText(), 'reward');
  assert.equal(await badge(cell(0)).getAttribute('aria-label'), 'Reward cell (@reward): run it');
  for (const theme of ['JupyterLab Dark', 'JupyterLab Light'] as const) {
    await changeTheme(page, theme);
    assert.deepEqual(await axeFindings(page, '.joylab-Badge'), [], theme);
  }
  // The badge follows the text.
  await cell(9).locator('.cm-content').click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText('/** @openenv */');
  await becomes(() => badge(cell(9)).allInnerTexts(), ['env']);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText('1');
  await becomes(() => badge(cell(9)).count(), 0);
  assert.deepEqual(errors, []);
  await page.close({ runBeforeUnload: false });
});

labTest('a click on a badge runs its cell, and so does Enter where the Tab key finds it', async () => {
  writeNotebook(lab.folder, 'run.ipynb', [
    { source: "/** @openenv card=false */\nconst env = await openenv('game2048');\nenv.name" },
  ]);
  const { page, errors, cell } = await openNotebook(browser, lab.url('run.ipynb'));
  const count = () => cell(0).locator('.jp-InputPrompt').innerText();
  await badge(cell(0)).click();
  await waitUntil(page, async () => (await count()) === '[1]:', 'the cell has run', 120_000);
  await cell(0).locator('.cm-content').click();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  const focused = () => page.evaluate('document.activeElement.className');
  for (let i = 0; i < 4 && (await focused()) !== 'joylab-Badge'; i++) await page.keyboard.press('Tab');
  assert.equal(await focused(), 'joylab-Badge');
  await page.keyboard.press('Enter');
  await waitUntil(page, async () => (await count()) === '[2]:', 'the cell has run again', 120_000);
  assert.deepEqual(errors, []);
  await page.close({ runBeforeUnload: false });
});

labTest('F8 goes to the next problem of a cell, and shows what is wrong with the word', async () => {
  writeNotebook(lab.folder, 'problems.ipynb', [{ source: '' }]);
  const { page, errors, cell } = await openNotebook(browser, lab.url('problems.ipynb'));
  await cell(0).locator('.cm-content').click();
  await page.keyboard.insertText('/** @reward wieght=2 */\nfunction one(): number { return 1; }');
  const mark = cell(0).locator('.joylab-Squiggle');
  await mark.waitFor({ timeout: 120_000 });
  assert.deepEqual(await mark.allInnerTexts(), ['wieght=2']);
  await page.keyboard.press('F8');
  const line = cell(0).locator('.joylab-ProblemLine');
  assert.match(await line.innerText(), /^@reward has no argument "wieght"\. .*Did you mean weight\?$/);
  assert.equal(await page.evaluate('getSelection().toString()'), 'wieght=2');
  assert.match(await cell(0).locator('.cm-announced').innerText(), /no argument "wieght"/);
  // The word is selected: what is typed takes its place.
  await page.keyboard.insertText('weight=2');
  await becomes(() => line.count(), 0);
  await becomes(() => mark.count(), 0);
  assert.deepEqual(errors, []);
  await page.close({ runBeforeUnload: false });
});

labTest('notebooks of other kernels have no badges', async () => {
  writeNotebook(lab.folder, 'python.ipynb', [{ source: '/** @reward */' }], 'python3');
  const { page, cell } = await openNotebook(browser, lab.url('python.ipynb'));
  await page.locator('.jp-StatusBar-TextItem, .jp-StatusItem', { hasText: '| Idle' }).first().waitFor();
  assert.equal(await badge(cell(0)).count(), 0);
  await page.close({ runBeforeUnload: false });
});
