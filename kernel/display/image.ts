import { readFileSync } from 'node:fs';
import type { MimeBundle } from './host';

/** How files of an image format begin. */
const SIGNATURES: Array<[type: string, test: (bytes: Buffer) => boolean]> = [
  ['image/png', (bytes) => bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))],
  ['image/jpeg', (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff],
  ['image/gif', (bytes) => /^GIF8[79]a/.test(bytes.toString('latin1', 0, 6))],
  ['image/webp', (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP'],
];

/** The MIME type of an image file's bytes; `null` where they are no image. */
export function imageType(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16));
  return SIGNATURES.find(([, test]) => test(start))?.[0] ?? null;
}

/**
 * An image, to be displayed: `image(png)` at the end of a cell, or `display(image('plot.png'))`.
 *
 * @param source the bytes of a PNG, JPEG, GIF or WebP file, or the path of one, or of an SVG file
 */
export function image(source: Uint8Array | string): MimeBundle {
  if (typeof source === 'string' && /\.svg$/i.test(source)) return { 'image/svg+xml': readFileSync(source, 'utf8'), 'text/plain': source };
  const bytes = typeof source === 'string' ? readFileSync(source) : source;
  const type = imageType(bytes);
  if (!type) throw new TypeError('image() takes the bytes or the path of a PNG, JPEG, GIF or WebP file, or the path of an SVG file.');
  return { [type]: Buffer.from(bytes).toString('base64'), 'text/plain': typeof source === 'string' ? source : `${type}, ${bytes.length} bytes` };
}
