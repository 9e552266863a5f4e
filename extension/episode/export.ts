import { applyPalette, GIFEncoder, quantize } from 'gifenc';
import { shownSize } from '../../kernel/display/pictures/aspect';
import { encodeGif, type GifFrames } from '../../kernel/display/pictures/encodeGif';
import { packColours } from '../frames/screen';
import type { FrameSequence } from '../frames/sequence';
import { PictureSequence } from '../frames/pictures';
import type { Frames } from '../frames/view';

/** How many times as high as in the game a saved picture of pixels is. */
const SCALE = 2;
/** Frames of a GIF, at most. */
const MOST_FRAMES = 250;

/** Returns a frame as a PNG file, in the shape in which it is shown. */
export async function pngOf(frames: Frames, index: number): Promise<Blob> {
  const canvas = frames instanceof PictureSequence ? await drawn(frames, index) : pixels(frames, index);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser made no picture'))), 'image/png'),
  );
}

/** Returns an episode as a GIF file, in the shape in which it is shown. @param fps frames per second */
export async function gifOf(frames: Frames, fps: number): Promise<Blob> {
  const take = Math.ceil(frames.count / MOST_FRAMES);
  const chosen = Array.from({ length: frames.count }, (_, i) => i).filter(
    (i) => i % take === 0 || i === frames.count - 1,
  );
  const pictures = frames instanceof PictureSequence ? await drawnFrames(frames, chosen) : pixelFrames(frames, chosen);
  const bytes = encodeGif(GIFEncoder, pictures, { take: 1, delay: (1000 * take) / fps });
  return new Blob([bytes as BlobPart], { type: 'image/gif' });
}

function pixels(frames: FrameSequence, index: number): HTMLCanvasElement {
  const cursor = frames.cursor();
  cursor.seek(index);
  const image = new ImageData(frames.width, frames.height);
  const rgba = new Uint32Array(image.data.buffer);
  const colours = packColours(frames.palette);
  for (let i = 0; i < rgba.length; i++) rgba[i] = colours[cursor.pixels[i]];
  const source = newCanvas(frames.width, frames.height);
  source.getContext('2d')!.putImageData(image, 0, 0);
  const { width, height } = shownSize(frames, SCALE);
  const canvas = newCanvas(width, height);
  const context = canvas.getContext('2d')!;
  context.imageSmoothingEnabled = false;
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

function pixelFrames(frames: FrameSequence, chosen: number[]): GifFrames {
  const { width, height } = shownSize(frames, SCALE);
  const from = Uint32Array.from({ length: width * height }, (_, i) => {
    const x = Math.floor(((i % width) * frames.width) / width);
    const y = Math.floor((Math.floor(i / width) * frames.height) / height);
    return y * frames.width + x;
  });
  const cursor = frames.cursor();
  const all = chosen.map((index) => {
    cursor.seek(index);
    return Uint8Array.from(from, (at) => cursor.pixels[at]);
  });
  return { width, height, palette: frames.palette, frames: all };
}

/** Returns a drawing as a canvas, on white where it is transparent. */
async function drawn(frames: PictureSequence, index: number): Promise<HTMLCanvasElement> {
  const image = new Image();
  image.src = frames.source(index);
  await image.decode();
  const canvas = newCanvas(frames.width * SCALE, frames.height * SCALE);
  const context = canvas.getContext('2d')!;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

async function drawnFrames(frames: PictureSequence, chosen: number[]): Promise<GifFrames> {
  const pictures: ImageData[] = [];
  for (const index of chosen) {
    const canvas = await drawn(frames, index);
    pictures.push(canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height));
  }
  // The colours of the last picture, and of the first: a board fills up.
  const ends = [pictures[0], pictures.at(-1)!];
  const both = new Uint8Array(ends[0].data.length + ends[1].data.length);
  both.set(ends[0].data);
  both.set(ends[1].data, ends[0].data.length);
  const palette = quantize(both, 250);
  return {
    width: pictures[0].width,
    height: pictures[0].height,
    palette: Uint8Array.from(palette.flatMap((colour) => colour.slice(0, 3))),
    frames: pictures.map(({ data }) => applyPalette(data, palette)),
  };
}

function newCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
