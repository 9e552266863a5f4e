import { packColours } from '../../frames/screen';
import type { Change, FrameCursor, FrameSequence } from '../../frames/sequence';
import type { WallLayout } from './layout';

/** A tile's frames, and where its picture is in the canvas, in pixels. */
interface Tile {
  frames: FrameSequence;
  cursor: FrameCursor;
  colours: Uint32Array;
  x: number;
  y: number;
}

/**
 * All pictures of a wall in one canvas, in the pixels of the games: the browser fits it
 * to the page. Only pixels that change are computed and handed over, so that a frame of
 * dozens of games costs less than one picture drawn whole.
 */
export class WallCanvas {
  readonly node = document.createElement('canvas');
  private readonly context: CanvasRenderingContext2D;
  private readonly tiles: Array<Tile | null>;
  private layout: WallLayout | null = null;
  private image = new ImageData(1, 1);
  private rgba = new Uint32Array(1);
  private readonly width: number;
  private readonly height: number;

  /**
   * @param size that of all frames
   * @param count number of tiles, with and without a picture here
   */
  constructor({ width, height }: Pick<FrameSequence, 'width' | 'height'>, count: number) {
    [this.width, this.height] = [width, height];
    this.node.className = 'joylab-Wall-canvas';
    // The buttons over it say what it shows.
    this.node.setAttribute('aria-hidden', 'true');
    this.context = this.node.getContext('2d')!;
    this.tiles = Array<Tile | null>(count).fill(null);
  }

  /** Gives a tile its frames, which may grow. */
  set(index: number, frames: FrameSequence): void {
    const tile: Tile = { frames, cursor: frames.cursor(), colours: packColours(frames.palette), x: 0, y: 0 };
    this.tiles[index] = tile;
    if (!this.layout) return;
    this.moveTo(tile, index, this.layout);
    this.context.putImageData(this.image, 0, 0, tile.x, tile.y, this.width, this.height);
  }

  /** Puts the pictures where the layout has them. */
  place(layout: WallLayout): void {
    const { node } = this;
    const { columns, rows, width, height, across, down } = layout;
    this.layout = layout;
    const [scaleX, scaleY] = [this.width / width, this.height / height];
    node.width = Math.ceil(((columns - 1) * across + width) * scaleX);
    node.height = Math.ceil(((rows - 1) * down + height) * scaleY);
    node.style.width = `${node.width / scaleX}px`;
    node.style.height = `${node.height / scaleY}px`;
    // Enlarged pixels are sharp; made smaller, a thin line must not get lost.
    node.classList.toggle('joylab-mod-enlarged', width * (window.devicePixelRatio || 1) >= this.width);
    this.image = new ImageData(node.width, node.height);
    this.rgba = new Uint32Array(this.image.data.buffer);
    this.tiles.forEach((tile, i) => {
      if (tile) this.moveTo(tile, i, layout);
    });
    this.context.putImageData(this.image, 0, 0);
  }

  /** Shows the frame `index` of each tile, or its last. */
  show(index: number): void {
    for (const tile of this.tiles) if (tile) this.move(tile, Math.min(index, tile.frames.count - 1));
  }

  private moveTo(tile: Tile, index: number, { columns, width, height, across, down }: WallLayout): void {
    tile.x = Math.round(((index % columns) * across * this.width) / width);
    tile.y = Math.round((Math.floor(index / columns) * down * this.height) / height);
    this.paintWhole(tile);
  }

  private move(tile: Tile, index: number): void {
    const { width, rgba, image } = this;
    const { pixels } = tile.cursor;
    let [left, right, top, bottom] = [Infinity, -1, Infinity, -1];
    const paint = (change: Change): void => {
      for (let i = 0; i < change.length; i += 2) {
        const first = change[i] * 4;
        const y = Math.floor(first / width);
        const x = first - y * width;
        if (y >= this.height) continue;
        const at = (tile.y + y) * image.width + tile.x + x;
        for (let k = 0; k < 4; k++) rgba[at + k] = tile.colours[pixels[first + k]];
        if (x < left) left = x;
        if (x + 3 > right) right = x + 3;
        if (y < top) top = y;
        if (y > bottom) bottom = y;
      }
    };
    if (!tile.cursor.seek(index, width % 4 === 0 ? paint : undefined)) return;
    if (width % 4 !== 0) {
      this.paintWhole(tile);
      [left, right, top, bottom] = [0, width - 1, 0, this.height - 1];
    }
    if (right >= 0)
      this.context.putImageData(image, 0, 0, tile.x + left, tile.y + top, right - left + 1, bottom - top + 1);
  }

  private paintWhole({ x, y, cursor, colours }: Tile): void {
    for (let row = 0, from = 0; row < this.height; row++) {
      const to = (y + row) * this.image.width + x;
      for (let column = 0; column < this.width; column++, from++) this.rgba[to + column] = colours[cursor.pixels[from]];
    }
  }
}
