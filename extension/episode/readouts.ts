import { element, setText } from '../widgets/element';
import { formatNumber, formatReward, type Moment } from './timeline';

/** The numbers beside the picture: score, lives, action, reward, step. */
export class Readouts {
  readonly node: HTMLElement;
  private readonly score = element('span', 'joylab-Readout-value joylab-mod-score', '0');
  private readonly lives = element('span', 'joylab-Readout-value');
  private readonly action = element('span', 'joylab-Readout-value joylab-mod-action');
  private readonly reward = element('span', 'joylab-Readout-value');
  private readonly step = element('span', 'joylab-Readout-value');

  /** @param hasLives whether lives are shown */
  constructor(
    private readonly steps: number,
    hasLives: boolean,
  ) {
    const rows = [
      readout('Score', this.score),
      ...(hasLives ? [readout('Lives', this.lives)] : []),
      readout('Action', this.action),
      readout('Reward', this.reward),
      readout('Step', this.step),
    ];
    this.node = element('div', 'joylab-Readouts', rows);
  }

  show(moment: Moment): void {
    setText(this.score, formatNumber(moment.score));
    setText(this.lives, moment.lives === null ? '–' : String(moment.lives));
    setText(this.action, moment.action ?? '–');
    setText(this.reward, formatReward(moment.reward));
    setText(this.step, `${moment.step} / ${this.steps}`);
    this.reward.classList.toggle('joylab-mod-gain', moment.reward > 0);
    this.reward.classList.toggle('joylab-mod-loss', moment.reward < 0);
  }
}

function readout(name: string, value: HTMLElement): HTMLElement {
  return element('div', 'joylab-Readout', [element('span', 'joylab-Readout-name', name), value]);
}
