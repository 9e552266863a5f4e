import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { tell } from './labTest';

/** Milliseconds after which a test that hangs is ended. */
const TIMEOUT = 120_000;

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
  /** Errors in the browser's console and uncaught exceptions, without {@link JUPYTERLAB_FAULTS}. */
  errors: string[];
  cell(index: number): Locator;
}

/**
 * What JupyterLab 4 says when a notebook is closed while cells wait for idle time to be drawn, or while its toolbar is
 * measured: its widgets have lost their layouts then. Errors with a frame in an extension are never taken for these.
 */
const JUPYTERLAB_FAULTS = [
  /Cannot read properties of null \(reading 'insertWidget'\)\n +at \S+\._updateForDeferMode /,
  // Settings that are loaded before those of the shortcuts.
  /Cannot read properties of undefined \(reading 'schema'\)\n[^]*\.emit [^]*\.load /,
  /^Error while computing the ReactiveToolbar TypeError: Cannot read properties of null \(reading 'widgets'\)/,
];

/** Options of {@link openNotebook}. */
export interface NotebookPageOptions {
  width?: number;
  height?: number;
  reducedMotion?: 'reduce' | 'no-preference';
}

/** Opens a notebook in a new page of JupyterLab and waits until its cells are there. */
export async function openNotebook(
  browser: Browser,
  url: string,
  { width = 1280, height = 900, reducedMotion }: NotebookPageOptions = {},
): Promise<NotebookPage> {
  // One context for all pages: JupyterLab's own files are loaded and compiled once.
  const context = browser.contexts()[0] ?? (await browser.newContext());
  const page = await context.newPage();
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ reducedMotion });
  page.setDefaultTimeout(TIMEOUT);
  const errors: string[] = [];
  const isTheirs = (error: string) =>
    !error.includes('/extensions/') && JUPYTERLAB_FAULTS.some((fault) => fault.test(error));
  const keep = (error: string) => isTheirs(error) || errors.push(error);
  page.on('console', (message) => {
    tell(`console.${message.type()}: ${message.text()}`);
    if (message.type() === 'error') keep(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => {
    tell(`exception: ${error.stack ?? error}`);
    keep(String(error.stack ?? error));
  });
  page.on('crash', () => tell('the page crashed'));
  await page.goto(url);
  await page
    .locator('.jp-Notebook .jp-Cell')
    .first()
    .waitFor({ timeout: 2 * TIMEOUT });
  return { page, errors, cell: (index) => page.locator('.jp-Notebook .jp-Cell').nth(index) };
}

/** Waits until the kernel is ready: before that, JupyterLab asks to try again when cells are run. */
export async function waitForKernel(page: Page): Promise<void> {
  await page
    .locator('.jp-StatusBar-TextItem, .jp-StatusItem', { hasText: '| Idle' })
    .first()
    .waitFor({ timeout: 2 * TIMEOUT });
}

/** Runs all cells through the menu, once the kernel is ready. */
export async function runAllCells(page: Page): Promise<void> {
  await waitForKernel(page);
  await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
}

/** Waits until no cell runs or waits any more. Throws when a cell fails. */
export async function waitForCells(page: Page, timeout: number): Promise<void> {
  const busy = page.locator('.jp-CodeCell .jp-InputPrompt', { hasText: '*' });
  await waitUntil(page, async () => (await busy.count()) === 0, 'all cells are run', timeout);
}

/** Expression for the tracebacks of the notebook's cells. The page does not show them all: outputs out of view are not drawn. */
const FAILURES = `(jupyterapp.shell.currentWidget?.content?.widgets ?? [])
  .flatMap(({ model }) => (model.type === 'code' ? model.outputs.toJSON() : []))
  .filter(output => output.output_type === 'error')
  .map(({ traceback }) => traceback.join('\\n'))`;

/** Waits until a condition holds. Throws when a cell fails, or after `timeout` milliseconds. */
export async function waitUntil(
  page: Page,
  condition: () => Promise<boolean>,
  what: string,
  timeout: number,
): Promise<void> {
  const end = Date.now() + timeout;
  for (;;) {
    const failures = await page.evaluate<string[]>(FAILURES);
    if (failures.length > 0) throw new Error(`A cell failed:\n${failures.join('\n')}`);
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`After ${timeout / 1000} s it is not so that ${what}.`);
    await page.waitForTimeout(100);
  }
}

/**
 * Shows JupyterLab in a theme. Waits for the splash of the theme before: JupyterLab removes it 200 ms late, and twice,
 * with an error, where the next theme came meanwhile.
 */
export async function changeTheme(page: Page, theme: 'JupyterLab Dark' | 'JupyterLab Light'): Promise<void> {
  await becomes(() => page.locator('#jupyterlab-splash').count(), 0);
  await page.evaluate(`jupyterapp.commands.execute("apputils:change-theme", { theme: "${theme}" })`);
  await becomes(() => page.evaluate('document.body.dataset.jpThemeName'), theme);
}

/** Waits until a value, read repeatedly, is the expected one. Throws as `assert.deepEqual` when it never is. */
export async function becomes<Value>(look: () => Promise<Value>, expected: Value, message?: string): Promise<void> {
  const end = Date.now() + TIMEOUT;
  for (;;) {
    const seen = await look();
    if (isDeepStrictEqual(seen, expected)) return;
    if (Date.now() > end) return assert.deepEqual(seen, expected, message);
    await sleep(50);
  }
}

/** Waits until a value changes, and returns the new one. */
export async function changes<Value>(look: () => Promise<Value>, what: string): Promise<Value> {
  const first = await look();
  for (const end = Date.now() + TIMEOUT; ; await sleep(50)) {
    const seen = await look();
    if (seen !== first) return seen;
    if (Date.now() > end) throw new Error(`${what} stays ${String(first)}.`);
  }
}

/** Waits until the pixels of a canvas change. */
export async function waitForMotion(canvas: Locator): Promise<void> {
  await changes(() => pixels(canvas), 'The picture');
}

/** Returns a hash of the pixels of a canvas. */
export function pixels(canvas: Locator): Promise<number> {
  return canvas.evaluate((node: any) => {
    const { data } = node.getContext('2d').getImageData(0, 0, node.width, node.height);
    let hash = 0;
    for (let i = 0; i < data.length; i++) hash = (hash * 31 + data[i]) | 0;
    return hash;
  });
}

const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Returns what axe finds in a part of the page: rule, element, what is wrong. */
export async function axeFindings(page: Page, selector: string): Promise<string[]> {
  if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(AXE);
  const found = await page.evaluate<Array<{ id: string; nodes: Array<{ html: string; failureSummary: string }> }>>(
    `axe.run({ include: [${JSON.stringify(selector)}] }, { resultTypes: ['violations'], rules: { region: { enabled: false } } }).then(({ violations }) => violations)`,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary.replace(/\s+/g, ' ')}`),
  );
}
