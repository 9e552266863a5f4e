import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { becomes, launchBrowser, openNotebook, runAllCells, waitUntil } from './browser';
import { startLab, type Lab } from './lab';
import { labTest } from './labTest';
import { startProxy } from './proxy';
import { kernelPid, save, savedRun, sentences, shownRun, shownStep, upTo, waitForStep, writeRun } from './runs';

let lab: Lab;
let browser: Browser;

before(async () => {
  lab = await startLab();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await lab?.close();
});

/** Waits until the view has drawn curve and table up to a step, without a gap. */
async function waitForWhole(page: Page, step: number): Promise<void> {
  await waitUntil(page, async () => Math.max(0, ...(await shownRun(page)).curve) >= step, `the curve has step ${step}`, 120_000);
  const { rows, curve } = await shownRun(page);
  assert.deepEqual([rows, curve], [upTo(rows.length), upTo(curve.length)]);
}

labTest('a kernel that is killed takes the run along, not what is shown of it: it goes on from its checkpoint', async () => {
  writeRun(lab.folder, 'killed.ipynb', 500, "outputDir: 'killed', saveSteps: 2");
  const { page, errors } = await openNotebook(browser, lab.url('killed.ipynb'));
  await runAllCells(page);
  await waitForStep(page, 5);
  await page.locator('.joylab-Tile').first().waitFor();
  process.kill(kernelPid(lab.folder, 'killed.ipynb'), 'SIGKILL');
  await page.locator('.joylab-Status[data-status="lost"]').waitFor();
  const reached = await shownStep(page);
  const newest = Math.floor(reached / 2) * 2;
  const [told] = await sentences(page);
  assert.match(
    told,
    new RegExp(
      `^The kernel ended after step ${reached}, and what is shown here is kept: run the cells above and this one with resumeFromCheckpoint: true, and the training goes on after step ${newest}, from killed.checkpoint-${newest}\\.$`,
    ),
  );
  await page.getByRole('dialog').getByRole('button', { name: 'Ok' }).click();
  await waitForWhole(page, reached);
  assert.ok((await shownRun(page)).tiles > 0);
  await save(page);
  const saved = savedRun(lab.folder, 'killed.ipynb');
  assert.deepEqual([saved.data.status, saved.data.step, saved.steps], ['lost', reached, upTo(reached)]);
  assert.ok(saved.frames.length > 0 && saved.frames.every(Boolean), 'the frames that are shown are saved');
  // What the sentence says.
  await page.evaluate(`(() => {
    const { sharedModel } = jupyterapp.shell.currentWidget.content.widgets[2].model;
    sharedModel.setSource(sharedModel.getSource().replace('saveSteps: 2', 'saveSteps: 2, resumeFromCheckpoint: true'));
  })()`);
  await runAllCells(page);
  await page.locator('.joylab-Status[data-status="running"]').waitFor();
  await waitForStep(page, newest + 2);
  await waitForWhole(page, newest + 2);
  assert.deepEqual(await sentences(page), []);
  assert.deepEqual(errors, []);
  await page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
  await page.close();
});

/** A notebook page whose way to the server can be broken. */
async function behindProxy(name: string) {
  const { port } = new URL(lab.url(name));
  const proxy = await startProxy(Number(port));
  const opened = await openNotebook(browser, lab.url(name).replace(`:${port}/`, `:${proxy.port}/`));
  return { proxy, ...opened };
}

for (const [how, name] of [
  ['stall', 'asleep'],
  ['lose', 'lost'],
  ['cut', 'cut'],
] as const) {
  labTest(`a connection that is ${name} for more than a minute: the view says so, and then has everything`, async () => {
    writeRun(lab.folder, `${name}.ipynb`, 500);
    const { page, proxy } = await behindProxy(`${name}.ipynb`);
    await runAllCells(page);
    await waitForStep(page, 3);
    await waitForWhole(page, 3);
    if (how === 'cut') proxy.cut();
    else proxy.stall();
    const gone = Date.now();
    await becomes(async () => (await sentences(page)).map((text) => text.replace(/[\d:]+( [AP]M)?/, '…')), [
      'No connection to the kernel since …: the run goes on there, and what is missing here comes when the connection is back.',
    ]);
    console.log(how, 'told after', Date.now() - gone);
    await sleep(Math.max(0, gone + 65_000 - Date.now()));
    const before = await shownStep(page);
    proxy.restore(how === 'lose');
    const back = Date.now();
    await waitUntil(page, async () => /^The connection was gone for \d+ s; what happened meanwhile is here/.test((await sentences(page))[0] ?? ''), 'it is back', 120_000);
    console.log(how, 'back after', Date.now() - back, before, await shownStep(page));
    await page.screenshot({ path: `/tmp/sturdy/${name}.png` });
    const now = await shownStep(page);
    assert.ok(now > before, `${now} > ${before}`);
    await waitForStep(page, now + 2);
    await waitForWhole(page, now + 2);
    await dismiss(page);
    await page.locator('.joylab-Tile').first().waitFor();
    // A new group comes, though one may have been lost on its way.
    await waitUntil(page, async () => Number(/step (\d+)/.exec(await page.locator('.joylab-Section').innerText())![1]) > now, 'a new group is shown', 60_000);
    await page.getByRole('button', { name: /^Stop:/ }).click();
    await page.locator('.joylab-Status[data-status="finished"]').waitFor();
    await becomes(() => page.evaluate('jupyterapp.shell.currentWidget.content.widgets[2].model.executionState'), 'idle');
    await save(page);
    const { data, steps, count, frames } = savedRun(lab.folder, `${name}.ipynb`);
    assert.deepEqual([data.status, steps, count], ['finished', upTo(data.step), 3]);
    assert.ok(frames.length > 0 && frames.every(Boolean));
    await page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
    await page.close();
    await proxy.close();
  });
}

/** Closes what JupyterLab says of the connection. */
async function dismiss(page: Page): Promise<void> {
  const button = page.getByRole('dialog').getByRole('button').last();
  while ((await button.count()) > 0) await button.click();
}
