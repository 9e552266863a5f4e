import type { Page } from 'playwright-core';

/** Returns the JavaScript of the extension that a page has loaded, with sizes in bytes. */
export function loadedScripts(page: Page): Promise<Array<{ name: string; size: number }>> {
  return page.evaluate(`performance
    .getEntriesByType('resource')
    .filter(({ name }) => /\\/extensions\\/joylab\\/.*\\.js/.test(name))
    .map(({ name, decodedBodySize }) => ({ name: name.split('/').at(-1).split('?')[0], size: decodedBodySize }))`);
}
