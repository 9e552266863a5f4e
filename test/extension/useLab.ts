import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './browser';
import { startLab, type Lab, type LabOptions } from './lab';

/**
 * Starts JupyterLab and a browser before the tests of the file, and closes both after
 * them. What it returns can be used in these tests.
 *
 * @param prepare called once both have started. A hook of the file itself would run beside
 *   this one: Node.js waits for none of them but before the first test.
 */
export function useLab(
  options: LabOptions = {},
  prepare: () => void | Promise<void> = () => undefined,
): { lab: Lab; browser: Browser } {
  let lab: Lab | undefined;
  let browser: Browser | undefined;
  before(async () => {
    lab = await startLab(options);
    browser = await launchBrowser();
    await prepare();
  });
  after(async () => {
    await browser?.close();
    await lab?.close();
  });
  return { lab: later(() => lab), browser: later(() => browser) };
}

/** Returns an object that stands for one that does not exist yet. */
function later<T extends object>(find: () => T | undefined): T {
  return new Proxy({} as T, {
    get: (_, name) => {
      const found = find();
      if (!found) throw new Error('It is used before the tests of the file begin.');
      const value: unknown = Reflect.get(found, name);
      return typeof value === 'function' ? value.bind(found) : value;
    },
  });
}
