import type { Playback } from '../frames/playback';
import { describe, element, iconButton } from '../widgets/element';
import { icon, setIcon } from '../widgets/icons';
import type { Mark, Timeline } from './timeline';

/** Speeds of the menu, as factors of real time. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];

/** Pixels from the scrubber's edge to the middle of its thumb at the end, and from the pointer to marks that are told. */
const INSET = 6;
const REACH = 5;
/** Marks that are told at once, at most. */
const MOST_TIPS = 4;

/** The bar under the picture: play, step, scrub, speed, loop. */
export class Controls {
  readonly node: HTMLElement;
  private readonly playIcon = icon('play');
  private readonly playButton: HTMLButtonElement;
  private readonly loopButton: HTMLButtonElement;
  private readonly scrubber = element('input', 'joylab-Scrubber-input');
  private readonly speed = element('select', 'joylab-Speed');
  private readonly tip = element('div', 'joylab-Scrubber-tip');

  constructor(
    private readonly playback: Playback,
    private readonly timeline: Timeline,
  ) {
    this.playButton = iconButton(this.playIcon, 'Play', () => playback.toggle());
    this.loopButton = iconButton(icon('loop'), 'Loop (L)', () => {
      playback.loop = !playback.loop;
    });
    this.tip.hidden = true;
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
    const marks = this.timeline.marks();
    const node = element('div', 'joylab-Scrubber', [drawMarks(marks, this.playback.count), this.scrubber, this.tip]);
    node.addEventListener('pointermove', ({ clientX }) => this.showTip(marks, clientX));
    node.addEventListener('pointerleave', () => {
      this.tip.hidden = true;
    });
    return node;
  }

  /** Tells what is at the pointer: the marks next to it, or the step. */
  private showTip(marks: Mark[], clientX: number): void {
    const { left, width } = this.scrubber.getBoundingClientRect();
    const last = Math.max(1, this.playback.count - 1);
    const share = Math.min(1, Math.max(0, (clientX - left - INSET) / Math.max(1, width - 2 * INSET)));
    const reach = (REACH * last) / Math.max(1, width);
    const near = marks.filter(({ frame }) => Math.abs(frame - share * last) <= reach);
    const texts = near.slice(0, MOST_TIPS).map(({ text }) => text);
    if (near.length > MOST_TIPS) texts.push(`and ${near.length - MOST_TIPS} more`);
    this.tip.textContent = texts.join('\n') || `step ${this.timeline.stepOf(Math.round(share * last))}`;
    this.tip.style.left = `${INSET + share * (width - 2 * INSET)}px`;
    this.tip.hidden = false;
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
