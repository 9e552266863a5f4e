import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './browser';
import { startLab, type Lab, type LabOptions } from './lab';

/**
 * Starts JupyterLab and a browser before the tests of the file, and closes both after
 * them. What it returns can be used in tests, and in what a file does before these.
 */
export function useLab(options: LabOptions = {}): { lab: Lab; browser: Browser } {
  let lab: Lab | undefined;
  let browser: Browser | undefined;
  before(async () => {
    lab = await startLab(options);
    browser = await launchBrowser();
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
