import type { TrainingData, TrainingStatus } from '../../kernel/display/mime';
import { element, setText } from '../widgets/element';

const LABELS: Record<TrainingStatus, string> = {
  running: 'Training',
  paused: 'Paused',
  finished: 'Finished',
  failed: 'Failed',
  lost: 'Not running',
};

/** Newest steps over which the time per step is averaged. */
const RECENT = 10;

/** The line above the charts: status, step i of n, time per step, time left; and the progress bar. */
export class StatusLine {
  readonly node: HTMLElement;
  private readonly label = element('span', 'joylab-Status-label');
  private readonly detail = element('span', 'joylab-Status-detail');
  private readonly bar = element('progress', 'joylab-Status-bar');
  private readonly stage = element('div', 'joylab-Status-stage');

  constructor() {
    this.bar.setAttribute('aria-label', 'Progress of the training');
    // Read out when the run pauses or ends, not at each step.
    this.label.setAttribute('role', 'status');
    this.node = element('div', 'joylab-Status', [
      element('div', 'joylab-Status-line', [this.label, this.detail]),
      this.bar,
      this.stage,
    ]);
  }

  show(data: TrainingData): void {
    this.node.dataset.status = data.status;
    setText(this.label, LABELS[data.status] ?? data.status);
    setText(this.detail, details(data).join(' · '));
    // Its line stays while the run goes on, so that nothing moves.
    this.stage.hidden = data.status !== 'running';
    setText(this.stage, data.stage ?? '');
    this.bar.max = Math.max(1, data.maxSteps);
    this.bar.value = data.step;
  }
}

function details(data: TrainingData): string[] {
  const lost = data.status === 'lost';
  const parts = [`step ${data.step} of ${data.maxSteps}`];
  const seconds = stepSeconds(data);
  if (seconds !== null && !lost) {
    parts.push(`${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s per step`);
    const left = seconds * (data.maxSteps - data.step);
    if (data.status === 'running' && left > 0) parts.push(`about ${duration(left)} left`);
    if (data.status === 'finished') parts.push(`${duration(totalSeconds(data))} in all`);
  }
  if (data.status === 'paused') parts.push('run the cell again to go on');
  if (lost) parts.push(`the kernel ended: what is kept is step ${data.step}; run the cell to train again`);
  return parts;
}

/** Returns the mean of TRL's `step_time` over the newest steps, in seconds; `null` where there is none. */
function stepSeconds({ log }: TrainingData): number | null {
  const times = log
    .slice(-RECENT)
    .map((entry) => entry.step_time)
    .filter(Number.isFinite);
  return times.length > 0 ? times.reduce((sum, time) => sum + time, 0) / times.length : null;
}

function totalSeconds({ log }: TrainingData): number {
  return log.reduce((sum, entry) => sum + (entry.step_time ?? 0), 0);
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
