import type { Page } from 'playwright-core';
import { launchBrowser, openNotebook, type NotebookPage } from '../../extension/browser';
import { startLab, type Lab } from '../../extension/lab';

/** What a page did in a while. */
export interface PageTimes {
  /** Frames per second of the page, and pictures per second that were painted into canvases. */
  fps: number;
  pictures: number;
  /** Share of the time in which the main thread was busy, and that of scripts alone. */
  busy: number;
  script: number;
  /** Tasks above 50 ms, and the longest, in milliseconds. */
  longTasks: number;
  longest: number;
}

/** Opens a JupyterLab of its own, does `work` in it, and closes it. */
export async function inLab<T>(
  work: (lab: Lab, open: (notebook: string, width?: number) => Promise<NotebookPage>) => Promise<T>,
): Promise<T> {
  const lab = await startLab();
  const browser = await launchBrowser();
  try {
    return await work(lab, async (notebook, width = 1440) => {
      const opened = await openNotebook(browser, lab.url(notebook), { width, height: 1000 });
      await opened.page.evaluate('jupyterapp.shell.collapseLeft()');
      return opened;
    });
  } finally {
    await browser.close();
    await lab.close();
  }
}

/** Measures a page for some seconds. */
export async function measure(page: Page, seconds: number): Promise<PageTimes> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const spent = async (): Promise<Record<string, number>> => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  const before = await spent();
  const seen = await page.evaluate<{ frames: number; pictures: number; long: number[] }>(`new Promise((resolve) => {
    const long = [];
    const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)));
    observer.observe({ type: 'longtask' });
    const { prototype } = CanvasRenderingContext2D;
    const put = prototype.putImageData;
    let painted = false;
    prototype.putImageData = function (...args) { painted = true; return put.apply(this, args); };
    let frames = 0, pictures = 0;
    const begun = performance.now();
    const tick = () => {
      frames++;
      if (painted) pictures++;
      painted = false;
      if (performance.now() - begun < ${seconds * 1000}) return void requestAnimationFrame(tick);
      observer.disconnect();
      prototype.putImageData = put;
      resolve({ frames, pictures, long });
    };
    requestAnimationFrame(tick);
  })`);
  const after = await spent();
  const share = (name: string): number => (after[name] - before[name]) / (after.Timestamp - before.Timestamp);
  return {
    fps: seen.frames / seconds,
    pictures: seen.pictures / seconds,
    busy: share('TaskDuration'),
    script: share('ScriptDuration'),
    longTasks: seen.long.length,
    longest: Math.max(0, ...seen.long),
  };
}

/** The columns of {@link PageTimes}, and a row of them. */
export const TIMES = ['frames/s', 'pictures/s', 'main thread', 'scripts', 'long tasks', 'longest'];

export function timesRow(times: PageTimes): string[] {
  return [
    times.fps.toFixed(1),
    times.pictures.toFixed(1),
    `${(100 * times.busy).toFixed(0)} %`,
    `${(100 * times.script).toFixed(0)} %`,
    String(times.longTasks),
    `${times.longest.toFixed(0)} ms`,
  ];
}
