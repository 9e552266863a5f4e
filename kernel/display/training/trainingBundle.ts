import { chartImage, type Chart, type Series } from './charts';
import { duration } from '../progress/duration';
import { TRAINING_MIME, type TrainingData } from '../mime';
import { comparisonBundle } from './experiment';
import { runTimes } from './timing';
import { escapeHtml, formatNumber, htmlTable, scrollBox, textTable, type Column } from '../table';

/** Rows of the table, at most; of a longer run, one of several steps is shown. */
const maxRows = 200;

/**
 * Returns the output of a run: JSON for the extension, charts and table as HTML
 * for other viewers, the table as text. Kernel and extension both call it.
 */
export function trainingBundle(data: TrainingData): Record<string, unknown> {
  const columns = tableColumns(data);
  const rows = tableRows(data, columns);
  const title = `${statusLine(data)}${data.events.map(({ step, text }) => `\nstep ${step}: ${text}`).join('')}`;
  const compared = data.comparison && comparisonBundle(data.comparison);
  const charts = data.log.length > 0 ? trainingCharts(data).map(chartImage).join('\n') : '';
  return {
    [TRAINING_MIME]: { ...data, log: data.log.map(shortened) },
    'text/html':
      `<div>${escapeHtml(title).replace(/\n/g, '<br>')}</div>\n` +
      (compared ? `${compared['text/html']}\n` : '') +
      `<div style="display:flex;flex-wrap:wrap;gap:8px">${charts}</div>\n` +
      (rows.length > 0 ? scrollBox('Table of training steps', 'max-height:24em', htmlTable(columns, rows)) : ''),
    'text/plain': [
      title,
      ...(compared ? [compared['text/plain']] : []),
      ...(rows.length > 0 ? [textTable(columns, rows)] : []),
    ].join('\n\n'),
  };
}

/** Returns a step as a line, for a terminal. */
export function progressLine(entry: Record<string, number>, maxSteps: number): string {
  const step = String(entry.step).padStart(String(maxSteps).length);
  const parts = [`step ${step}/${maxSteps}`];
  if (entry.reward !== undefined)
    parts.push(`reward ${formatNumber(entry.reward, 2)} ± ${formatNumber(entry.reward_std, 2)}`);
  if (entry['refinement/best_worth'] !== undefined)
    parts.push(`best program ${formatNumber(entry['refinement/best_worth'], 2)}`);
  if (entry.loss !== undefined) parts.push(`loss ${formatNumber(entry.loss, 4)}`);
  if (entry.eval_reward !== undefined)
    parts.push(`evaluation: reward ${formatNumber(entry.eval_reward, 2)} ± ${formatNumber(entry.eval_reward_std, 2)}`);
  else if (entry.eval_loss !== undefined) parts.push(`evaluation: loss ${formatNumber(entry.eval_loss, 4)}`);
  const accuracy = entry.mean_token_accuracy ?? entry.eval_mean_token_accuracy;
  if (accuracy !== undefined) parts.push(`token accuracy ${formatNumber(accuracy, 3)}`);
  if (entry['completions/mean_length'] !== undefined)
    parts.push(`length ${formatNumber(entry['completions/mean_length'], 1)}`);
  if (entry.kl !== undefined) parts.push(`kl ${formatNumber(entry.kl, 4)}`);
  if (entry.step_time !== undefined) parts.push(`${formatNumber(entry.step_time, 1)} s`);
  return parts.join('  ');
}

function statusLine(data: TrainingData): string {
  const { status, step, maxSteps, stage } = data;
  if (status === 'lost') return `Training ended with its kernel: step ${step} of ${maxSteps}`;
  const { spent, left: seconds } = runTimes(data);
  const left = status === 'running' && seconds !== null ? `, about ${duration(seconds)} left` : '';
  const now = status === 'running' && stage ? `\n${stage}` : '';
  return `Training ${status}: step ${step} of ${maxSteps}, ${duration(spent)}${left}${now}`;
}

/** A column of the table of steps. */
export interface MetricColumn extends Column {
  metric: string;
  /** Digits after the point; by default as {@link formatNumber} chooses. */
  digits?: number;
}

/** Returns the columns of the public notebook's table, with one for each reward function; for a run without rewards, the metrics of TRL's SFTTrainer. Those without a value are left out. */
export function tableColumns({ log, rewardNames }: TrainingData): MetricColumn[] {
  const columns: MetricColumn[] = isSupervised(log)
    ? [
        { title: 'step', metric: 'step', digits: 0 },
        { title: 'loss', metric: 'loss', digits: 4 },
        { title: 'evaluation loss', metric: 'eval_loss', digits: 4 },
        { title: 'token accuracy', metric: 'mean_token_accuracy', digits: 3 },
        { title: 'learning rate', metric: 'learning_rate', digits: 6 },
        { title: 'tokens', metric: 'num_tokens', digits: 0 },
      ]
    : [
        { title: 'step', metric: 'step', digits: 0 },
        { title: 'loss', metric: 'loss', digits: 4 },
        { title: 'reward', metric: 'reward', digits: 2 },
        { title: 'reward_std', metric: 'reward_std', digits: 2 },
        { title: 'evaluation', metric: 'eval_reward', digits: 2 },
        ...(rewardNames.length > 1
          ? rewardNames.map((name) => ({ title: name, metric: `rewards/${name}/mean`, digits: 2 }))
          : []),
        { title: 'best program', metric: 'refinement/best_worth', digits: 2 },
        { title: 'better edits', metric: 'refinement/improved', digits: 2 },
        { title: 'completion length', metric: 'completions/mean_length', digits: 1 },
        { title: 'kl', metric: 'kl', digits: 4 },
      ];
  return columns.filter(({ metric }) => log.some((entry) => Number.isFinite(entry[metric])));
}

/** Returns whether a run is supervised fine-tuning, without rewards. */
export function isSupervised(log: TrainingData['log']): boolean {
  return log.some((entry) => 'mean_token_accuracy' in entry || 'eval_mean_token_accuracy' in entry);
}

/** Returns a row per step: an evaluation is in the row of its step. */
function tableRows({ log }: TrainingData, columns: readonly MetricColumn[]): string[][] {
  const steps = new Map<number, Record<string, number>>();
  for (const entry of log) steps.set(entry.step, { ...entry, ...steps.get(entry.step) });
  const entries = [...steps.values()];
  const every = Math.ceil(entries.length / maxRows);
  return entries
    .filter((_, i) => i % every === 0 || i === entries.length - 1)
    .map((entry) => columns.map(({ metric, digits }) => formatNumber(entry[metric], digits)));
}

/**
 * Returns the charts of a run: reward with its standard deviation, each reward
 * function, with refinement its programs, length of completions, loss; of a
 * supervised run loss, token accuracy, gradient norm, learning rate.
 */
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
  const evaluated = (metric: string) => [line('evaluation', metric)].filter(({ points }) => points.length > 0);
  if (isSupervised(log)) {
    return [
      { title: 'loss', marks, series: [line('loss', 'loss'), ...evaluated('eval_loss')] },
      {
        title: 'token accuracy',
        marks,
        series: [line('accuracy', 'mean_token_accuracy'), ...evaluated('eval_mean_token_accuracy')],
      },
      { title: 'gradient norm', marks, series: [line('norm', 'grad_norm')] },
      { title: 'learning rate', marks, series: [line('rate', 'learning_rate')] },
    ];
  }
  const refined = log.some((entry) => 'refinement/archive_size' in entry);
  return [
    {
      title: 'reward, mean ± spread',
      marks,
      series: [line('reward', 'reward', 'reward_std'), ...evaluated('eval_reward')],
    },
    { title: 'reward functions', marks, series: rewardNames.map((name) => line(name, `rewards/${name}/mean`)) },
    ...(refined
      ? [
          { title: 'best program, expected reward', marks, series: [line('best', 'refinement/best_worth')] },
          {
            title: 'completions: better than their parent, duplicates, failed',
            marks,
            series: [
              line('better', 'refinement/improved'),
              line('duplicates', 'refinement/duplicates'),
              line('failed', 'refinement/failed'),
            ],
          },
        ]
      : []),
    { title: 'completion length, tokens', marks, series: [line('length', 'completions/mean_length')] },
    // A search without training has none.
    ...(log.length === 0 || log.some(({ loss }) => loss !== undefined)
      ? [{ title: 'loss', marks, series: [line('loss', 'loss')] }]
      : []),
  ];
}

/** Returns an entry with six digits, which are enough for charts and keep the notebook small. */
function shortened(entry: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(entry).map(([name, value]) => [name, Number(value.toPrecision(6))]));
}
