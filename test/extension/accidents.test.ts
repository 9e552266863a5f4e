import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Page } from 'playwright-core';
import { becomes, openNotebook, runAllCells, waitUntil } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import {
  kernelPid,
  save,
  savedRun,
  sentences,
  shownRun,
  shownStep,
  upTo,
  waitForStep,
  waitForWhole,
  writeRun,
} from './runs';

const { lab, browser } = useLab();

labTest(
  'a kernel that is killed takes the run along, not what is shown of it: it goes on from its checkpoint',
  async () => {
    writeRun(lab.folder, 'killed.ipynb', 500, "outputDir: 'killed', saveSteps: 2");
    const { page, errors } = await openNotebook(browser, lab.url('killed.ipynb'));
    await runAllCells(page);
    await waitForStep(page, 5);
    await page.locator('button.joylab-Tile').first().waitFor();
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
  },
);

labTest(
  'two tabs of a notebook show its run, and its buttons work in both; whichever saves last, the file is whole',
  async () => {
    writeRun(lab.folder, 'tabs.ipynb', 500);
    const first = await openNotebook(browser, lab.url('tabs.ipynb'));
    // The test alone saves, so that each question of JupyterLab has its place.
    await first.page.evaluate('jupyterapp.commands.execute("docmanager:toggle-autosave")');
    await runAllCells(first.page);
    await waitForStep(first.page, 3);
    await save(first.page);
    const second = await openNotebook(browser, lab.url('tabs.ipynb'));
    const pages = [first.page, second.page];
    const shows = (status: string) =>
      Promise.all(pages.map((page) => page.locator(`.joylab-Status[data-status="${status}"]`).waitFor()));
    await waitForStep(second.page, 4);
    await waitForWhole(second.page, 4);
    await second.page.locator('button.joylab-Tile').first().waitFor();
    for (const page of pages)
      await becomes(async () => (await sentences(page)).join(), OPEN_TWICE, 'both say that there is another');
    await second.page
      .locator('.joylab-Training')
      .getByRole('button', { name: /^Pause:/ })
      .click();
    await shows('paused');
    // What one opens is not opened in the other.
    await second.page.locator('button.joylab-Tile').first().click();
    await second.page.locator('.joylab-Player').waitFor();
    assert.equal(await first.page.locator('.joylab-Player').count(), 0);
    await first.page
      .locator('.joylab-Training')
      .getByRole('button', { name: /^Resume:/ })
      .click();
    await shows('running');
    const reached = await shownStep(first.page);
    for (const page of pages) await waitForStep(page, reached + 1);
    // The second page's file is older than the one on the disk: it asks, and takes that one.
    await save(first.page);
    await saveAnyway(second.page, 'Revert');
    await waitForStep(second.page, reached + 3);
    await waitForWhole(second.page, reached + 3);
    // And the other way round: it writes its own over the first one's, which lacks a step.
    await save(first.page);
    const { step } = savedRun(lab.folder, 'tabs.ipynb').data;
    await waitForStep(second.page, step + 1);
    await waitForWhole(second.page, step + 1);
    await saveAnyway(second.page, 'Overwrite');
    const over = savedRun(lab.folder, 'tabs.ipynb');
    assert.deepEqual(over.steps, upTo(over.data.step));
    assert.ok(over.data.step >= reached + 3);
    await second.page
      .locator('.joylab-Training')
      .getByRole('button', { name: /^Stop:/ })
      .click();
    await shows('finished');
    await becomes(
      () => first.page.evaluate('jupyterapp.shell.currentWidget.content.widgets[2].model.executionState'),
      'idle',
    );
    await saveAnyway(first.page, 'Overwrite');
    const { data, steps, frames } = savedRun(lab.folder, 'tabs.ipynb');
    assert.deepEqual([data.status, steps], ['finished', upTo(data.step)]);
    assert.ok(frames.length > 0 && frames.every(Boolean));
    for (const { errors } of [first, second]) assert.deepEqual(errors, []);
    await first.page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
    for (const page of pages) await page.close();
  },
);

const OPEN_TWICE =
  'This notebook is open in another tab, too: both show the run and can pause, stop and save it, and where JupyterLab says that the file has changed, nothing of the run is lost by either choice.';

/** Saves a notebook whose file another page has written since, as JupyterLab's dialog offers it. */
async function saveAnyway(page: Page, choice: 'Revert' | 'Overwrite'): Promise<void> {
  const saved = save(page);
  await page.getByRole('dialog').getByRole('button', { name: choice }).click();
  await saved;
}

/** Limits the size of the files that a process writes: a full disk, for one who may not mount a small one. */
function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:unlimited`], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

labTest(
  'a disk that is full: the run goes on, the view says what is not written, and all of it is there once there is room',
  async (t) => {
    if (process.platform !== 'linux') return t.skip('other systems cannot limit the files of a process that runs');
    writeRun(lab.folder, 'full.ipynb', 500, "outputDir: 'full', saveSteps: 2");
    const { page } = await openNotebook(browser, lab.url('full.ipynb'));
    await runAllCells(page);
    await waitForStep(page, 3);
    await save(page);
    const before = fs.readFileSync(path.join(lab.folder, 'full.ipynb'), 'utf8');
    const server = Number(
      fs
        .readdirSync(lab.runtime)
        .map((name) => /^jpserver-(\d+)\.json$/.exec(name)?.[1])
        .find(Boolean),
    );
    const kernel = kernelPid(lab.folder, 'full.ipynb');
    limitFiles(kernel, 4096);
    // The notebook only grows.
    limitFiles(server, before.length >> 1);
    await waitUntil(page, async () => (await sentences(page)).length === 2, 'it says what is not written', 120_000);
    const [checkpoint, rollouts] = await sentences(page);
    assert.match(
      checkpoint,
      /^The checkpoint of step \d+ could not be written to full.checkpoint-\d+: the file would be larger than the system allows: .* The run goes on, and Save or the next checkpoint tries again; a kernel that ends before goes back to step \d+, full.checkpoint-\d+\.$/,
    );
    assert.match(
      rollouts,
      /^Rollouts cannot be kept from step \d+ on: full.rollouts.db: .* The run goes on, those of earlier steps stay, and each step tries again/,
    );
    const goesBack = Number(/back to step (\d+)/.exec(checkpoint)![1]);
    const reached = await shownStep(page);
    await waitForStep(page, reached + 3);
    await waitForWhole(page, reached + 3);
    const checkpoints = () => fs.readdirSync(path.join(lab.folder, 'full')).filter((name) => /checkpoint/.test(name));
    assert.deepEqual(checkpoints().at(-1), `checkpoint-${goesBack}`, 'the one before is there, and no half one');
    await assert.rejects(save(page), /File too large/);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    // Where it fails at its last flush, Jupyter's server leaves the version before beside the file.
    const kept = ['full.ipynb', '.~full.ipynb'].map((name) => path.join(lab.folder, name)).filter(fs.existsSync);
    assert.ok(
      kept.some((file) => fs.readFileSync(file, 'utf8') === before),
      'what was saved before is there',
    );
    // There is room again.
    for (const pid of [kernel, server]) limitFiles(pid, 'unlimited');
    await becomes(() => sentences(page), []);
    assert.ok(checkpoints().some((name) => Number(name.split('-')[1]) > goesBack));
    await page
      .locator('.joylab-Training')
      .getByRole('button', { name: /^Stop:/ })
      .click();
    await page.locator('.joylab-Status[data-status="finished"]').waitFor();
    await save(page);
    const { data, steps } = savedRun(lab.folder, 'full.ipynb');
    assert.deepEqual(steps, upTo(data.step));
    await page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
    await page.close();
  },
);
