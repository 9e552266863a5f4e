import type { Playback } from '../frames/playback';
import { describe, element, iconButton } from '../widgets/element';
import { icon, setIcon } from '../widgets/icons';
import type { Mark, Timeline } from './timeline';

/** Speeds of the menu, as factors of real time. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];

/** The bar under the picture: play, step, scrub, speed, loop. */
export class Controls {
  readonly node: HTMLElement;
  private readonly playIcon = icon('play');
  private readonly playButton: HTMLButtonElement;
  private readonly loopButton: HTMLButtonElement;
  private readonly scrubber = element('input', 'joylab-Scrubber-input');
  private readonly speed = element('select', 'joylab-Speed');

  constructor(
    private readonly playback: Playback,
    private readonly timeline: Timeline,
  ) {
    this.playButton = iconButton(this.playIcon, 'Play', () => playback.toggle());
    this.loopButton = iconButton(icon('loop'), 'Loop (L)', () => {
      playback.loop = !playback.loop;
    });
    this.fillSpeeds();
    this.node = element('div', 'joylab-Controls', [
      iconButton(icon('back'), 'Step back (←)', () => playback.seek(playback.index - 1)),
      this.playButton,
      iconButton(icon('forward'), 'Step forward (→)', () => playback.seek(playback.index + 1)),
      this.makeScrubber(),
      this.speed,
      this.loopButton,
    ]);
    this.showState();
    this.showFrame(0);
  }

  /** Shows the position. */
  showFrame(index: number): void {
    this.scrubber.value = String(index);
    this.scrubber.style.setProperty('--joylab-progress', `${(100 * index) / Math.max(1, this.playback.count - 1)}%`);
    this.scrubber.setAttribute('aria-valuetext', `step ${this.timeline.stepOf(index)} of ${this.timeline.steps}`);
  }

  /** Shows whether it plays, how fast, and whether it loops. */
  showState(): void {
    const { playing, speed, loop } = this.playback;
    setIcon(this.playIcon, playing ? 'pause' : 'play');
    describe(this.playButton, playing ? 'Pause (Space)' : 'Play (Space)');
    this.loopButton.setAttribute('aria-pressed', String(loop));
    this.speed.value = String(speed);
  }

  private fillSpeeds(): void {
    for (const speed of SPEEDS) this.speed.append(new Option(`${speed}×`, String(speed)));
    describe(this.speed, 'Speed (↑ ↓)');
    this.speed.addEventListener('change', () => {
      this.playback.speed = Number(this.speed.value);
    });
  }

  private makeScrubber(): HTMLElement {
    this.scrubber.type = 'range';
    this.scrubber.min = '0';
    this.scrubber.max = String(Math.max(1, this.playback.count - 1));
    this.scrubber.step = '1';
    this.scrubber.disabled = this.playback.count < 2;
    this.scrubber.setAttribute('aria-label', 'Position in the episode');
    this.scrubber.addEventListener('input', () => this.playback.seek(Number(this.scrubber.value)));
    return element('div', 'joylab-Scrubber', [drawMarks(this.timeline.marks(), this.playback.count), this.scrubber]);
  }
}

/** Returns marks of rewards and lost lives along the scrubber. */
function drawMarks(marks: Mark[], count: number): HTMLElement {
  const node = element('div', 'joylab-Scrubber-marks');
  node.setAttribute('aria-hidden', 'true');
  const seen = new Set<string>();
  for (const mark of marks) {
    const place = ((100 * mark.frame) / Math.max(1, count - 1)).toFixed(1);
    if (seen.has(mark.kind + place)) continue;
    seen.add(mark.kind + place);
    const tick = element('span', `joylab-Scrubber-mark joylab-mod-${mark.kind}`);
    tick.style.left = `${place}%`;
    node.append(tick);
  }
  return node;
}
