/** Options of {@link gif}. */
export interface GifOptions {
  /** The GIF has one of `take` frames, and the last. */
  take: number;
  /** Milliseconds from one of the given frames to the next. */
  delay: number;
}

/** Milliseconds that the last frame is shown before the GIF begins again. */
const PAUSE = 1500;

/**
 * Returns an endless GIF in the frames' own colours, without loss. Each frame
 * after the first holds only the rectangle that changed, and in it only the
 * pixels that did.
 *
 * @throws RangeError when the frames have more than 255 colours
 */
export function encodeGif(
  newEncoder: () => GifEncoder,
  { width, height, palette, frames }: GifFrames,
  { take, delay }: GifOptions,
): Uint8Array {
  const chosen = frames.filter((_, i) => i % take === 0 || i === frames.length - 1);
  const colours = coloursOf(chosen, palette);
  const encoder = newEncoder();
  // Index 0 is transparent: the pixel of the frame before shows through.
  const rgb = [[0, 0, 0], ...colours.rgb];
  const colorDepth = Math.max(2, Math.ceil(Math.log2(rgb.length)));
  const options = { transparent: true, transparentIndex: 0, dispose: 1, colorDepth };
  let shown: Uint8Array | undefined;
  let wait = 0;
  chosen.forEach((frame, i) => {
    const last = i === chosen.length - 1;
    // GIFs count in hundredths of a second: the remainder of rounding is added to the next frame.
    const exact = wait + delay * take;
    const shownFor = last ? PAUSE : Math.round(exact / 10) * 10;
    wait = exact - shownFor;
    const picture = shown ? changes(shown, frame, width, height) : { x: 0, y: 0, width, height };
    const indices = cut(picture, frame, shown, width, colours.indexOf);
    const start = encoder.bytesView().length;
    encoder.writeFrame(indices, picture.width, picture.height, {
      ...options,
      delay: shownFor,
      ...(shown ? {} : { palette: rgb, repeat: 0 }),
    });
    if (shown) place(encoder.bytesView(), start, picture.x, picture.y);
    shown = frame;
  });
  encoder.finish();
  return encoder.bytes();
}

/** The frames of a GIF: `height × width` palette indices each, row by row, and 3 bytes (red, green, blue) per colour. */
export interface GifFrames {
  width: number;
  height: number;
  palette: Uint8Array;
  frames: Uint8Array[];
}

/** The part of gifenc that is used here. */
export interface GifEncoder {
  writeFrame(indices: Uint8Array, width: number, height: number, options: object): void;
  finish(): void;
  bytes(): Uint8Array;
  bytesView(): Uint8Array;
}

/** Writes a frame's position into its image descriptor, after the 8 bytes of the graphic control extension: gifenc leaves it 0. */
function place(bytes: Uint8Array, start: number, x: number, y: number): void {
  bytes.set([x & 255, x >> 8, y & 255, y >> 8], start + 9);
}

/** Returns the colours that occur, from index 1; palette entries of one colour share an index. */
function coloursOf(frames: Uint8Array[], palette: Uint8Array): { rgb: number[][]; indexOf: Uint8Array } {
  const used = new Uint8Array(256);
  for (const frame of frames) for (let i = 0; i < frame.length; i++) used[frame[i]] = 1;
  const rgb: number[][] = [];
  const indexOf = new Uint8Array(256);
  const known = new Map<string, number>();
  used.forEach((isUsed, entry) => {
    if (!isUsed) return;
    const colour = [...palette.subarray(3 * entry, 3 * entry + 3)];
    let index = known.get(colour.join());
    if (index === undefined) known.set(colour.join(), (index = rgb.push(colour)));
    indexOf[entry] = index;
  });
  if (rgb.length > 255)
    throw new RangeError(`A GIF of these frames would need ${rgb.length + 1} colours; it has 256 at most.`);
  return { rgb, indexOf };
}

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Returns the smallest rectangle with all pixels that differ; one pixel when none does. */
function changes(before: Uint8Array, after: Uint8Array, width: number, height: number): Rectangle {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (before[i] === after[i]) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  return right < 0
    ? { x: 0, y: 0, width: 1, height: 1 }
    : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Returns the pixels of the rectangle, row by row; those that have not changed are transparent. */
function cut(
  { x, y, width, height }: Rectangle,
  frame: Uint8Array,
  before: Uint8Array | undefined,
  stride: number,
  indexOf: Uint8Array,
): Uint8Array {
  const pixels = new Uint8Array(width * height);
  for (let row = 0, to = 0; row < height; row++) {
    const from = (y + row) * stride + x;
    for (let column = 0; column < width; column++, to++) {
      const value = frame[from + column];
      if (!before || before[from + column] !== value) pixels[to] = indexOf[value];
    }
  }
  return pixels;
}
