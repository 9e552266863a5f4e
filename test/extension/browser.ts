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

/** Runs all cells through the menu, as a user does. */
export async function runAllCells(page: Page): Promise<void> {
  await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
}
