import type { ComparedRollout } from '../../kernel/display/rewardsMime';
import { decodeFrames } from '../frames/decode';
import { Playback } from '../frames/playback';
import { frameView, viewAspect, type FrameView, type Frames } from '../frames/view';
import { playsByItself } from '../frames/visibility';
import { describe, element } from '../widgets/element';
import { keepReachable } from '../widgets/reachable';
import { change } from './change';
import type { ComparedEpisodes, PlayedAgain } from './episodes';

/** A rollout with a large change: its episode, what changed, its program. */
export class RolloutCard {
  readonly node: HTMLElement;
  private readonly picture: HTMLButtonElement;
  private screen: FrameView | null = null;
  private playback: Playback | null = null;
  private asked = false;
  private disposed = false;

  /**
   * @param hasKernel whether there may be a kernel that makes its frames
   * @param open called with the episode when its picture is clicked
   */
  constructor(
    private readonly rollout: ComparedRollout,
    hasKernel: boolean,
    private readonly open: (played: PlayedAgain, frames: Frames) => void,
  ) {
    const { index, step, rank, sum, advantage, code = '' } = rollout;
    this.picture = element('button', 'joylab-Compared-picture');
    this.picture.type = 'button';
    describe(this.picture, `Rollout ${index}: its frames are being made`);
    this.picture.disabled = true;
    // The place is kept for it, so that nothing moves when it comes.
    this.picture.hidden = !hasKernel || !rollout.played;
    const row = (name: string, value: HTMLElement) =>
      element('div', 'joylab-Compared-row', [element('span', 'joylab-Compared-name', name), value]);
    const source = element('pre', 'joylab-Compared-code', code);
    keepReachable(source);
    this.node = element('div', 'joylab-Compared', [
      this.picture,
      element('div', 'joylab-Compared-text', [
        element('div', 'joylab-Compared-title', `Rollout ${index} of step ${step}`),
        row('rank', change(rank, -1)),
        row('reward', change(sum)),
        row('advantage', change(advantage)),
      ]),
      element('details', 'joylab-Compared-program', [
        element('summary', '', rollout.played ? 'Program' : 'Completion'),
        source,
      ]),
    ]);
  }

  /** Asks for the episode, once, and plays it in small. */
  async show(episodes: ComparedEpisodes): Promise<void> {
    if (this.asked || !this.rollout.played) return;
    this.asked = true;
    const played = await episodes.ask(this.rollout.index);
    const frames =
      played && 'episode' in played ? await decodeFrames(played.episode, played.frames).catch(() => null) : null;
    if (this.disposed) return;
    if (played && 'episode' in played && frames) return this.play(played, frames);
    this.picture.hidden = true;
    if (played && 'error' in played) this.node.title = played.error;
  }

  private play(played: PlayedAgain, frames: Frames): void {
    const screen = (this.screen = frameView(frames));
    screen.node.removeAttribute('role');
    screen.node.setAttribute('aria-hidden', 'true');
    this.picture.style.setProperty('--joylab-aspect', String(viewAspect(frames)));
    this.picture.replaceChildren(screen.node);
    this.picture.disabled = false;
    describe(this.picture, `Open rollout ${this.rollout.index} in the player`);
    this.picture.addEventListener('click', () => this.open(played, frames));
    this.playback = new Playback(frames.count, played.episode.fps, {
      frame: (index) => screen.show(index),
      state: () => undefined,
    });
    this.playback.loop = true;
    screen.show(0);
    if (playsByItself()) this.playback.play();
  }

  hold(hidden: boolean): void {
    this.playback?.hold(hidden);
  }

  dispose(): void {
    this.disposed = true;
    this.playback?.dispose();
    this.screen?.dispose();
  }
}
