import { chartImage, type Chart, type Series } from './charts';
import type { MimeBundle } from './host';
import { TRAINING_MIME, type TrainingData } from './mime';
import { escapeHtml, formatNumber, htmlTable, textTable, type Column } from './table';

/** Rows of the table; a longer run shows a step now and then. */
const maxRows = 200;

/** The output of a run: our JSON for the extension, charts and table as HTML for other viewers, the table as text. */
export function trainingBundle(data: TrainingData): MimeBundle {
  const rows = tableRows(data);
  const title = `${statusLine(data)}${data.events.map(({ step, text }) => `\nstep ${step}: ${text}`).join('')}`;
  const charts = data.log.length > 0 ? trainingCharts(data).map(chartImage).join('\n') : '';
  return {
    [TRAINING_MIME]: { ...data, log: data.log.map(shortened) },
    'text/html':
      `<div>${escapeHtml(title).replace(/\n/g, '<br>')}</div>\n` +
      `<div style="display:flex;flex-wrap:wrap;gap:8px">${charts}</div>\n` +
      `<div style="max-height:24em;overflow:auto">${rows.length > 0 ? htmlTable(columns, rows) : ''}</div>`,
    'text/plain': rows.length > 0 ? `${title}\n\n${textTable(columns, rows)}` : title,
  };
}

/** One step as a line, for a terminal. */
export function progressLine(entry: Record<string, number>, maxSteps: number): string {
  const step = String(entry.step).padStart(String(maxSteps).length);
  const parts = [
    `step ${step}/${maxSteps}`,
    `reward ${formatNumber(entry.reward, 2)} ± ${formatNumber(entry.reward_std, 2)}`,
    `loss ${formatNumber(entry.loss, 4)}`,
    `length ${formatNumber(entry['completions/mean_length'], 1)}`,
  ];
  if (entry.kl !== undefined) parts.push(`kl ${formatNumber(entry.kl, 4)}`);
  if (entry.step_time !== undefined) parts.push(`${formatNumber(entry.step_time, 1)} s`);
  return parts.join('  ');
}

function statusLine({ status, step, maxSteps, log }: TrainingData): string {
  const spent = log.reduce((sum, entry) => sum + (entry.step_time ?? 0), 0);
  const left = status === 'running' && step > 0 ? `, about ${duration((spent / step) * (maxSteps - step))} left` : '';
  return `Training ${status}: step ${step} of ${maxSteps}, ${duration(spent)}${left}`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The columns of the public notebook's table. */
const columns: Column[] = ['step', 'loss', 'reward', 'reward_std', 'completion length', 'kl'].map((title) => ({ title }));

function tableRows({ log }: TrainingData): string[][] {
  const every = Math.ceil(log.length / maxRows);
  return log
    .filter((_, i) => i % every === 0 || i === log.length - 1)
    .map((entry) => [
      String(entry.step),
      formatNumber(entry.loss, 4),
      formatNumber(entry.reward, 2),
      formatNumber(entry.reward_std, 2),
      formatNumber(entry['completions/mean_length'], 1),
      formatNumber(entry.kl, 4),
    ]);
}

/** Reward and its spread, each reward function, length of completions, loss. */
export function trainingCharts({ log, rewardNames, events }: TrainingData): Chart[] {
  const marks = events.map(({ step, text }) => ({ x: step, text }));
  const line = (name: string, metric: string, spread?: string): Series => ({
    name,
    points: log.flatMap((entry) => {
      const y = entry[metric];
      if (y === undefined) return [];
      const around = spread === undefined ? undefined : entry[spread];
      return [around === undefined ? { x: entry.step, y } : { x: entry.step, y, low: y - around, high: y + around }];
    }),
  });
  return [
    { title: 'reward, mean ± spread', marks, series: [line('reward', 'reward', 'reward_std')] },
    { title: 'reward functions', marks, series: rewardNames.map((name) => line(name, `rewards/${name}/mean`)) },
    { title: 'completion length, tokens', marks, series: [line('length', 'completions/mean_length')] },
    { title: 'loss', marks, series: [line('loss', 'loss')] },
  ];
}

/** Six digits are enough for charts, and keep the notebook small. */
function shortened(entry: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(entry).map(([name, value]) => [name, Number(value.toPrecision(6))]));
}
