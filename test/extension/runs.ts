import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Page } from 'playwright-core';
import { raceAbort } from '../../kernel/common/raceAbort';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import { waitUntil } from './browser';
import { writeNotebook } from './notebooks';

/** Writes a notebook with a run with frames that takes some seconds. @param settings further ones, as a cell has them */
export function writeRun(folder: string, name: string, maxSteps: number, settings = ''): void {
  writeNotebook(folder, name, [
    {
      source: `import { writeFileSync } from 'node:fs';
import { FastLanguageModel, openenv } from 'joylab';
import type { Sample } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256, loadIn4bit: false });
model = FastLanguageModel.getPeftModel(model, { r: 8, loraAlpha: 16, targetModules: ['q_proj'], randomState: 1 });
const env = await openenv('atari', { game: 'breakout' });
writeFileSync('${name}.pid', String(process.pid));`,
    },
    { source: '/** @reward */\nfunction scores({ episode }: Sample) { return episode ? episode.return : null; }' },
    {
      source: `/** @grpo */\nconst config = { maxSteps: ${maxSteps}, numGenerations: 4, maxCompletionLength: 96, maxEpisodeSteps: 200, learningRate: 1e-4, seed: 1${settings && `, ${settings}`} };`,
    },
  ]);
}

/** Returns what the file of a notebook has of its run. */
export function savedRun(folder: string, name: string) {
  const cell = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')).cells[2];
  const output = cell.outputs.find(({ data }: any) => data?.[TRAINING_MIME]);
  const joined = (text: string | string[]) => (Array.isArray(text) ? text.join('') : text);
  const data: TrainingData = output.data[TRAINING_MIME];
  return {
    count: cell.execution_count,
    data,
    steps: data.log.map(({ step }) => step),
    /** Whether they have frames: those of the newest group that have played. */
    frames: data.group?.episodes.flatMap((episode) => (episode ? episode.frames.length > 0 : [])) ?? [],
    html: joined(output.data['text/html']),
    text: joined(output.data['text/plain']),
  };
}

/** Returns the numbers from 1. */
export const upTo = (steps: number) => Array.from({ length: steps }, (_, i) => i + 1);
/** Saves the notebook that is open. JupyterLab may ask something, which nobody answers: then it fails. */
export const save = (page: Page) =>
  raceAbort(
    page.evaluate('[...jupyterapp.shell.widgets("main")].find(({ context }) => context?.model.cells).context.save()'),
    AbortSignal.timeout(60_000),
  );

/** Returns the step that the status of the first run shows. */
export async function shownStep(page: Page): Promise<number> {
  const text = await page.locator('.joylab-Status-detail').first().textContent();
  return Number(/step (\d+)/.exec(text ?? '')?.[1] ?? 0);
}

/** Waits until the first run has come to a step. */
export async function waitForStep(page: Page, step: number): Promise<void> {
  await page.locator('.joylab-Status').first().waitFor();
  await waitUntil(page, async () => (await shownStep(page)) >= step, `step ${step} is shown`, 120_000);
}

/** Returns the process of the kernel of a notebook that {@link writeRun} wrote. */
export function kernelPid(folder: string, name: string): number {
  return Number(fs.readFileSync(path.join(folder, `${name}.pid`), 'utf8'));
}

/** Returns what the page shows of the first run: the steps of the table and of the first curve, and its tiles. */
export function shownRun(page: Page): Promise<{ rows: number[]; curve: number[]; tiles: number }> {
  return page.evaluate(`(() => {
    const training = document.querySelector('.joylab-Training');
    const rows = [...training.querySelectorAll('.joylab-Table td .joylab-Table-step')].map(({ textContent }) => Number(textContent));
    const curve = training.querySelector('.js-plotly-plot')?.data.find(({ name }) => name === 'reward')?.x ?? [];
    return { rows, curve: [...curve], tiles: training.querySelectorAll('.joylab-Tile').length };
  })()`);
}

/** Returns the sentences under the status of the first run. */
export async function sentences(page: Page): Promise<string[]> {
  return page.locator('.joylab-Training').first().locator('.joylab-Status-message').allInnerTexts();
}

/** Waits until the view has drawn curve and table up to a step, without a gap. */
export async function waitForWhole(page: Page, step: number): Promise<void> {
  await waitUntil(
    page,
    async () => Math.max(0, ...(await shownRun(page)).curve) >= step,
    `the curve has step ${step}`,
    120_000,
  );
  const { rows, curve } = await shownRun(page);
  assert.deepEqual([rows, curve], [upTo(rows.length), upTo(curve.length)]);
}
