import { crc32, deflateSync } from 'node:zlib';
import type { PictureSize } from '../../display/pictures/aspect';

/** A picture of palette indices, one byte per pixel, row by row. */
export interface IndexedImage extends PictureSize {
  pixels: Uint8Array;
  /** 3 bytes (red, green, blue) per colour, 256 colours at most. */
  palette: Uint8Array;
}

/** A picture of red, green and blue, 3 bytes per pixel, row by row. */
export type RgbImage = Omit<IndexedImage, 'palette'>;

/** Returns a picture as a PNG file, scaled to `size` pixels without smoothing. */
export function png(image: IndexedImage, size: PictureSize = image): Uint8Array {
  const rows = scaledRows(image, size);
  return pngFile(size, PALETTE, [chunk('PLTE', image.palette), chunk('IDAT', deflateSync(rows))]);
}

/** Returns a picture as a PNG file. */
export function rgbPng({ width, height, pixels }: RgbImage): Uint8Array {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++)
    rows.set(pixels.subarray(y * 3 * width, (y + 1) * 3 * width), y * (1 + 3 * width) + 1);
  return pngFile({ width, height }, RGB, [chunk('IDAT', deflateSync(rows))]);
}

/** Colour types of PNG. */
const RGB = 2;
const PALETTE = 3;

function pngFile({ width, height }: PictureSize, colourType: number, chunks: Uint8Array[]): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colourType], 8); // 8 bits per value
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...chunks,
    chunk('IEND', new Uint8Array()),
  ]);
}

/** Returns the rows of a PNG: each begins with its filter, 0 for none. */
function scaledRows({ width, height, pixels }: IndexedImage, size: PictureSize): Uint8Array {
  const stride = 1 + size.width;
  const rows = new Uint8Array(stride * size.height);
  for (let y = 0; y < size.height; y++) {
    const from = Math.floor((y * height) / size.height) * width;
    for (let x = 0; x < size.width; x++) rows[y * stride + 1 + x] = pixels[from + Math.floor((x * width) / size.width)];
  }
  return rows;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const size = Buffer.alloc(4);
  const check = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, check]);
}
