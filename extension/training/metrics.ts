import type { TrainingData } from '../../kernel/display/mime';
import type { ChartContent, Line } from '../charts/content';

/** A chart that the view offers. */
export interface MetricChart {
  /** Text of the toggle. */
  label: string;
  title: string;
  /** Whether it is shown until the user chooses. */
  shown: boolean;
  lines(data: TrainingData): Line[];
}

/** The charts, in their order. Metrics have TRL's names. */
export const METRIC_CHARTS: MetricChart[] = [
  {
    label: 'Reward',
    title: 'Reward, mean ± std',
    shown: true,
    lines: (data) => [metric(data, 'reward', 'reward', 'reward_std'), ...evaluated(data, 'eval_reward')],
  },
  {
    label: 'Reward functions',
    title: 'Reward functions',
    shown: true,
    lines: (data) => data.rewardNames.map((name) => metric(data, `rewards/${name}/mean`, name)),
  },
  {
    label: 'Best program',
    title: 'Best program, expected reward',
    shown: true,
    lines: (data) => [metric(data, 'refinement/best_worth', 'best program')],
  },
  {
    label: 'Edits',
    title: 'Edits, share of the completions',
    shown: true,
    lines: (data) => ['improved', 'duplicates', 'failed'].map((name) => metric(data, `refinement/${name}`, name)),
  },
  {
    label: 'Length',
    title: 'Completion length, tokens',
    shown: true,
    lines: (data) => [metric(data, 'completions/mean_length', 'mean length')],
  },
  {
    label: 'Loss',
    title: 'Loss',
    shown: true,
    lines: (data) => [metric(data, 'loss', 'loss'), ...evaluated(data, 'eval_loss')],
  },
  {
    label: 'Token accuracy',
    title: 'Token accuracy',
    shown: true,
    lines: (data) => [metric(data, 'mean_token_accuracy', 'accuracy'), ...evaluated(data, 'eval_mean_token_accuracy')],
  },
  { label: 'KL', title: 'KL from the reference model', shown: false, lines: (data) => [metric(data, 'kl', 'kl')] },
  {
    label: 'Step KL',
    title: 'KL of a step from the policy before it',
    shown: false,
    lines: (data) => [metric(data, 'step_kl', 'step_kl')],
  },
  {
    label: 'Entropy',
    title: 'Entropy of the policy',
    shown: false,
    lines: (data) => [metric(data, 'entropy', 'entropy')],
  },
  {
    label: 'Gradient norm',
    title: 'Gradient norm',
    shown: false,
    lines: (data) => [metric(data, 'grad_norm', 'grad_norm')],
  },
  {
    label: 'Learning rate',
    title: 'Learning rate',
    shown: false,
    lines: (data) => [metric(data, 'learning_rate', 'learning_rate')],
  },
  {
    label: 'Clipping',
    title: 'Clipped ratios',
    shown: false,
    lines: (data) => [metric(data, 'clip_ratio/region_mean', 'clip_ratio/region_mean')],
  },
];

/** Returns the content of a chart for a run; `null` when it has no data. */
export function chartContent(chart: MetricChart, data: TrainingData): ChartContent | null {
  const lines = chart.lines(data).filter((line) => line.y.some((value) => value !== null));
  if (lines.length === 0) return null;
  // A run that was stopped does not go on.
  const maxX = data.status === 'finished' ? data.step : shownSteps(data);
  return { lines, maxX, marks: data.events.map(({ step, text, kind }) => ({ x: step, text, kind })) };
}

/** Returns the steps that the axis of a run has: all, or of a long run that has only begun some, which double as it goes on. */
function shownSteps({ step, maxSteps }: TrainingData): number {
  let shown = 100;
  while (shown < 2 * step) shown *= 2;
  return Math.min(shown, maxSteps);
}

/** Returns the log of a run as CSV: a row per entry, a column per metric. */
export function logCsv({ log }: TrainingData): string {
  const names = [...new Set(log.flatMap((entry) => Object.keys(entry)))];
  const field = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = log.map((entry) => names.map((name) => String(entry[name] ?? '')).join(','));
  return `${[names.map(field).join(','), ...rows].join('\n')}\n`;
}

/** Returns the line of evaluations, where there are any. */
function evaluated(data: TrainingData, key: string): Line[] {
  return data.log.some((entry) => key in entry) ? [metric(data, key, 'evaluation')] : [];
}

function metric(data: TrainingData, key: string, name: string, spread?: string): Line {
  // Entries of evaluations stand between those of steps: they would be gaps in each other's lines.
  const log = data.log.filter((entry) => 'eval_runtime' in entry === key.startsWith('eval_'));
  const value = (entry: Record<string, number>) => (Number.isFinite(entry[key]) ? entry[key] : null);
  const line: Line = { name, x: log.map((entry) => entry.step), y: log.map(value) };
  if (!spread || !log.some((entry) => Number.isFinite(entry[spread]))) return line;
  const edge = (sign: number) =>
    log.map((entry) => (value(entry) === null ? null : entry[key] + sign * (entry[spread] ?? 0)));
  return { ...line, low: edge(-1), high: edge(1) };
}
