import { readFileSync } from 'node:fs';
import { bundleMetadata, type MimeBundle } from '../cellContext';
import { svgText } from './svgBundle';

/** The first bytes of each image format. */
const SIGNATURES: Array<[type: string, test: (bytes: Buffer) => boolean]> = [
  ['image/png', (bytes) => bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))],
  ['image/jpeg', (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff],
  ['image/gif', (bytes) => /^GIF8[79]a/.test(bytes.toString('latin1', 0, 6))],
  ['image/webp', (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP'],
];

/** Returns the MIME type of an image file's bytes; `null` when they are not an image, or an SVG. */
export function imageType(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16));
  return SIGNATURES.find(([, test]) => test(start))?.[0] ?? null;
}

/** Options of {@link image}. */
export interface ImageOptions {
  /** Size on the page, in CSS pixels; when one is left out, it follows from the other. */
  width?: number;
  height?: number;
  /** Text in place of the picture, for readers who do not see it. */
  alt?: string;
}

/**
 * Returns the MIME bundle of an image: `image(png)` at the end of a cell, or
 * `display(image('plot.png', { width: 400 }))`.
 *
 * @param source the bytes or the path of a PNG, JPEG, GIF, WebP or SVG file
 * @throws TypeError when the source is not such a file, or an option is not valid
 */
export function image(source: Uint8Array | string, options: ImageOptions = {}): MimeBundle {
  const { alt, ...size } = checked(options);
  const bytes = typeof source === 'string' ? readFileSync(source) : source;
  const plain = alt ?? (typeof source === 'string' ? source : undefined);
  const isNamedSvg = typeof source === 'string' && /\.svg$/i.test(source);
  const svg = isNamedSvg ? String(bytes) : bytes instanceof Uint8Array ? svgText(bytes) : null;
  if (svg !== null)
    return { 'image/svg+xml': sizedSvg(svg, size), ...(plain !== undefined && { 'text/plain': plain }) };
  const type = bytes instanceof Uint8Array ? imageType(bytes) : null;
  if (!type)
    throw new TypeError('image() takes the bytes or the path of a PNG, JPEG, GIF or WebP file, or of an SVG file.');
  const metadata = { ...size, ...(alt !== undefined && { alt }) };
  return {
    [type]: Buffer.from(bytes).toString('base64'),
    'text/plain': plain ?? `${type}, ${bytes.length} bytes`,
    ...(Object.keys(metadata).length > 0 && { [bundleMetadata]: { [type]: metadata } }),
  };
}

function checked(options: ImageOptions): ImageOptions {
  const size: ImageOptions = {};
  for (const [name, value] of Object.entries(options)) {
    if (name !== 'width' && name !== 'height' && name !== 'alt')
      throw new TypeError(`image() has no option ${name}. Valid: width, height. Its description is alt.`);
    if (value === undefined) continue;
    if (name === 'alt') {
      size.alt = String(value);
      continue;
    }
    if (!(typeof value === 'number' && value > 0 && Number.isFinite(value)))
      throw new TypeError(`image(): ${name} is a number of pixels above 0, not ${String(value)}.`);
    size[name] = value;
  }
  return size;
}

/** Returns an SVG with its size as attributes: front ends do not size SVG by metadata. */
function sizedSvg(text: string, size: ImageOptions): string {
  if (Object.keys(size).length === 0) return text;
  return text.replace(/<svg\b[^>]*>/, (tag) => {
    const own = (name: string) => new RegExp(`\\s${name}\\s*=\\s*["']([\\d.]+)(?:px)?["']`).exec(tag)?.[1];
    const others = tag.slice(4).replace(/\s(?:width|height)\s*=\s*(?:"[^"]*"|'[^']*')/g, '');
    // Without a viewBox another size would cut the picture instead of scaling it.
    const box =
      /\sviewBox\s*=/.test(tag) || !own('width') || !own('height')
        ? ''
        : ` viewBox="0 0 ${own('width')} ${own('height')}"`;
    return `<svg${Object.entries(size)
      .map(([name, value]) => ` ${name}="${value}"`)
      .join('')}${box}${others}`;
  });
}
