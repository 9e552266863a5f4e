/** The part of gifenc that is used here. */
declare module 'gifenc' {
  import type { GifEncoder } from '../kernel/display/pictures/encodeGif';

  export function GIFEncoder(): GifEncoder;
  export function quantize(rgba: Uint8Array | Uint8ClampedArray, colours: number): number[][];
  export function applyPalette(rgba: Uint8Array | Uint8ClampedArray, palette: number[][]): Uint8Array;
}
