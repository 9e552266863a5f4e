import type { LiveTile, PlayingGroup, TrainingMessage } from '../../../kernel/display/mime';
import { formatNumber } from '../../episode/timeline';
import { fromBase64, inflateAll } from '../../frames/decode';
import { PictureSequence } from '../../frames/pictures';
import { FrameSequence } from '../../frames/sequence';
import { frameView, viewAspect, type FrameView, type Frames } from '../../frames/view';
import { settings } from '../../settings';
import { describe, element, setText } from '../../widgets/element';
import { WallCanvas } from './canvas';
import { layOut, placeTile, type WallLayout } from './layout';

/** What has changed of a group that plays. */
export type LiveMessage = Extract<TrainingMessage, { type: 'live' }>;

/** The rollouts of a step while they play, in the order of the samples. */
export class LiveWall {
  private readonly tiles: LiveView[];
  private canvas: WallCanvas | null = null;
  private screen: FrameSequence | null = null;
  private drawing: Promise<void> = Promise.resolve();

  /** @param aspect width divided by height of pictures, until there are some */
  constructor(
    readonly group: PlayingGroup,
    private readonly place: HTMLElement,
    private aspect: number,
  ) {
    this.tiles = group.tiles.slice(0, settings.tiles).map(({ why }, i) => new LiveView(i + 1, why));
    place.replaceChildren(...this.tiles.map(({ node }) => node));
  }

  /** How many rollouts wait, play and are over, in words. */
  get about(): string {
    const count = (state: LiveView['state']) => this.tiles.filter((tile) => tile.state === state).length;
    const { of } = this.group;
    const shown = this.tiles.length;
    const counts = [
      [count('plays'), 'play'],
      [count('waits'), 'wait'],
      [count('over'), 'over'],
    ] as const;
    return [
      of > shown ? `${shown} of ${of}` : `all ${shown}`,
      ...counts.flatMap(([number, what]) => (number > 0 ? `${number} ${what}` : [])),
    ].join(' · ');
  }

  /** Shows what has changed. Resolves when it is drawn. Rejects with the reason, in words, when it cannot be shown. */
  draw(message: LiveMessage, buffer: Uint8Array | undefined): Promise<void> {
    const drawn = this.drawing.then(() => this.show(message, buffer));
    this.drawing = drawn.catch(() => undefined);
    return drawn;
  }

  layOut(): void {
    const layout = layOut(this.tiles.length, this.place.clientWidth, this.aspect);
    this.place.style.height = `${layout.rows * layout.down}px`;
    this.tiles.forEach((tile, i) => tile.place(i, layout));
    this.canvas?.place(layout);
  }

  dispose(): void {
    for (const tile of this.tiles) tile.dispose();
  }

  private async show({ tiles, screen }: LiveMessage, buffer: Uint8Array | undefined): Promise<void> {
    const bytes = buffer ? await inflateAll(buffer) : new Uint8Array();
    if (screen) {
      const { width, height, aspect, palette } = screen;
      this.screen = new FrameSequence(width, height, fromBase64(palette, 'palette'), aspect);
    }
    let at = 0;
    for (const told of tiles) {
      const size = told.picture?.bytes ?? 0;
      this.tell(told, bytes.slice(at, at + size));
      at += size;
    }
    this.canvas?.show(Infinity);
  }

  private tell(told: LiveTile, bytes: Uint8Array): void {
    const tile = this.tiles[told.index];
    if (!tile) return;
    if (told.picture) {
      const isFirst = tile.frames === null;
      const frames = this.append(tile.frames, told.picture, bytes);
      if (isFirst) this.begin(told.index, frames);
    }
    tile.show(told);
  }

  /** Adds a picture to those of a rollout. */
  private append(frames: Frames | null, picture: NonNullable<LiveTile['picture']>, bytes: Uint8Array): Frames {
    if ('width' in picture) {
      const { width, height, type } = picture;
      const pictures = frames instanceof PictureSequence ? frames : new PictureSequence(width, height, type, []);
      pictures.append(new TextDecoder().decode(bytes));
      return pictures;
    }
    if (!this.screen) throw new Error('its screen is missing');
    const { width, height, palette, aspect } = this.screen;
    const pixels = frames instanceof FrameSequence ? frames : new FrameSequence(width, height, palette, aspect);
    const words = new Uint32Array(bytes.buffer);
    if (picture.type === 'changes') pixels.appendChange(words);
    else pixels.append(words);
    return pixels;
  }

  /** Shows the first picture of a rollout. */
  private begin(index: number, frames: Frames): void {
    if (frames instanceof FrameSequence && !this.canvas) {
      this.canvas = new WallCanvas(frames, this.tiles.length);
      this.place.prepend(this.canvas.node);
    }
    this.tiles[index].begin(frames);
    if (frames instanceof FrameSequence) this.canvas!.set(index, frames);
    const aspect = viewAspect(frames);
    const isNew = this.canvas?.node.style.width === '' || aspect !== this.aspect;
    this.aspect = aspect;
    if (isNew) this.layOut();
  }
}

/** A rollout that plays, with its running return below. Pixels are drawn by the wall's canvas, drawings and texts here. */
class LiveView {
  readonly node: HTMLElement;
  state: 'waits' | 'plays' | 'over' | 'none';
  frames: Frames | null = null;
  private view: FrameView | null = null;
  private readonly picture = element('span', 'joylab-Tile-picture');
  private readonly label: HTMLElement;

  constructor(
    private readonly number: number,
    why: string | undefined,
  ) {
    this.state = why === undefined ? 'waits' : 'none';
    this.picture.append(element('span', 'joylab-Tile-why', why ?? 'waits'));
    this.label = element('span', 'joylab-Tile-reward', '–');
    this.node = element('div', 'joylab-Tile joylab-mod-live', [this.picture, this.label]);
    this.node.setAttribute('role', 'img');
    describe(this.node, `Rollout ${number}: ${why ?? 'waits'}`);
  }

  place(index: number, layout: WallLayout): void {
    placeTile(this.node, this.picture, index, layout);
  }

  /** Shows the first picture, in place of the reason why there was none. */
  begin(frames: Frames): void {
    this.frames = frames;
    if (frames instanceof PictureSequence) {
      this.view = frameView(frames);
      this.view.node.setAttribute('aria-hidden', 'true');
    }
    this.picture.replaceChildren(...(this.view ? [this.view.node] : []));
  }

  show({ return: sum, steps, end }: LiveTile): void {
    this.state = end === undefined ? 'plays' : 'over';
    if (this.frames) this.view?.show(this.frames.count - 1);
    else setText(this.picture.firstElementChild as HTMLElement, end ?? 'begins');
    this.node.classList.toggle('joylab-mod-over', end !== undefined);
    setText(this.label, `return ${formatNumber(sum)}`);
    describe(this.node, `Rollout ${this.number}: ${end ?? 'plays'}, return ${formatNumber(sum)}, ${steps} steps`);
  }

  dispose(): void {
    this.view?.dispose();
  }
}
