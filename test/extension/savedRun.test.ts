import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { becomes, openNotebook, runAllCells } from './browser';
import { labTest } from './labTest';
import { save, savedRun, shownStep, upTo, waitForStep, writeRun } from './runs';
import { useLab } from './useLab';

const { lab, browser } = useLab();

labTest(
  'what the page shows of a run is what it saves: in mid-run, after a reload, when it ended while no page was open, and when its kernel ended',
  async () => {
    writeRun(lab.folder, 'run.ipynb', 12);
    const first = await openNotebook(browser, lab.url('run.ipynb'));
    await runAllCells(first.page);
    await waitForStep(first.page, 3);
    await first.page.locator('button.joylab-Tile').first().waitFor();
    const shown = await shownStep(first.page);
    await save(first.page);
    const inRun = savedRun(lab.folder, 'run.ipynb');
    assert.ok(inRun.data.step >= shown, `the page showed step ${shown}, the file has step ${inRun.data.step}`);
    assert.deepEqual(inRun.steps, upTo(inRun.data.step));
    assert.ok(inRun.frames.length > 0 && inRun.frames.every(Boolean), 'the frames that are shown are saved');
    assert.match(inRun.text, new RegExp(`Training \\w+: step ${inRun.data.step} of 12`));
    await first.page.close();

    const second = await openNotebook(browser, lab.url('run.ipynb'));
    await second.page.locator('.joylab-Status[data-status="finished"]').waitFor();
    await becomes(
      () => second.page.evaluate('jupyterapp.shell.currentWidget.content.widgets[2].model.executionState'),
      'idle',
    );
    assert.equal(
      await second.page.evaluate('jupyterapp.shell.currentWidget.context.model.dirty'),
      true,
      'the page asks to save',
    );
    await save(second.page);
    const check = () => {
      const { count, data, steps, frames, html, text } = savedRun(lab.folder, 'run.ipynb');
      assert.deepEqual([count, data.status, data.step, steps], [3, 'finished', 12, upTo(12)]);
      assert.ok(frames.length > 0 && frames.every(Boolean));
      assert.match(html, /Training finished: step 12 of 12[\s\S]*<img alt="reward[\s\S]*<td[^>]*>12<\/td>/);
      assert.match(text, /Training finished: step 12 of 12/);
    };
    check();
    await second.page.close();

    const third = await openNotebook(browser, lab.url('run.ipynb'));
    await third.page.locator('.joylab-Status[data-status="finished"]').waitFor();
    await third.page.locator('button.joylab-Tile').first().waitFor();
    await becomes(() => third.page.locator('.joylab-Table tbody tr:not(:has(.joylab-Table-event))').count(), 12);
    await save(third.page);
    check();

    // A kernel that ends takes its run along: what the page has of it is kept, and it says so.
    await third.page.evaluate(`(() => {
    const { content } = jupyterapp.shell.currentWidget;
    const { sharedModel } = content.widgets[2].model;
    sharedModel.setSource(sharedModel.getSource().replace('maxSteps: 12', 'maxSteps: 500'));
    content.activeCellIndex = 2;
    void jupyterapp.commands.execute('notebook:run-cell');
  })()`);
    await third.page.locator('.joylab-Status[data-status="running"]').waitFor();
    await waitForStep(third.page, 2);
    await third.page.evaluate('jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()');
    await third.page.locator('.joylab-Status[data-status="lost"]').waitFor();
    const reached = await shownStep(third.page);
    assert.match(
      await third.page.locator('.joylab-Status').innerText(),
      new RegExp(
        `Not running\\s+step ${reached} of 500\\s+The kernel ended after step ${reached}, and what is shown here is kept, but not what the model has learned: run the notebook again`,
      ),
    );
    await save(third.page);
    const lost = savedRun(lab.folder, 'run.ipynb');
    assert.deepEqual([lost.data.status, lost.data.step, lost.steps], ['lost', reached, upTo(reached)]);
    assert.match(lost.text, new RegExp(`Training ended with its kernel: step ${reached} of 500`));
    for (const { errors } of [first, second, third]) assert.deepEqual(errors, []);
    await third.page.close();
  },
);

labTest('a run is paused, resumed and stopped by its buttons: no error, and the cells behind wait', async () => {
  writeRun(lab.folder, 'paused.ipynb', 40);
  const file = path.join(lab.folder, 'paused.ipynb');
  const notebook = JSON.parse(fs.readFileSync(file, 'utf8'));
  notebook.cells.push({ ...notebook.cells[1], id: 'behind', source: '"behind"' });
  fs.writeFileSync(file, JSON.stringify(notebook));
  const { page, errors } = await openNotebook(browser, lab.url('paused.ipynb'));
  await runAllCells(page);
  await waitForStep(page, 2);
  await page
    .locator('.joylab-Training')
    .getByRole('button', { name: /^Pause:/ })
    .click();
  await page.locator('.joylab-Status[data-status="paused"]').waitFor();
  const outputs = (): Promise<string[][]> =>
    page.evaluate(
      'jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => model.outputs.toJSON().map((output) => output.output_type))',
    );
  // The training view alone.
  assert.deepEqual((await outputs()).slice(2), [['display_data'], []]);
  const paused = await shownStep(page);
  // Status and rollouts speak of the same step, unless the pause came after the play of the next one.
  const text = await page.locator('.joylab-Section').innerText();
  const isNext = /not learned from yet/.test(text);
  assert.match(text, new RegExp(`^Rollouts of step ${isNext ? paused + 1 : paused}\\s+all 4`));
  // Opened, a rollout has every step, also while the run stands still.
  await page.locator('button.joylab-Tile').first().click();
  await page.locator('.joylab-Player').waitFor();
  await becomes(() => page.locator('.joylab-Detail-state').innerText(), '');
  assert.ok((await page.locator('.joylab-State tr').count()) > 2, 'its named state is shown');
  await page
    .locator('.joylab-Training')
    .getByRole('button', { name: /^Resume:/ })
    .click();
  await waitForStep(page, paused + 2);
  await page
    .locator('.joylab-Training')
    .getByRole('button', { name: /^Stop:/ })
    .click();
  await page.locator('.joylab-Status[data-status="finished"]').waitFor();
  assert.match(await page.locator('.joylab-Status').innerText(), /^Stopped/);
  const events = await page.locator('.joylab-Table-event').allInnerTexts();
  assert.deepEqual(
    events.filter((text) => /^(paused|resumed)$/.test(text)),
    ['paused', 'resumed'],
  );
  assert.deepEqual(errors, []);
  await page.close();
});
