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
  /** Tasks above 50 ms, and the longest, in milliseconds: with the time that others have the processor meanwhile. */
  longTasks: number;
  longest: number;
  /** The same by the processor's time that a task took itself, however much else runs. */
  ownLongTasks: number;
  ownLongest: number;
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
  const ownTimes = await traceTasks(page);
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
    ...(await ownTimes()),
  };
}

/** Begins to trace the tasks of a page's main thread. Returns what ends that, and tells their own times. */
async function traceTasks(page: Page): Promise<() => Promise<Pick<PageTimes, 'ownLongTasks' | 'ownLongest'>>> {
  const devtools = await page.context().browser()!.newBrowserCDPSession();
  type Event = { ph: string; name: string; pid: number; tid: number; tdur?: number; args: { name?: string } };
  const events: Event[] = [];
  devtools.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as Event[])));
  await devtools.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel'], excludedCategories: ['*'] },
  });
  return async () => {
    const complete = new Promise<void>((resolve) => devtools.once('Tracing.tracingComplete', () => resolve()));
    await devtools.send('Tracing.end');
    await complete;
    const threads = new Set(
      events.flatMap(({ name, pid, tid, args }) =>
        name === 'thread_name' && args.name === 'CrRendererMain' ? `${pid} ${tid}` : [],
      ),
    );
    const own = events.flatMap(({ ph, name, pid, tid, tdur }) =>
      ph === 'X' && name.endsWith('RunTask') && threads.has(`${pid} ${tid}`) ? (tdur ?? 0) / 1000 : [],
    );
    return { ownLongTasks: own.filter((time) => time > 50).length, ownLongest: Math.max(0, ...own) };
  };
}

/** The columns of {@link PageTimes}, and a row of them. */
export const TIMES = [
  'frames/s',
  'pictures/s',
  'main thread',
  'scripts',
  'long tasks',
  'longest',
  'own > 50 ms',
  'own longest',
];

export function timesRow(times: PageTimes): string[] {
  return [
    times.fps.toFixed(1),
    times.pictures.toFixed(1),
    `${(100 * times.busy).toFixed(0)} %`,
    `${(100 * times.script).toFixed(0)} %`,
    String(times.longTasks),
    `${times.longest.toFixed(0)} ms`,
    String(times.ownLongTasks),
    `${times.ownLongest.toFixed(0)} ms`,
  ];
}
