import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Page } from 'playwright-core';
import type { ExperimentData } from '../../kernel/display/experimentMime';
import { TRAINING_MIME } from '../../kernel/display/mime';
import { axeFindings, becomes, changeTheme, openNotebook, runAllCells, waitForCells, waitUntil } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';

const { lab, browser } = useLab();

/** A folder for pictures that people look at; none by default. */
const PICTURES = process.env.JOYLAB_PICTURES;

const file = (name: string) => path.join(lab.folder, name);
const savedNotebook = (name: string) => JSON.parse(fs.readFileSync(file(name), 'utf8'));
const experimentOf = (name: string): ExperimentData | undefined =>
  savedNotebook(name).cells[2].metadata.joylab?.experiment;

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES) await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
}

/** Chooses a command in the menu "Kernel", once the kernel is known. */
async function saveExperiment(page: Page): Promise<void> {
  await waitUntil(
    page,
    () => page.evaluate('jupyterapp.commands.isEnabled("joylab:save-experiment")'),
    'the kernel is known',
    300_000,
  );
  await page.getByRole('menuitem', { name: 'Kernel', exact: true }).click();
  await page.locator('.lm-Menu-item', { hasText: 'Joylab' }).hover();
  await page.getByRole('menuitem', { name: 'Save Experiment', exact: true }).click();
}

async function trained(page: Page): Promise<void> {
  await page.locator('.joylab-Status[data-status="finished"]').waitFor({ timeout: 300_000 });
  await waitForCells(page, 300_000);
}

labTest(
  'an experiment is saved with its cell, stays when outputs are cleared, and is compared where it is run again',
  async () => {
    writeNotebook(lab.folder, 'run.ipynb', [
      {
        source: `import { FastLanguageModel, openenv } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 512, loadIn4bit: false });
model = FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8, randomState: 1 });
const env = await openenv('game2048');`,
      },
      { source: '/** @reward */\nfunction letters({ completion }: Sample) { return completion.length / 10; }' },
      {
        source:
          '/** @grpo */\nconst config: GRPOConfig = { maxSteps: 3, numGenerations: 4, maxCompletionLength: 16, maxEpisodeSteps: 20, learningRate: 1e-3, seed: 7, measureReference: false };',
      },
    ]);
    const first = await openNotebook(browser, lab.url('run.ipynb'));
    await saveExperiment(first.page);
    await first.page
      .locator('.Toastify__toast', { hasText: 'the notebook shows no run. Run a GRPO cell first.' })
      .waitFor();
    await runAllCells(first.page);
    await trained(first.page);
    await saveExperiment(first.page);
    await first.page
      .locator('.Toastify__toast', {
        hasText: 'Saved with cell [3]: settings, seeds, versions, 1 reward function, results of 3 steps.',
      })
      .waitFor();
    await becomes(async () => experimentOf('run.ipynb')?.results.step, 3);
    const saved = experimentOf('run.ipynb')!;
    assert.deepEqual(
      saved,
      savedNotebook('run.ipynb').cells[2].outputs.find(({ data }: any) => data?.[TRAINING_MIME]).data[TRAINING_MIME]
        .experiment,
    );
    assert.equal(await first.page.locator('.joylab-Comparison-note:visible').count(), 0);
    await picture(first.page, 'saved');
    const downloading = first.page.waitForEvent('download');
    await first.page.getByRole('button', { name: /^Report:/ }).click();
    const report = fs.readFileSync((await (await downloading).path())!, 'utf8');
    assert.match(report, /<h1>2048: 3 steps of GRPO<\/h1>[\s\S]*completion\.length \/ 10/);
    await becomes(() => first.page.locator('.joylab-Status-notice').innerText(), '');
    assert.deepEqual(first.errors, []);
    await first.page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
    await first.page.close();

    // The notebook is shared: another name, without its outputs.
    const shared = savedNotebook('run.ipynb');
    for (const cell of shared.cells) Object.assign(cell, { outputs: [], execution_count: null });
    fs.writeFileSync(file('shared.ipynb'), JSON.stringify(shared));
    const { page, errors } = await openNotebook(browser, lab.url('shared.ipynb'));
    await runAllCells(page);
    await trained(page);
    const note = page.locator('.joylab-Comparison-note');
    await becomes(() => note.locator('p').innerText(), 'Equal to the saved experiment in all 3 steps.');
    await note.locator('summary').click();
    const rows = await note.locator('tbody tr').allInnerTexts();
    assert.ok(rows.length >= 4);
    for (const row of rows) {
      const [, before, now] = row.split('\t');
      assert.equal(before, now, row);
    }
    for (const theme of ['JupyterLab Light', 'JupyterLab Dark'] as const) {
      await changeTheme(page, theme);
      assert.deepEqual(await axeFindings(page, '.joylab-Comparison-note'), []);
      await picture(page, `equal-${theme.at(-1)}`);
    }

    // One setting and the source of the reward are changed.
    await page.evaluate(`(() => {
    const [, reward, training] = jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => model.sharedModel);
    reward.setSource(reward.getSource().replace('/ 10', '/ 11'));
    training.setSource(training.getSource().replace('learningRate: 1e-3', 'learningRate: 2e-3'));
  })()`);
    await page.evaluate(`void (async () => {
    await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart();
    await jupyterapp.commands.execute('notebook:run-all-cells');
  })()`);
    await becomes(
      () =>
        note
          .locator('p')
          .innerText()
          .catch(() => ''),
      'Differs from the saved experiment from step 1 on. Likely because of learningRate 0.001 → 0.002; another source of reward function letters.',
    );
    await note.locator('summary').click();
    await picture(page, 'differs');
    assert.deepEqual(experimentOf('shared.ipynb'), saved, 'what was saved stays until it is saved again');
    await page.evaluate('jupyterapp.shell.currentWidget.context.save()');
    const output = savedNotebook('shared.ipynb').cells[2].outputs.find(({ data }: any) => data?.[TRAINING_MIME]);
    assert.match([output.data['text/plain']].flat().join(''), /Differs from the saved experiment from step 1 on\./);
    assert.deepEqual(errors, []);
    await page.close({ runBeforeUnload: false });
  },
);
