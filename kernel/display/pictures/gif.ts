import { encodeGif, type GifEncoder, type GifFrames, type GifOptions } from './encodeGif';

/** Returns frames as an endless GIF: see {@link encodeGif}. */
export function gif(frames: GifFrames, options: GifOptions): Uint8Array {
  // Loaded with the first GIF.
  const { GIFEncoder } = require('gifenc') as { GIFEncoder: () => GifEncoder };
  return encodeGif(GIFEncoder, frames, options);
}
