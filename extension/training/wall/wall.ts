import type { PlayingGroup, RolloutScore, TrainingData } from '../../../kernel/display/mime';
import { decodeFrames } from '../../frames/decode';
import { Playback } from '../../frames/playback';
import { FrameSequence } from '../../frames/sequence';
import { viewAspect } from '../../frames/view';
import { watchVisibility, playsByItself } from '../../frames/visibility';
import { settings, settingsChanged } from '../../settings';
import { describe, element, iconButton, setText } from '../../widgets/element';
import { icon, setIcon } from '../../widgets/icons';
import type { Group } from '../state';
import { WallCanvas } from './canvas';
import { RolloutDetail, type DetailActions } from './detail';
import { layOut } from './layout';
import { LiveWall, type LiveMessage } from './live';
import { Tile, type Rollout } from './tile';

/** Frames per second: a training step takes seconds, an episode minutes of the game's own time. */
const RATE = { pixels: 30, pictures: 12 };

/** Milliseconds after which a group may be replaced before it has played to its end. */
const MAX_TURN = 9000;
/** Milliseconds that a group stays at least before rollouts that play take its place: the wall of a fast run would flicker. */
const MIN_TURN = 2500;
/** Milliseconds after which rollouts have yet to play for long. */
const LONG_PLAY = 2000;

/** What the wall asks of its view. */
export interface WallActions extends DetailActions {
  /** The next group may come. */
  shown(step: number): void;
  /** Tells how many rollouts of a group are shown while they play. */
  follow(tiles: number): void;
  /** More of a group that plays may come. */
  drawn(): void;
}

/** Shows the rollouts of a step while they play; then plays those of the newest step side by side, the best reward first. A click on one opens it. */
export class Wall {
  readonly node: HTMLElement;
  private readonly title = element('span', 'joylab-Section-title');
  private readonly about = element('span', 'joylab-Section-about');
  private readonly playIcon = icon('pause');
  private readonly playButton = iconButton(this.playIcon, 'Pause the rollouts', () => this.toggle());
  private readonly place = element('div', 'joylab-Wall');
  private readonly detail: RolloutDetail;
  private readonly observer = new ResizeObserver(() => this.layOut());
  private readonly unwatch: () => void;
  /** Rollouts that play now, in place of the group. */
  private current: LiveWall | null = null;
  /** Those that play and are not shown, as the user looks at others. */
  private upcoming: PlayingGroup | null = null;
  private follows = 0;
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
  /** When the group was shown, in milliseconds. */
  private shownAt = -Infinity;
  /** The timer of rollouts that wait for the turn of the group to end. */
  private waiting = 0;
  private width = 0;
  /** Steps that the run has completed. */
  private completed = 0;
  private aspect = 4 / 3;

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
    this.unwatch = watchVisibility(this.place, (visible) => this.onVisible(visible));
    settingsChanged.connect(this.onSettings, this);
  }

  /** Shows a group in place of the previous one. */
  async show(group: Group): Promise<void> {
    this.newest = group;
    this.upcoming = null;
    if (this.current && this.held) return;
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
    this.shownAt = performance.now();
    this.turn = window.setTimeout(() => this.endTurn(), MAX_TURN);
    this.fill(rollouts);
  }

  /** Shows rollouts that begin to play, unless the user looks at others. */
  playing(group: PlayingGroup): void {
    this.upcoming = group;
    clearTimeout(this.waiting);
    if (this.held || !(this.wanted ?? playsByItself())) return;
    const rest = this.shownAt + MIN_TURN - performance.now();
    if (rest <= 0 || this.current) return this.showLive(group);
    this.waiting = window.setTimeout(
      () => {
        if (this.upcoming === group && !this.held) this.showLive(group);
      },
      Math.max(rest, LONG_PLAY),
    );
  }

  private showLive(group: PlayingGroup): void {
    this.upcoming = null;
    this.endTurn();
    this.clear();
    this.current = new LiveWall(group, this.place, this.aspect);
    this.node.hidden = false;
    this.layOut();
    this.showTitle();
    this.showPlaying();
    this.follow();
  }

  /** Shows what has changed of those that play. */
  async live(message: LiveMessage, buffer: Uint8Array | undefined): Promise<void> {
    const { current } = this;
    try {
      if (message.step === current?.group.step) await current.draw(message, buffer);
    } catch (error) {
      this.endLive();
      console.warn(`Joylab: the rollouts that play cannot be shown: ${(error as Error).message}.`);
    }
    this.showTitle();
    setTimeout(() => this.actions.drawn(), 1000 / settings.framesPerSecond);
  }

  /** Shows the newest group again, in place of rollouts that do not play on. */
  private endLive(): void {
    this.upcoming = null;
    if (!this.current) return;
    this.clear();
    this.fill(this.rollouts);
  }

  /** Tells how far the run is: a group may be of the step that is under way. */
  progress({ step, status }: TrainingData): void {
    this.completed = step;
    if (status !== 'running') this.endLive();
    this.showTitle();
  }

  /** How many rollouts of a group are shown while they play. */
  get following(): number {
    return this.follows;
  }

  /** Shows a rollout that the kernel has played again. */
  get opened(): RolloutDetail['opened'] {
    return this.detail.opened;
  }

  /** Stops the group while it is out of view. */
  private onVisible(visible: boolean): void {
    this.visible = visible;
    this.playback?.hold(!visible);
    this.follow();
  }

  /** Tells how many rollouts are wanted while they play: none while a group is shown, the user has stopped the wall, or does not see it. */
  private follow(): void {
    const wants = this.current && this.visible && !this.held && (this.wanted ?? playsByItself());
    const tiles = wants ? settings.tiles : 0;
    if (tiles === this.follows) return;
    this.follows = tiles;
    this.actions.follow(tiles);
  }

  dispose(): void {
    this.newest = null;
    settingsChanged.disconnect(this.onSettings, this);
    this.unwatch();
    this.observer.disconnect();
    this.clear();
    this.detail.close();
  }

  /** Shows more tiles of the same group, or fewer. */
  private onSettings(): void {
    this.follow();
    if (this.current) return;
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
    const some = sequences.find((frames) => frames !== null);
    this.canvas = some ? new WallCanvas(some, rollouts.length) : null;
    for (const [i, frames] of sequences.entries()) if (frames) this.canvas!.set(i, frames);
    place.replaceChildren(...(this.canvas ? [this.canvas.node] : []), ...this.tiles.map(({ node }) => node));
    this.node.hidden = rollouts.length === 0;
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
    const { playback, current } = this;
    if (current) {
      this.held = !this.held;
      this.wanted = !this.held;
      this.showPlaying();
      this.follow();
      if (!this.held && this.newest && this.newest !== this.group) void this.show(this.newest);
      return;
    }
    if (!playback) return;
    playback.toggle();
    this.wanted = playback.playing;
    this.held = !playback.playing;
    if (!this.held && this.upcoming) this.showLive(this.upcoming);
    this.follow();
    // Its time may have passed meanwhile.
    if (!this.held && this.turn === 0) this.endTurn();
  }

  private showPlaying(): void {
    const playing = this.current ? !this.held : (this.playback?.playing ?? false);
    setIcon(this.playIcon, playing ? 'pause' : 'play');
    describe(this.playButton, playing ? 'Pause the rollouts' : 'Play the rollouts');
  }

  private layOut(): void {
    const width = this.place.clientWidth;
    if (this.current && width > 0) return this.current.layOut();
    if (width === 0 || width === this.width || this.tiles.length === 0) return;
    this.width = width;
    const some = this.tiles.find(({ rollout }) => rollout.frames)?.rollout.frames;
    if (some) this.aspect = viewAspect(some);
    const layout = layOut(this.tiles.length, width, this.aspect);
    this.place.style.height = `${layout.rows * layout.down}px`;
    this.tiles.forEach((tile, i) => tile.place(i, layout));
    this.canvas?.place(layout);
  }

  private showTitle(): void {
    const { group, current } = this;
    if (current) {
      setText(this.title, `Rollouts of step ${current.group.step} play`);
      return setText(this.about, current.about);
    }
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
    clearTimeout(this.waiting);
    this.current?.dispose();
    this.current = null;
    this.follow();
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
