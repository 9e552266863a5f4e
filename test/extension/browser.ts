import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

/** Starts the Chromium of `$JOYLAB_CHROMIUM`, of the system, or Playwright's own. */
export function launchBrowser(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: browserPath(), args });
}

function browserPath(): string {
  if (process.env.JOYLAB_CHROMIUM) return process.env.JOYLAB_CHROMIUM;
  for (const command of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    const { status, stdout } = spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' });
    if (status === 0) return stdout.trim();
  }
  const own = chromium.executablePath();
  if (fs.existsSync(own)) return own;
  throw new Error('No Chromium found: install one, or name it in $JOYLAB_CHROMIUM.');
}

/** A page with a notebook open. */
export interface NotebookPage {
  page: Page;
  /** Errors that were written to the browser's console, and exceptions nobody caught. */
  errors: string[];
  cell(index: number): Locator;
}

/** Options of {@link openNotebook}. */
export interface NotebookPageOptions {
  width?: number;
  height?: number;
  reducedMotion?: 'reduce' | 'no-preference';
}

/** Opens a notebook in a new page of JupyterLab and waits until its cells are there. */
export async function openNotebook(browser: Browser, url: string, { width = 1280, height = 900, reducedMotion }: NotebookPageOptions = {}): Promise<NotebookPage> {
  const page = await browser.newPage({ viewport: { width, height }, reducedMotion });
  const errors: string[] = [];
  page.on('console', message => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', error => errors.push(String(error.stack ?? error)));
  await page.goto(url);
  await page.locator('.jp-Notebook .jp-Cell').first().waitFor({ timeout: 60_000 });
  return { page, errors, cell: index => page.locator('.jp-Notebook .jp-Cell').nth(index) };
}

/** Runs all cells through the menu, as a user does, once the kernel is there: before, JupyterLab asks to try again. */
export async function runAllCells(page: Page): Promise<void> {
  await page.locator('.jp-StatusBar-TextItem, .jp-StatusItem', { hasText: '| Idle' }).first().waitFor({ timeout: 60_000 });
  await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
}

/** Waits until no cell runs or waits any more. Throws when a cell fails. */
export async function waitForCells(page: Page, timeout: number): Promise<void> {
  const busy = page.locator('.jp-CodeCell .jp-InputPrompt', { hasText: '*' });
  await waitUntil(page, async () => (await busy.count()) === 0, 'all cells are run', timeout);
}

/** Waits until a condition holds. Throws when a cell fails, or after `timeout` milliseconds. */
export async function waitUntil(page: Page, condition: () => Promise<boolean>, what: string, timeout: number): Promise<void> {
  const failures = page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]');
  const end = Date.now() + timeout;
  while (!(await condition())) {
    const texts = await failures.evaluateAll((nodes: any[]) => nodes.map(node => node.textContent));
    if (texts.length > 0) throw new Error(`A cell failed:\n${texts.join('\n')}`);
    if (Date.now() > end) throw new Error(`After ${timeout / 1000} s it is not so that ${what}.`);
    await page.waitForTimeout(100);
  }
}

/** Waits until the pixels of a canvas are others than they are now. */
export async function waitForMotion(canvas: Locator, timeout = 10_000): Promise<void> {
  const still = await pixels(canvas);
  const end = Date.now() + timeout;
  while ((await pixels(canvas)) === still) {
    if (Date.now() > end) throw new Error(`The frames did not move within ${timeout / 1000} s.`);
    await canvas.page().waitForTimeout(50);
  }
}

/** A number that stands for the pixels of a canvas. */
export function pixels(canvas: Locator): Promise<number> {
  return canvas.evaluate((node: any) => {
    const { data } = node.getContext('2d').getImageData(0, 0, node.width, node.height);
    let hash = 0;
    for (let i = 0; i < data.length; i++) hash = (hash * 31 + data[i]) | 0;
    return hash;
  });
}
