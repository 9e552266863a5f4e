import type { ReplayData } from '../../kernel/display/rollouts';
import { Controls } from '../episode/controls';
import { formatNumber, formatReward, Timeline } from '../episode/timeline';
import { Playback } from '../frames/playback';
import { frameView, viewAspect, type FrameView, type Frames } from '../frames/view';
import { playsByItself, watchVisibility } from '../frames/visibility';
import { element, setText } from '../widgets/element';

/** An episode to play. */
export interface Played {
  data: ReplayData;
  frames: Frames;
  /** What it is called beside others. */
  name: string;
}

/** Plays one episode, or several in step: pictures, numbers, one bar of controls. */
export class ReplayPlayer {
  readonly node: HTMLElement;
  private readonly screens: Screen[];
  private readonly playback: Playback;
  private readonly controls: Controls;
  private readonly unwatch: () => void;
  private started = false;
  private step = 0;
  private readonly every: number;

  /**
   * @param moved called with the number of steps played, whenever another frame is shown
   * @param before the player that it replaces, where that is: its position stays
   */
  constructor(
    episodes: readonly Played[],
    private readonly moved: (step: number) => void,
    before: ReplayPlayer | null = null,
  ) {
    this.screens = episodes.map((episode) => new Screen(episode));
    // The longest leads: the others keep their last frame.
    const longest = episodes.reduce((a, b) => (b.frames.count > a.frames.count ? b : a));
    const timeline = new Timeline(longest.data.episode);
    this.every = longest.data.episode.every;
    this.playback = new Playback(longest.frames.count, longest.data.episode.fps, {
      frame: (index) => this.show(index, timeline.stepOf(index)),
      state: () => this.controls?.showState(),
    });
    this.controls = new Controls(this.playback, timeline);
    this.node = element('div', 'joylab-Replay', [
      element(
        'div',
        'joylab-Replay-screens',
        this.screens.map(({ node }) => node),
      ),
      this.controls.node,
    ]);
    this.node.tabIndex = 0;
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', 'Player: Space plays, arrow keys step');
    this.node.addEventListener('keydown', (event) => this.onKey(event));
    this.unwatch = watchVisibility(this.node, (visible) => this.onVisible(visible));
    this.show(0, 0);
    if (before) this.follow(before);
  }

  /** Shows the frame after a number of steps. */
  seekStep(step: number): void {
    this.playback.seek(Math.ceil(step / this.every));
  }

  dispose(): void {
    this.unwatch();
    this.playback.dispose();
    for (const screen of this.screens) screen.dispose();
  }

  /** Takes the place of another player of the same episode. */
  private follow(before: ReplayPlayer): void {
    const { playing, speed, loop } = before.playback;
    const hadFocus = before.node.contains(document.activeElement);
    this.seekStep(before.step);
    Object.assign(this.playback, { speed, loop });
    this.started ||= before.started;
    before.node.replaceWith(this.node);
    before.dispose();
    if (playing) this.playback.play();
    if (hadFocus) this.node.focus();
  }

  private show(index: number, step: number): void {
    this.step = step;
    for (const screen of this.screens) screen.show(index);
    this.controls?.showFrame(index);
    this.moved(step);
  }

  private onVisible(visible: boolean): void {
    this.playback.hold(!visible);
    if (!visible || this.started) return;
    this.started = true;
    if (playsByItself()) this.playback.play();
  }

  private onKey(event: KeyboardEvent): void {
    const { playback } = this;
    const stride = event.shiftKey ? 10 : 1;
    const keys: Record<string, () => void> = {
      ' ': () => playback.toggle(),
      ArrowLeft: () => playback.seek(playback.index - stride),
      ArrowRight: () => playback.seek(playback.index + stride),
      Home: () => playback.seek(0),
      End: () => playback.seek(playback.count - 1),
    };
    const isControl = event.target instanceof HTMLSelectElement || (event.key === ' ' && event.target !== this.node);
    if (event.ctrlKey || event.metaKey || event.altKey || isControl || !keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
    event.stopPropagation();
  }
}

/** The picture of an episode and the numbers below it. */
class Screen {
  readonly node: HTMLElement;
  private readonly view: FrameView;
  private readonly timeline: Timeline;
  private readonly numbers = element('div', 'joylab-Replay-numbers');

  constructor({ data, frames, name }: Played) {
    this.view = frameView(frames);
    this.last = frames.count - 1;
    this.timeline = new Timeline(data.episode);
    this.view.node.setAttribute('aria-label', `Picture of ${name}`);
    const picture = element('div', 'joylab-Replay-picture', [this.view.node]);
    picture.style.setProperty('--joylab-aspect', String(viewAspect(frames)));
    this.node = element('figure', 'joylab-Replay-screen', [
      element('figcaption', 'joylab-Replay-name', name),
      picture,
      this.numbers,
    ]);
  }

  private readonly last: number;

  show(index: number): void {
    const shown = Math.min(index, this.last);
    this.view.show(shown);
    this.node.classList.toggle('joylab-mod-over', index > this.last);
    const { step, score, lives, action, reward } = this.timeline.at(shown);
    const parts = [
      `step ${step} / ${this.timeline.steps}`,
      `score ${formatNumber(score)}`,
      ...(lives === null ? [] : [`lives ${lives}`]),
      ...(action === null ? [] : [`${action}${reward === 0 ? '' : ` ${formatReward(reward)}`}`]),
    ];
    setText(this.numbers, parts.join(' · '));
  }

  dispose(): void {
    this.view.dispose();
  }
}
