import type { RolloutScore } from '../../../kernel/display/mime';
import { decodeFrames } from '../../frames/decode';
import { Playback } from '../../frames/playback';
import { FrameSequence } from '../../frames/sequence';
import { viewAspect } from '../../frames/view';
import { playsByItself } from '../../frames/visibility';
import { settings, settingsChanged } from '../../settings';
import { describe, element, iconButton, setText } from '../../widgets/element';
import { icon, setIcon } from '../../widgets/icons';
import type { Group } from '../state';
import { WallCanvas } from './canvas';
import { RolloutDetail, type DetailActions } from './detail';
import { layOut } from './layout';
import { Tile, type Rollout } from './tile';

/** Frames per second: a training step takes seconds, an episode minutes of the game's own time. */
const RATE = { pixels: 30, pictures: 12 };

/** Milliseconds after which a group may be replaced before it has played to its end. */
const MAX_TURN = 9000;

/** What the wall asks of its view. */
export interface WallActions extends DetailActions {
  /** The next group may come. */
  shown(step: number): void;
}

/** Plays the rollouts of the newest step side by side, the best reward first. A click on one opens it. */
export class Wall {
  readonly node: HTMLElement;
  private readonly title = element('span', 'joylab-Section-title');
  private readonly about = element('span', 'joylab-Section-about');
  private readonly playIcon = icon('pause');
  private readonly playButton = iconButton(this.playIcon, 'Pause the rollouts', () => this.toggle());
  private readonly place = element('div', 'joylab-Wall');
  private readonly detail: RolloutDetail;
  private readonly observer = new ResizeObserver(() => this.layOut());
  private canvas: WallCanvas | null = null;
  private tiles: Tile[] = [];
  private playback: Playback | null = null;
  private newest: Group | null = null;
  private group: Group | null = null;
  private visible = false;
  /** Whether groups are to play, where the user has said so. */
  private wanted: boolean | null = null;
  private rollouts: Rollout[] = [];
  /** Whether the user has stopped the group, to look at it: then it stays. */
  private held = false;
  /** Whether the group has had its turn, so that the next may come. */
  private over = false;
  private turn = 0;
  private width = 0;
  /** Steps that the run has completed. */
  private completed = 0;

  constructor(private readonly actions: WallActions) {
    this.detail = new RolloutDetail({
      ask: actions.ask,
      chosen: (step, index) => {
        for (const { rollout, press } of this.tiles) press(rollout.step === step && rollout.score.index === index);
        actions.chosen(step, index);
      },
    });
    const head = element('div', 'joylab-Section', [this.title, this.about, this.playButton]);
    this.node = element('div', 'joylab-Wall-panel', [head, this.place, this.detail.node]);
    this.node.hidden = true;
    this.observer.observe(this.place);
    settingsChanged.connect(this.onSettings, this);
  }

  /** Shows a group in place of the previous one. */
  async show(group: Group): Promise<void> {
    this.newest = group;
    let rollouts: Rollout[];
    try {
      rollouts = await rolloutsOf(group);
    } catch (error) {
      setText(this.title, `The rollouts of step ${group.step} cannot be shown: ${(error as Error).message}.`);
      this.node.hidden = false;
      this.actions.shown(group.step);
      return;
    }
    if (group !== this.newest || rollouts.length === 0) {
      this.actions.shown(group.step);
      return;
    }
    this.clear();
    this.group = group;
    this.held = this.over = false;
    this.turn = window.setTimeout(() => this.endTurn(), MAX_TURN);
    this.fill(rollouts);
  }

  /** Tells how far the run is: a group may be of the step that is under way. */
  progress(completed: number): void {
    this.completed = completed;
    this.showTitle();
  }

  /** Shows a rollout that the kernel has played again. */
  get opened(): RolloutDetail['opened'] {
    return this.detail.opened;
  }

  /** Stops the group while it is out of view. */
  setVisible(visible: boolean): void {
    this.visible = visible;
    this.playback?.hold(!visible);
  }

  dispose(): void {
    this.newest = null;
    settingsChanged.disconnect(this.onSettings, this);
    this.observer.disconnect();
    this.clear();
    this.detail.close();
  }

  /** Shows more tiles of the same group, or fewer. */
  private onSettings(): void {
    if (this.tiles.length === Math.min(this.rollouts.length, settings.tiles)) return;
    this.clear();
    this.fill(this.rollouts);
  }

  private fill(all: Rollout[]): void {
    const { place } = this;
    this.rollouts = all;
    const rollouts = all.slice(0, settings.tiles);
    this.tiles = rollouts.map((rollout, i) => new Tile(rollout, i + 1, () => this.detail.open(rollout, rollouts)));
    const rewards = rollouts.map(({ score }) => score.reward).filter((reward) => reward !== null);
    const [best, worst] = [Math.max(...rewards), Math.min(...rewards)];
    if (best > worst) for (const tile of this.tiles) if (tile.rollout.score.reward === best) tile.markBest();
    const sequences = rollouts.map(({ frames }) => (frames instanceof FrameSequence ? frames : null));
    this.canvas = sequences.some((frames) => frames !== null) ? new WallCanvas(sequences) : null;
    place.replaceChildren(...(this.canvas ? [this.canvas.node] : []), ...this.tiles.map(({ node }) => node));
    this.node.hidden = false;
    this.width = 0;
    this.layOut();
    this.showTitle();
    this.play(Math.max(1, ...rollouts.map(({ frames }) => frames?.count ?? 0)));
  }

  private play(count: number): void {
    const playback = new Playback(count, this.canvas ? RATE.pixels : RATE.pictures, {
      frame: (index) => {
        this.canvas?.show(index);
        for (const tile of this.tiles) tile.show(index);
        if (index === count - 1) this.endTurn();
      },
      state: () => this.showPlaying(),
    });
    this.playback = playback;
    playback.hold(!this.visible);
    if (this.wanted ?? playsByItself()) playback.play();
    else this.endTurn();
    this.showPlaying();
  }

  private toggle(): void {
    const { playback } = this;
    if (!playback) return;
    playback.toggle();
    this.wanted = playback.playing;
    this.held = !playback.playing;
    // Its time may have passed meanwhile.
    if (!this.held && this.turn === 0) this.endTurn();
  }

  private showPlaying(): void {
    const playing = this.playback?.playing ?? false;
    setIcon(this.playIcon, playing ? 'pause' : 'play');
    describe(this.playButton, playing ? 'Pause the rollouts' : 'Play the rollouts');
  }

  private layOut(): void {
    const width = this.place.clientWidth;
    if (width === 0 || width === this.width || this.tiles.length === 0) return;
    this.width = width;
    const some = this.tiles.find(({ rollout }) => rollout.frames)?.rollout.frames;
    const layout = layOut(this.tiles.length, width, some ? viewAspect(some) : 4 / 3);
    this.place.style.height = `${layout.rows * layout.down}px`;
    this.tiles.forEach((tile, i) => tile.place(i, layout));
    this.canvas?.place(layout);
  }

  private showTitle(): void {
    const { group } = this;
    if (!group) return;
    const { step, episodes } = group;
    setText(this.title, `Rollouts of step ${step}`);
    const of = group.of ?? episodes.length;
    const shown = this.tiles.length;
    const count = of > shown ? `${shown} of ${of}` : `all ${shown}`;
    const order = group.scores ? ', from the best reward to the worst' : '';
    const now = step > this.completed ? ' · not learned from yet' : '';
    setText(this.about, `${count}${order}${now}`);
  }

  private endTurn(): void {
    clearTimeout(this.turn);
    this.turn = 0;
    if (this.over || this.held || !this.group) return;
    this.over = true;
    this.actions.shown(this.group.step);
  }

  private clear(): void {
    clearTimeout(this.turn);
    this.turn = 0;
    this.playback?.dispose();
    this.playback = null;
    for (const tile of this.tiles) tile.dispose();
    this.tiles = [];
  }
}

async function rolloutsOf(group: Group): Promise<Rollout[]> {
  const { step, episodes, frames, scores } = group;
  return Promise.all(
    episodes.map(async (episode, i) => ({
      step,
      score: scores?.[i] ?? noScore(i),
      episode,
      frames: episode && (await decodeFrames(episode, frames[i])),
    })),
  );
}

/** Groups of older versions have no scores. */
function noScore(index: number): RolloutScore {
  return { index, reward: null, advantage: 0, rewards: {} };
}
