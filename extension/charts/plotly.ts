import type { Plotly } from 'plotly.js-basic-dist-min';

let loading: Promise<Plotly> | null = null;

/** Returns Plotly, which is large and loaded with the first chart. */
export function loadPlotly(): Promise<Plotly> {
  loading ??= import('plotly.js-basic-dist-min').then((module) => module.default);
  loading.catch(() => {
    loading = null;
  });
  return loading;
}

let last: Promise<unknown> = Promise.resolve();

/** Draws a chart when the page has time: one in each frame, so that several do not hold up the page together. */
export function inTurn<T>(draw: () => Promise<T>): Promise<T> {
  const turn = last.then(() => new Promise((resolve) => requestAnimationFrame(resolve))).then(draw);
  last = turn.catch(() => undefined);
  return turn;
}
