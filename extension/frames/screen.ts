import { aspectRatio } from '../../kernel/display/pictures/aspect';
import type { FrameSequence } from './sequence';

/**
 * A canvas that shows palette indices. Pixels are enlarged by a whole factor without
 * smoothing, and the browser fits the result to the size of the element: sharp at
 * every size, with all pixels alike.
 */
export class Screen {
  readonly node = document.createElement('canvas');
  private readonly source = document.createElement('canvas');
  private readonly image: ImageData;
  private readonly rgba: Uint32Array;
  private readonly colours: Uint32Array;
  private readonly observer: ResizeObserver;

  constructor(private readonly frames: FrameSequence) {
    const { width, height } = frames;
    this.source.width = this.node.width = width;
    this.source.height = this.node.height = height;
    this.image = new ImageData(width, height);
    this.rgba = new Uint32Array(this.image.data.buffer);
    this.colours = packColours(frames.palette);
    this.node.className = 'joylab-Screen';
    this.node.setAttribute('role', 'img');
    this.node.style.aspectRatio = String(aspectRatio(frames));
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.node);
  }

  /** Shows a frame of `height × width` palette indices; further ones are ignored. */
  show(pixels: Uint8Array): void {
    const { rgba, colours } = this;
    for (let i = 0; i < rgba.length; i++) rgba[i] = colours[pixels[i]];
    this.source.getContext('2d')!.putImageData(this.image, 0, 0);
    this.draw();
  }

  dispose(): void {
    this.observer.disconnect();
  }

  private draw(): void {
    const context = this.node.getContext('2d')!;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.source, 0, 0, this.node.width, this.node.height);
  }

  private fit(): void {
    const { width, height } = this.frames;
    const scale = window.devicePixelRatio || 1;
    const across = width * factor(this.node.clientWidth * scale, width);
    const down = height * factor(this.node.clientHeight * scale, height);
    if (across === this.node.width && down === this.node.height) return;
    this.node.width = across;
    this.node.height = down;
    this.draw();
  }
}

/** Returns the smallest whole factor, up to 8, by which `size` pixels fill `place` pixels. */
function factor(place: number, size: number): number {
  return Math.min(8, Math.max(1, Math.ceil(place / size)));
}

/** Returns the palette's colours as opaque little-endian pixels of a canvas; indices outside the palette are black. */
export function packColours(palette: Uint8Array): Uint32Array {
  const colours = new Uint32Array(256).fill(0xff000000);
  for (let i = 0; i * 3 + 2 < palette.length && i < 256; i++) {
    colours[i] = 0xff000000 | (palette[i * 3 + 2] << 16) | (palette[i * 3 + 1] << 8) | palette[i * 3];
  }
  return colours;
}
