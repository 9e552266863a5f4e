import type { EpisodeData } from '../../kernel/display/mime';
import { EpisodePlayer } from '../episode/player';
import { Timeline, formatNumber } from '../episode/timeline';
import { decodeFrames } from '../frames/decode';
import { Playback } from '../frames/playback';
import { frameView, type FrameView, type Frames } from '../frames/view';
import { prefersReducedMotion } from '../frames/visibility';
import { describe, element, setText } from '../widgets/element';
import type { Group } from './state';

/** Factor by which a group plays faster than a single episode: a training step takes seconds. */
const SPEED = 4;

/** Milliseconds after which a group may be replaced before it has played to its end. */
const MAX_TURN = 8000;

/**
 * Plays the newest group: a small screen per episode with its return below it, the
 * best marked. A click on one opens its player.
 */
export class GroupGrid {
  readonly node: HTMLElement;
  private readonly title = element('div', 'joylab-Section');
  private readonly grid = element('div', 'joylab-Group');
  private readonly detail = element('div', 'joylab-Group-detail');
  private tiles: Tile[] = [];
  private playback: Playback | null = null;
  private player: EpisodePlayer | null = null;
  private newest: Group | null = null;
  private visible = false;
  private turn = 0;

  /** @param shown called with a group's step when the next group may come */
  constructor(private readonly shown: (step: number) => void) {
    this.node = element('div', '', [this.title, this.grid, this.detail]);
    this.node.hidden = true;
    this.detail.hidden = true;
  }

  /** Shows a group in place of the previous one. */
  async show(group: Group): Promise<void> {
    this.newest = group;
    let frames: Frames[];
    try {
      frames = await Promise.all(group.episodes.map((data, i) => decodeFrames(data, group.frames[i])));
    } catch (error) {
      setText(this.title, `The group of step ${group.step} cannot be shown: ${(error as Error).message}.`);
      this.node.hidden = false;
      this.shown(group.step);
      return;
    }
    if (group !== this.newest || frames.length === 0) {
      this.shown(group.step);
      return;
    }
    this.clear();
    this.fill(group, frames);
    this.startTurn(group.step);
  }

  /** Stops the group while it is out of view. */
  setVisible(visible: boolean): void {
    this.visible = visible;
    this.playback?.hold(!visible);
  }

  dispose(): void {
    this.newest = null;
    this.clear();
    this.closePlayer();
  }

  private fill(group: Group, frames: Frames[]): void {
    this.tiles = group.episodes.map((data, i) => new Tile(data, frames[i], () => this.open(data, frames[i])));
    const best = Math.max(...this.tiles.map((tile) => tile.return));
    const worst = Math.min(...this.tiles.map((tile) => tile.return));
    for (const tile of this.tiles) tile.markBest(tile.return === best && best > worst);
    setText(this.title, `Newest group, step ${group.step}`);
    this.grid.replaceChildren(...this.tiles.map((tile) => tile.node));
    this.node.hidden = false;
    this.play(Math.max(...frames.map(({ count }) => count)), group);
  }

  private play(count: number, group: Group): void {
    const playback = new Playback(count, group.episodes[0].fps, {
      frame: (index) => {
        for (const tile of this.tiles) tile.show(index);
        if (index === count - 1) this.endTurn(group.step);
      },
      state: () => undefined,
    });
    this.playback = playback;
    playback.speed = SPEED;
    playback.hold(!this.visible);
    if (!prefersReducedMotion()) playback.play();
  }

  private startTurn(step: number): void {
    clearTimeout(this.turn);
    this.turn = window.setTimeout(() => this.endTurn(step), MAX_TURN);
  }

  private endTurn(step: number): void {
    if (this.turn === 0) return;
    clearTimeout(this.turn);
    this.turn = 0;
    this.shown(step);
  }

  private open(data: EpisodeData, frames: Frames): void {
    this.closePlayer();
    this.player = new EpisodePlayer(data, frames);
    const close = element('button', 'joylab-Switch', 'Close');
    close.type = 'button';
    describe(close, 'Close the player');
    close.addEventListener('click', () => this.closePlayer());
    this.detail.replaceChildren(this.player.node, close);
    this.detail.hidden = false;
    this.player.node.focus();
  }

  private closePlayer(): void {
    this.player?.dispose();
    this.player = null;
    this.detail.replaceChildren();
    this.detail.hidden = true;
  }

  private clear(): void {
    clearTimeout(this.turn);
    this.turn = 0;
    this.playback?.dispose();
    for (const tile of this.tiles) tile.dispose();
    this.tiles = [];
  }
}

/** One episode of the group. */
class Tile {
  readonly node: HTMLButtonElement;
  readonly return: number;
  private readonly screen: FrameView;
  private readonly label = element('span', 'joylab-Tile-return');

  constructor(
    data: EpisodeData,
    private readonly frames: Frames,
    open: () => void,
  ) {
    const timeline = new Timeline(data);
    this.return = timeline.finalScore;
    this.screen = frameView(frames);
    // The button's name says it.
    this.screen.node.removeAttribute('role');
    this.screen.node.setAttribute('aria-hidden', 'true');
    this.label.textContent = formatNumber(this.return);
    this.node = element('button', 'joylab-Tile', [
      element('span', 'joylab-Tile-picture', [this.screen.node]),
      this.label,
    ]);
    this.node.type = 'button';
    this.node.addEventListener('click', open);
    describe(
      this.node,
      `Return ${formatNumber(this.return)}, ${timeline.steps} steps, ${data.end}. Open in the player.`,
    );
  }

  markBest(best: boolean): void {
    this.node.classList.toggle('joylab-mod-best', best);
    if (best) this.label.title = 'The best of the group';
  }

  /** Shows the frame `index` of the group; an episode that is over keeps its last frame. */
  show(index: number): void {
    const last = this.frames.count - 1;
    this.screen.show(Math.min(index, last));
    this.node.classList.toggle('joylab-mod-over', index > last);
  }

  dispose(): void {
    this.screen.dispose();
  }
}
