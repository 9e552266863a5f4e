import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { becomes, openNotebook, runAllCells, waitUntil } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { startProxy } from './proxy';
import { save, savedRun, sentences, shownStep, upTo, waitForStep, waitForWhole, writeRun } from './runs';

// When the answer to a save is lost, JupyterLab asks about the file at the next one: the test alone saves.
const { lab, browser } = useLab({ autosave: false });

/** A notebook page whose way to the server can be broken. */
async function behindProxy(name: string) {
  const { port } = new URL(lab.url(name));
  const proxy = await startProxy(Number(port));
  const opened = await openNotebook(browser, lab.url(name).replace(`:${port}/`, `:${proxy.port}/`));
  return { proxy, ...opened };
}

/** What becomes of a connection for more than a minute, and the name of the notebook. */
const ACCIDENTS = { asleep: 'stall', lost: 'lose', cut: 'cut' } as const;

labTest(
  'a connection that is asleep, lost or cut for more than a minute: the view says so, and then has everything',
  async () => {
    // Beside one another: nearly all of the time is waiting.
    await Promise.all((Object.keys(ACCIDENTS) as Array<keyof typeof ACCIDENTS>).map(check));
  },
);

async function check(name: keyof typeof ACCIDENTS): Promise<void> {
  const how = ACCIDENTS[name];
  writeRun(lab.folder, `${name}.ipynb`, 500);
  const { page, proxy } = await behindProxy(`${name}.ipynb`);
  await runAllCells(page);
  await waitForStep(page, 3);
  await waitForWhole(page, 3);
  if (how === 'cut') proxy.cut();
  else proxy.stall();
  const gone = Date.now();
  await becomes(
    async () => (await sentences(page)).map((text) => text.replace(/[\d:]+( [AP]M)?/, '…')),
    [
      'No connection to the kernel since …: the run goes on there, and what is missing here comes when the connection is back.',
    ],
  );
  await sleep(Math.max(0, gone + 65_000 - Date.now()));
  const before = await shownStep(page);
  proxy.restore(how === 'lose');
  await waitUntil(
    page,
    async () =>
      /^The connection was gone for \d+ s; what happened meanwhile is here/.test((await sentences(page))[0] ?? ''),
    'it is back',
    120_000,
  );
  const now = await shownStep(page);
  assert.ok(now > before, `${now} > ${before}`);
  await waitForStep(page, now + 2);
  await waitForWhole(page, now + 2);
  await dismiss(page);
  await page.locator('button.joylab-Tile').first().waitFor();
  // A new group comes, though one may have been lost on its way.
  await waitUntil(
    page,
    async () => Number(/step (\d+)/.exec(await page.locator('.joylab-Section').innerText())![1]) > now,
    'a new group is shown',
    60_000,
  );
  await page
    .locator('.joylab-Training')
    .getByRole('button', { name: /^Stop:/ })
    .click();
  await page.locator('.joylab-Status[data-status="finished"]').waitFor();
  await becomes(() => page.evaluate('jupyterapp.shell.currentWidget.content.widgets[2].model.executionState'), 'idle');
  await save(page);
  const { data, steps, count, frames } = savedRun(lab.folder, `${name}.ipynb`);
  assert.deepEqual([data.status, steps, count], ['finished', upTo(data.step), 3]);
  assert.ok(frames.length > 0 && frames.every(Boolean));
  await page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
  await page.close();
  await proxy.close();
}

/** Closes what JupyterLab says of the connection. */
async function dismiss(page: Page): Promise<void> {
  const button = page.getByRole('dialog').getByRole('button').last();
  while ((await button.count()) > 0) await button.click();
}
