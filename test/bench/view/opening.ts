import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { trainingBundle } from '../../../kernel/display/training/trainingBundle';
import { waitUntil } from '../../extension/browser';
import { writeNotebook } from '../../extension/notebooks';
import { inLab } from './page';

/** Rollouts that are opened, each another. */
const OPENED = 9;

/** Milliseconds from a click on a tile until something of its rollout is there. */
interface Opening {
  /** Its program, with what it was worth. */
  program: number;
  frame: number;
  /** The episode with every step, and the lines that decided them. */
  lines: number;
  /** Of these, those of the page's own scripts. */
  scripts: number;
}

/** Opens rollouts of a step through JupyterLab, whose kernel has read nothing, and prints how soon each is there. */
export async function openInPage(file: string, run: string, step: number): Promise<void> {
  await inLab(async (lab, open) => {
    const database = 'out/rollouts.db';
    mkdirSync(join(lab.folder, 'out'));
    copyFileSync(file, join(lab.folder, database));
    const shown = {
      version: 1,
      runId: run,
      status: 'finished',
      step,
      maxSteps: step,
      rewardNames: [],
      log: [],
    } as const;
    const output = trainingBundle({ ...shown, rewardNames: [], log: [], events: [], rollouts: database });
    writeNotebook(lab.folder, 'run.ipynb', [{ source: '/** @grpo */', outputs: [output] }]);
    const { page } = await open('run.ipynb', 1600);
    const idle = 'jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status';
    await waitUntil(page, async () => (await page.evaluate(idle)) === 'idle', 'the kernel is idle', 120_000);
    const route = { notebook: 'run.ipynb', database, run, step };
    const first = await page.evaluate<number>(`(async () => {
      const begun = performance.now();
      await jupyterapp.commands.execute('joylab:open-rollouts', ${JSON.stringify(route)});
      while (!document.querySelector('.joylab-Rollout')) await new Promise(requestAnimationFrame);
      return performance.now() - begun;
    })()`);
    console.log(`its step is shown ${first.toFixed(0)} ms after the command, the first time`);
    const pictures = await page.evaluate<number>(`(async () => {
      const begun = performance.now();
      const first = [...document.querySelectorAll('.joylab-Rollout-picture')].slice(0, ${OPENED});
      while (!first.every((picture) => picture.firstElementChild)) await new Promise(requestAnimationFrame);
      return performance.now() - begun;
    })()`);
    console.log(`${OPENED} tiles have their pictures ${(pictures / 1000).toFixed(1)} s later`);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    const times: Opening[] = [];
    for (let i = 0; i < OPENED; i++) times.push(await openTile(page, devtools, i));
    const of = (name: keyof Opening) => times.map((one) => one[name]).sort((a, b) => a - b);
    for (const name of ['program', 'frame', 'lines', 'scripts'] as const)
      console.log(
        `${name === 'scripts' ? 'scripts until then' : `a click on a tile until its ${name} is there`}: ` +
          `first ${times[0][name].toFixed(0)} ms, median ${of(name)[OPENED >> 1].toFixed(0)} ms, worst ${of(name).at(-1)!.toFixed(0)} ms`,
      );
  });
}

async function openTile(page: Page, devtools: CDPSession, i: number): Promise<Opening> {
  const scripts = async (): Promise<number> => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return 1000 * metrics.find(({ name }) => name === 'ScriptDuration')!.value;
  };
  const before = await scripts();
  const times = await page.evaluate<Omit<Opening, 'scripts'>>(`(async () => {
    const view = document.querySelector('.joylab-Rollouts');
    const there = async (what) => {
      while (!view.querySelector(what)) await new Promise(requestAnimationFrame);
      return performance.now() - begun;
    };
    const tile = view.querySelectorAll('.joylab-Rollout')[${i}];
    const begun = performance.now();
    tile.click();
    return { program: await there('.joylab-RolloutPage'), frame: await there('.joylab-Replay canvas'), lines: await there('.joylab-mod-decided') };
  })()`);
  const spent = (await scripts()) - before;
  await page.evaluate(`(async () => {
    const view = document.querySelector('.joylab-Rollouts');
    view.focus();
    view.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    while (!view.querySelector('.joylab-Rollout')) await new Promise(requestAnimationFrame);
  })()`);
  return { ...times, scripts: spent };
}
