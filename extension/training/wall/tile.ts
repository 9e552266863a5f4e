import type { EpisodeData, RolloutScore } from '../../../kernel/display/mime';
import { Timeline, formatNumber } from '../../episode/timeline';
import { PictureSequence } from '../../frames/pictures';
import { frameView, type FrameView, type Frames } from '../../frames/view';
import { describe, element } from '../../widgets/element';
import { placeTile, type WallLayout } from './layout';

/** A rollout of the wall. */
export interface Rollout {
  step: number;
  score: RolloutScore;
  /** `null` where it did not play. */
  episode: EpisodeData | null;
  frames: Frames | null;
}

/** One rollout on the wall: a button over its picture, with the reward below. Pixels are drawn by the wall's canvas, drawings and texts here. */
export class Tile {
  readonly node: HTMLButtonElement;
  private readonly view: FrameView | null;
  private readonly picture = element('span', 'joylab-Tile-picture');
  private over = false;

  constructor(
    readonly rollout: Rollout,
    place: number,
    open: () => void,
  ) {
    const { frames, episode, score } = rollout;
    this.view = frames instanceof PictureSequence ? frameView(frames) : null;
    if (this.view) {
      // The button's name says it.
      this.view.node.removeAttribute('role');
      this.view.node.setAttribute('aria-hidden', 'true');
      this.picture.append(this.view.node);
    }
    if (!episode) this.picture.append(element('span', 'joylab-Tile-why', score.why ?? 'did not play'));
    this.node = element('button', 'joylab-Tile', [
      this.picture,
      element('span', 'joylab-Tile-reward', shortReward(rollout)),
    ]);
    this.node.type = 'button';
    this.node.addEventListener('click', open);
    describe(this.node, `Number ${place}: ${words(rollout)}. Open it.`);
  }

  markBest(): void {
    this.node.classList.add('joylab-mod-best');
  }

  /** Shows whether it is the one that is open. */
  readonly press = (open: boolean): void => this.node.setAttribute('aria-pressed', String(open));

  place(index: number, layout: WallLayout): void {
    placeTile(this.node, this.picture, index, layout);
  }

  /** Shows the frame `index` of the wall; an episode that is over keeps its last frame. */
  show(index: number): void {
    const { frames } = this.rollout;
    if (!frames) return;
    const last = frames.count - 1;
    this.view?.show(Math.min(index, last));
    if (index > last === this.over) return;
    this.over = index > last;
    this.node.classList.toggle('joylab-mod-over', this.over);
  }

  dispose(): void {
    this.view?.dispose();
  }
}

function shortReward({ score, episode }: Rollout): string {
  if (score.reward !== null) return formatNumber(score.reward);
  return episode ? `return ${formatNumber(new Timeline(episode).finalScore)}` : '–';
}

/** Returns what a rollout got, in words. */
export function words({ score, episode }: Rollout): string {
  const parts = score.reward === null ? [] : [`reward ${formatNumber(score.reward)}`];
  if (!episode) return [...parts, score.why ?? 'did not play'].join(', ');
  const timeline = new Timeline(episode);
  return [...parts, `return ${formatNumber(timeline.finalScore)}`, `${timeline.steps} steps`, episode.end].join(', ');
}
