import type { TrainingData, TrainingStatus } from '../../kernel/display/mime';
import { duration } from '../../kernel/display/progress/duration';
import { runTimes } from '../../kernel/display/training/timing';
import { element, setText } from '../widgets/element';
import { RunButtons, type ButtonActions } from './buttons';

/** The states of a run, in words. */
export const LABELS: Record<TrainingStatus, string> = {
  running: 'Training',
  paused: 'Paused',
  finished: 'Finished',
  failed: 'Failed',
  lost: 'Not running',
};

/** The lines above the charts: status, step i of n, time per step, time left, buttons; the progress bar; the stage with its own bar. */
export class StatusLine {
  readonly node: HTMLElement;
  readonly buttons: RunButtons;
  private readonly label = element('span', 'joylab-Status-label');
  private readonly detail = element('span', 'joylab-Status-detail');
  private readonly bar = element('progress', 'joylab-Status-bar');
  /** What went wrong around the run: read out as it happens. */
  private readonly messages = element('div', 'joylab-Status-messages');
  private readonly stage = element('div', 'joylab-Status-stage');
  private readonly stageText = element('span', 'joylab-Status-stageText');
  private readonly stageBar = element('progress', 'joylab-Status-stageBar');

  constructor(actions: ButtonActions) {
    this.buttons = new RunButtons(actions);
    this.bar.setAttribute('aria-label', 'Progress of the training');
    this.stageBar.setAttribute('aria-label', 'Progress of the stage');
    this.stage.append(this.stageBar, this.stageText);
    // Read out when the run pauses or ends, not at each step.
    for (const node of [this.label, this.messages]) node.setAttribute('role', 'status');
    const words = element('div', 'joylab-Status-words', [this.label, this.detail]);
    this.node = element('div', 'joylab-Status', [
      element('div', 'joylab-Status-line', [words, this.buttons.node]),
      this.bar,
      this.messages,
      this.stage,
    ]);
  }

  /** @param share the share of the stage that is done, where it is known */
  show(data: TrainingData, connected: boolean, share?: number): void {
    this.node.dataset.status = data.status;
    const isStopped = data.status === 'finished' && data.step < data.maxSteps;
    setText(this.label, isStopped ? 'Stopped' : (LABELS[data.status] ?? data.status));
    setText(this.detail, details(data).join(' · '));
    // Its line stays while the run goes on, so that nothing moves.
    this.stage.hidden = data.status !== 'running';
    setText(this.stageText, data.stage ?? '');
    this.stageBar.hidden = !data.stage || share === undefined;
    if (share !== undefined) this.stageBar.value = share;
    this.bar.max = Math.max(1, data.maxSteps);
    this.bar.value = data.step;
    this.buttons.show(data, connected);
  }

  /** Shows what went wrong around the run, a sentence each. */
  tell(texts: string[]): void {
    const { messages } = this;
    messages.hidden = texts.length === 0;
    while (messages.childElementCount > texts.length) messages.lastElementChild!.remove();
    texts.forEach((text, i) => {
      const line = messages.children[i] ?? messages.appendChild(element('div', 'joylab-Status-message'));
      setText(line as HTMLElement, text);
    });
  }
}

function details(data: TrainingData): string[] {
  const lost = data.status === 'lost';
  const parts = [`step ${data.step} of ${data.maxSteps}`];
  const { perStep, left, spent } = runTimes(data);
  if (perStep !== null && !lost) {
    parts.push(`${perStep < 10 ? perStep.toFixed(1) : Math.round(perStep)} s per step`);
    if (data.status === 'running' && left !== null && left > 0) parts.push(`about ${duration(Math.max(1, left))} left`);
    if (data.status === 'finished') parts.push(`${duration(spent)} in all`);
  }
  if (data.status === 'paused') parts.push('run the cell again to go on');
  return parts;
}
