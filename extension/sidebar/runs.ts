import type { TrainingControl } from '../../kernel/display/mime';
import type { RunRow } from '../../kernel/display/overview';
import { formatNumber } from '../episode/timeline';
import { RunButtons } from '../training/buttons';
import { LABELS } from '../training/status';
import { describe, element, setText } from '../widgets/element';

/** What can be done with a run. */
export interface RunActions {
  /** Goes to its cell. */
  show(runId: string): void;
  resume(runId: string): void;
  control(runId: string, control: TrainingControl): void;
  rollouts(row: RunRow): void;
}

/** A run: its state, step, reward and curve, and its buttons. */
export class RunView {
  readonly node: HTMLElement;
  private readonly label = element('span', 'joylab-Status-label');
  private readonly detail = element('span', 'joylab-Panel-faint');
  private readonly curve = element('span', 'joylab-Panel-curve');
  private readonly rollouts = element('button', 'joylab-Link', 'Rollouts');
  private readonly buttons: RunButtons;
  private row: RunRow | null = null;

  constructor(runId: string, actions: RunActions) {
    const head = element('button', 'joylab-Panel-run', [this.label, this.detail, this.curve]);
    head.type = this.rollouts.type = 'button';
    head.title = 'Go to its cell';
    head.addEventListener('click', () => actions.show(runId));
    describe(this.rollouts, 'Show the rollouts of this run');
    this.rollouts.addEventListener('click', () => this.row && actions.rollouts(this.row));
    this.buttons = new RunButtons({
      control: (control) => actions.control(runId, control),
      resume: () => actions.resume(runId),
      // What becomes of it is told in the run's own view.
      saves: false,
    });
    const tools = element('div', 'joylab-Panel-buttons', [this.buttons.node, this.rollouts]);
    this.node = element('li', 'joylab-Panel-item joylab-Status', [head, tools]);
  }

  show(row: RunRow): void {
    this.row = row;
    const { status, step, maxSteps, reward, rewards } = row;
    this.node.dataset.status = status;
    setText(this.label, status === 'finished' && step < maxSteps ? 'Stopped' : LABELS[status]);
    setText(this.detail, `step ${step} of ${maxSteps}${reward === null ? '' : ` · reward ${formatNumber(reward)}`}`);
    this.curve.replaceChildren(...(rewards.length > 1 ? [sparkline(rewards)] : []));
    this.rollouts.hidden = row.rollouts === undefined;
    this.buttons.show(row, true);
  }
}

const SVG = 'http://www.w3.org/2000/svg';
const SIZE = { width: 96, height: 20 };

/** Returns a curve without axes. */
function sparkline(values: readonly number[]): SVGSVGElement {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (i: number) => ((i * SIZE.width) / (values.length - 1)).toFixed(1);
  // What stays the same is a line in the middle.
  const share = (value: number) => (most > least ? (value - least) / (most - least) : 0.5);
  const y = (value: number) => (1 + (SIZE.height - 2) * (1 - share(value))).toFixed(1);
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${SIZE.width} ${SIZE.height}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `Reward from ${formatNumber(values[0])} to ${formatNumber(values.at(-1)!)}`);
  const path = document.createElementNS(SVG, 'polyline');
  path.setAttribute('points', values.map((value, i) => `${x(i)},${y(value)}`).join(' '));
  svg.append(path);
  return svg;
}
