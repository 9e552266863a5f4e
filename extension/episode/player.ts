import type { EpisodeData } from '../../kernel/display/mime';
import { Playback } from '../frames/playback';
import { PictureSequence } from '../frames/pictures';
import { frameView, viewAspect, type FrameView, type Frames } from '../frames/view';
import { playsByItself, watchVisibility } from '../frames/visibility';
import { element } from '../widgets/element';
import { Controls, SPEEDS } from './controls';
import { Readouts } from './readouts';
import { StateTable } from './stateTable';
import { Timeline, formatNumber } from './timeline';
import { playerTools, toggleFullScreen } from './tools';

/** Where a player stands, for another one of the same episode. */
export interface PlayerPosition {
  step: number;
  playing: boolean;
  speed: number;
}

/**
 * Plays an episode: image, numbers, controls, keyboard. It starts when it comes into
 * view, where episodes play by themselves, and stands still while out of view.
 */
export class EpisodePlayer {
  readonly node: HTMLElement;
  private readonly screen: FrameView;
  private readonly timeline: Timeline;
  private readonly playback: Playback;
  private readonly readouts: Readouts;
  private readonly controls: Controls;
  private readonly states: StateTable;
  private readonly unwatch: () => void;
  private started = false;

  /** @param from where it begins; at the start of the episode by default */
  constructor(data: EpisodeData, frames: Frames, from?: PlayerPosition) {
    this.screen = frameView(frames);
    this.timeline = new Timeline(data);
    this.playback = new Playback(frames.count, data.fps, {
      frame: (index) => this.showFrame(index),
      state: () => this.controls.showState(),
    });
    this.readouts = new Readouts(this.timeline.steps, this.timeline.hasLives);
    this.controls = new Controls(this.playback, this.timeline);
    this.states = new StateTable(this.timeline);
    this.node = this.layOut(data, frames);
    this.node.addEventListener('keydown', (event) => this.onKey(event));
    this.unwatch = watchVisibility(this.node, (visible) => this.onVisible(visible));
    this.showFrame(0);
    if (from) this.goOn(from);
  }

  get position(): PlayerPosition {
    const { index, playing, speed } = this.playback;
    return { step: this.timeline.stepOf(index), playing, speed };
  }

  dispose(): void {
    this.unwatch();
    this.playback.dispose();
    this.screen.dispose();
    this.node.remove();
  }

  private layOut(data: EpisodeData, frames: Frames): HTMLElement {
    const score = `score ${formatNumber(this.timeline.finalScore)}`;
    const ending = element('div', 'joylab-Player-end', data.end);
    ending.title = data.end;
    const caption = element('div', 'joylab-Player-caption', [
      element('span', 'joylab-Player-title', data.environment),
      element('span', 'joylab-Player-seed', `seed ${data.seed}`),
    ]);
    const hasStates = this.timeline.stateAt(0).length > 0;
    const side = element('div', 'joylab-Player-side', [
      caption,
      this.readouts.node,
      ...(hasStates ? [this.states.node] : []),
      ending,
    ]);
    this.screen.node.setAttribute('aria-label', `Picture of ${data.environment}`);
    this.screen.node.addEventListener('click', () => this.playback.toggle());
    const picture = element('div', 'joylab-Player-picture', [this.screen.node]);
    if (frames instanceof PictureSequence)
      picture.classList.add(frames.type === 'text/plain' ? 'joylab-mod-text' : 'joylab-mod-drawn');
    picture.style.setProperty('--joylab-aspect', String(viewAspect(frames)));
    const body = element('div', 'joylab-Player-body', [picture, side, this.controls.node]);
    const node = element('div', 'joylab-Player', [body]);
    const index = () => this.playback.index;
    const name = `${data.environment}-seed-${data.seed}`;
    this.controls.node.append(playerTools({ frames, fps: data.fps, name, index, node }));
    node.tabIndex = 0;
    node.dataset.lmSuppressShortcuts = 'true';
    node.setAttribute('role', 'group');
    node.setAttribute(
      'aria-label',
      `Episode of ${data.environment}, seed ${data.seed}, ${this.timeline.steps} steps, ${score}. Space plays, arrow keys step.`,
    );
    return node;
  }

  private showFrame(index: number): void {
    this.screen.show(index);
    this.readouts.show(this.timeline.at(index));
    this.controls.showFrame(index);
    this.states.show(index);
  }

  private goOn({ step, playing, speed }: PlayerPosition): void {
    this.started = true;
    this.playback.seek(this.timeline.frameOf(step));
    this.playback.speed = speed;
    if (playing) this.playback.play();
  }

  private onVisible(visible: boolean): void {
    this.playback.hold(!visible);
    if (!visible || this.started) return;
    this.started = true;
    if (playsByItself()) this.playback.play();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inMenu = event.target instanceof HTMLSelectElement;
    if (event.key === 'Escape') this.leave();
    else if (inMenu || !this.command(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Handles a key. Returns false where it has no meaning here. */
  private command(event: KeyboardEvent): boolean {
    const { playback } = this;
    const stride = event.shiftKey ? 10 : 1;
    switch (event.key) {
      case ' ':
        if (event.target instanceof HTMLButtonElement) return false;
        playback.toggle();
        return true;
      case 'ArrowLeft':
        playback.seek(playback.index - stride);
        return true;
      case 'ArrowRight':
        playback.seek(playback.index + stride);
        return true;
      case 'ArrowUp':
        this.changeSpeed(1);
        return true;
      case 'ArrowDown':
        this.changeSpeed(-1);
        return true;
      case 'Home':
        playback.seek(0);
        return true;
      case 'End':
        playback.seek(playback.count - 1);
        return true;
      case 'f':
      case 'F':
        toggleFullScreen(this.node);
        return true;
      case 'l':
      case 'L':
        playback.loop = !playback.loop;
        return true;
      default:
        return false;
    }
  }

  private changeSpeed(by: number): void {
    const next = SPEEDS[SPEEDS.indexOf(this.playback.speed) + by];
    if (next !== undefined) this.playback.speed = next;
  }

  /** Moves the focus to the notebook. */
  private leave(): void {
    (this.node.closest('.jp-Notebook') as HTMLElement | null)?.focus();
  }
}
