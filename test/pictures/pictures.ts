/*
 * Writes the pictures of README and docs: `npm run pictures`.
 *
 * The project's notebook runs in a JupyterLab of its own, with fewer steps; what it shows
 * is taken as it is, in both themes. The same seeds give the same run on the same machine.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { packageRoot } from '../../kernel/common/packagePaths';
import { changeTheme, launchBrowser, openNotebook, waitForCells, waitForKernel } from '../extension/browser';
import { startLab } from '../extension/lab';
import { writeNotebook } from '../extension/notebooks';
import { fileOf, FOLDER, MOST_BYTES, PICTURES, type PictureName } from './list';
import { editedRewards, PLACES, pictureCells } from './notebook';

/** Milliseconds for a run of the notebook, on a machine that has much else to do. */
const PATIENCE = 30 * 60_000;

/** What a picture shows of the page: a part of it, of which at most `width` × `height` pixels. */
interface View {
  part: Locator;
  width?: number;
  height?: number;
}

async function main(): Promise<void> {
  const cells = pictureCells();
  const lab = await startLab();
  const browser = await launchBrowser();
  try {
    writeNotebook(
      lab.folder,
      'breakout.ipynb',
      cells.map((source) => ({ source })),
    );
    const { page } = await openNotebook(browser, lab.url('breakout.ipynb'), {
      width: 1240,
      height: 1160,
      reducedMotion: 'reduce',
    });
    await page.evaluate('jupyterapp.shell.collapseLeft()');
    await waitForKernel(page);
    await training(page);
    await comparison(page, cells[PLACES.rewards]);
    await refinement(page);
    await rollouts(page);
  } finally {
    await browser.close();
    await lab.close();
  }
  checkSizes();
}

/** The run of the notebook, and its reward functions. */
async function training(page: Page): Promise<void> {
  await run(page, PLACES.training);
  const view = cellOf(page, PLACES.training).locator('.joylab-Training');
  await view.scrollIntoViewIfNeeded();
  await view.locator('.joylab-Chart-plot .main-svg').first().waitFor();
  for (const name of ['Length', 'Loss']) await view.getByRole('button', { name, exact: true }).click();
  // The rollouts are in the middle of their episodes.
  await view.getByRole('button', { name: 'Play the rollouts' }).click();
  await page.waitForTimeout(4000);
  await view.getByRole('button', { name: 'Pause the rollouts' }).click();
  await take(page, 'training', { part: view, height: 940 });
  await view.locator('.joylab-RewardsPart > summary').click();
  await take(page, 'rewards', { part: view.locator('.joylab-RewardsPart') });
  await view.locator('.joylab-RewardsPart > summary').click();
}

/** What changes when the reward cell is edited. */
async function comparison(page: Page, source: string): Promise<void> {
  await page.evaluate(
    `jupyterapp.shell.currentWidget.content.widgets[${PLACES.rewards}].model.sharedModel.setSource(${JSON.stringify(editedRewards(source))})`,
  );
  await run(page, PLACES.rewards, PLACES.rewards);
  const view = cellOf(page, PLACES.rewards).locator('.joylab-Compare').first();
  await view.scrollIntoViewIfNeeded();
  // Each has its frame: the kernel plays the episodes again, one after the other.
  await page.waitForFunction(`(() => {
    const canvases = [...document.querySelectorAll('.joylab-Compared canvas')];
    const isDrawn = (canvas) =>
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value, i) => i % 4 < 3 && value > 0);
    return canvases.length === document.querySelectorAll('.joylab-Compared-picture').length && canvases.every(isDrawn);
  })()`);
  await take(page, 'comparison', { part: view, height: 620 });
}

/** The tree of the programs of a run that refines them. */
async function refinement(page: Page): Promise<void> {
  await run(page, PLACES.refinement, PLACES.refinement);
  const tree = cellOf(page, PLACES.refinement).locator('.jp-OutputArea-output').nth(1);
  await tree.scrollIntoViewIfNeeded();
  await take(page, 'refinement', { part: tree, width: 730, height: 620 });
}

/** The group of a step, and its best rollout with the lines that decided. */
async function rollouts(page: Page): Promise<void> {
  await page.setViewportSize({ width: 1240, height: 860 });
  // The view is wide: the notebook stays a strip beside it.
  await page.evaluate("jupyterapp.commands.execute('joylab:open-rollouts')");
  await page.evaluate("jupyterapp.shell.mode = 'single-document'");
  const view = page.locator('.joylab-Rollouts');
  await view.getByRole('button', { name: 'Runs' }).click();
  // The run before the refinement.
  await view.locator('.joylab-Runs-list tbody').getByRole('button').last().click();
  await view.locator('.joylab-Rollout canvas').nth(5).waitFor();
  await page.waitForTimeout(3000);
  await take(page, 'group', { part: view, height: 760 });
  await view.locator('.joylab-Rollout').first().click();
  await view.locator('.joylab-mod-decided').first().waitFor();
  await view.locator('.joylab-Replay').focus();
  await page.keyboard.press('Home');
  for (let i = 0; i < 12; i++) await page.keyboard.press('Shift+ArrowRight');
  await view.focus();
  await take(page, 'rollout', { part: view, height: 760 });
}

/** Runs the cells from the first one, or from another, and waits for the last. */
async function run(page: Page, last: number, first = 0): Promise<void> {
  console.log(`running cells ${first + 1} to ${last + 1} …`);
  for (let i = first; i <= last; i++) {
    await page.evaluate(`(() => {
      const { content } = jupyterapp.shell.currentWidget;
      content.activeCellIndex = ${i};
      return jupyterapp.commands.execute('notebook:run-cell').then(() => undefined);
    })()`);
  }
  await waitForCells(page, PATIENCE);
}

function cellOf(page: Page, index: number): Locator {
  return page.locator(`.jp-Notebook .jp-Cell[data-windowed-list-index="${index}"]`);
}

/** Takes a picture in both themes. */
async function take(page: Page, name: PictureName, { part, width = Infinity, height = Infinity }: View): Promise<void> {
  mkdirSync(join(packageRoot, FOLDER), { recursive: true });
  for (const theme of ['dark', 'light'] as const) {
    await changeTheme(page, theme === 'dark' ? 'JupyterLab Dark' : 'JupyterLab Light');
    await page.mouse.move(0, 0);
    // Charts are drawn again in the colours of the theme.
    await page.waitForTimeout(2000);
    await part.evaluate((node: any) => node.scrollIntoView({ block: 'start' }));
    await page.waitForTimeout(500);
    const box = (await part.boundingBox())!;
    const clip = {
      ...box,
      width: Math.min(box.width, width),
      height: Math.min(box.height, height, page.viewportSize()!.height - box.y),
    };
    await page.screenshot({ path: join(packageRoot, FOLDER, fileOf(name, theme)), clip, animations: 'disabled' });
  }
  console.log(`✓ ${name}`);
}

function checkSizes(): void {
  const files = PICTURES.flatMap((name) => [fileOf(name, 'light'), fileOf(name, 'dark')]);
  const sizes = files.map((file) => statSync(join(packageRoot, FOLDER, file)).size);
  const large = files.filter((_, i) => sizes[i] > MOST_BYTES.each);
  const together = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`${files.length} pictures, ${Math.round(together / 1000)} KB`);
  if (large.length > 0) throw new Error(`Too large: ${large.join(', ')}`);
  if (together > MOST_BYTES.together) throw new Error('All pictures together are too large.');
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
