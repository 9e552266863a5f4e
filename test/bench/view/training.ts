import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { packageRoot } from '../../../kernel/common/packagePaths';
import { textTable } from '../../../kernel/display/table';
import { runAllCells } from '../../extension/browser';
import { writeNotebook } from '../../extension/notebooks';
import { inLab, measure, TIMES, timesRow } from './page';

const SECONDS = 20;
const GROUP = 16;

/** A small model that learns Breakout. */
const TRAINED = [
  `import { FastLanguageModel, openenv } from 'joylab';
import type { Sample } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256 });
model = FastLanguageModel.getPeftModel(model, { r: 8, loraAlpha: 16, randomState: 1 });
const env = await openenv('atari', { game: 'breakout' });`,
  '/** @reward */\nfunction scores({ episode }: Sample) { return episode ? episode.return : null; }',
  `/** @grpo */\nconst config = { maxSteps: 200, numGenerations: ${GROUP}, maxCompletionLength: 96, maxEpisodeSteps: 1000, learningRate: 1e-4, seed: 1 };`,
];

/** A run that has made so many steps, and makes five a second. */
function fast(steps: number): string {
  const output = join(packageRoot, 'dist-test', 'kernel', 'display', 'training', 'training.js');
  return `const { TrainingOutput } = require(${JSON.stringify(output)});
const entry = (i: number) => ({ step: i + 1, loss: Math.sin(i) / 100, reward: Math.log(i + 1) + Math.random(), reward_std: 0.5, 'rewards/a/mean': Math.random(), 'rewards/b/mean': Math.random(), 'rewards/c/mean': Math.random(), 'completions/mean_length': 60 + 10 * Math.random(), step_time: 0.2 });
const shown = new TrainingOutput({ version: 1, runId: 'fast', status: 'running', step: 0, maxSteps: ${steps + 200}, rewardNames: ['a', 'b', 'c'], log: Array.from({ length: ${steps} }, (_, i) => entry(i)), events: [] });
shown.show();
for (let i = ${steps}; i < ${steps + 200}; i++) { shown.log(entry(i)); await new Promise((resolve) => setTimeout(resolve, 200)); }`;
}

/** The page while a model trains and its rollouts play, and while long runs go on. */
export async function training(): Promise<void> {
  const rows = await inLab(async (lab, open) => {
    writeNotebook(
      lab.folder,
      'trained.ipynb',
      TRAINED.map((source) => ({ source })),
    );
    const run = async (name: string, ready: (page: Page) => Promise<void>, what: string): Promise<string[]> => {
      const { page } = await open(name);
      await runAllCells(page);
      await ready(page);
      const times = await measure(page, SECONDS);
      await page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
      await page.close();
      return [what, ...timesRow(times)];
    };
    const measured = [
      await run(
        'trained.ipynb',
        async (page) => {
          await page.locator('.joylab-Tile').first().waitFor();
          await page.locator('.joylab-Wall').scrollIntoViewIfNeeded();
        },
        `trains, ${GROUP} games`,
      ),
    ];
    for (const steps of [100, 2000]) {
      writeNotebook(lab.folder, `fast-${steps}.ipynb`, [{ source: fast(steps) }]);
      const drawn = (page: Page) => page.locator('.joylab-Chart .js-line').first().waitFor();
      measured.push(await run(`fast-${steps}.ipynb`, drawn, `five steps a second after ${steps}`));
    }
    return measured;
  });
  console.log(textTable([{ title: '', align: 'left' }, ...TIMES.map((title) => ({ title }))], rows));
}
