import type { PictureSize } from '../../display/pictures/aspect';
import { imageType } from '../../display/pictures/image';
import { rgbPng } from './image';
import { bundleMetadata, type MimeBundle } from '../../display/cellContext';
import { invalidArgument } from '../../openenv/errors';
import { svgSize } from '../../episodes/svg';

/** A picture as a file. */
export interface PictureFile extends Partial<PictureSize> {
  /** MIME type. */
  type: string;
  bytes: Uint8Array;
}

/** Fields that are pictures by their name. */
const PICTURE_NAME =
  /^(screen|screenshot|image|frame|picture|pixels|rgb|render)(_?(rgb|array|image|base64|b64|data|png))?$/i;
/** Pixels on each side of a picture, at least, and characters of base64 of a file, at most. */
const MINIMUM_SIDE = 2;
const MAXIMUM_LENGTH = 30_000_000;

/** Returns what the `render()` of a class returned as a file: SVG text, or the bytes of an image; `undefined` when it is neither. */
export function renderedPicture(picture: unknown): PictureFile | undefined {
  if (typeof picture === 'string')
    return picture.includes('<svg')
      ? { ...svgSize(picture), type: 'image/svg+xml', bytes: Buffer.from(picture) }
      : undefined;
  return picture instanceof Uint8Array ? imageFile(picture) : undefined;
}

/** Returns a picture of an environment as it is displayed. Throws `INVALID_ARGUMENT` when there is none. */
export function pictureBundle(picture: PictureFile | undefined, name: string): MimeBundle {
  if (!picture)
    throw invalidArgument(
      `'${name}' has no picture now: a class in the notebook draws it in render(), which needs an episode (reset); a server sends it in its observation.`,
    );
  const { type, bytes } = picture;
  const file = Buffer.from(bytes);
  const text = `A picture of ${name}`;
  return {
    [type]: type === 'image/svg+xml' ? file.toString() : file.toString('base64'),
    'text/plain': text,
    [bundleMetadata]: { [type]: { alt: text } },
  };
}

/** Returns whether a schema of observations has a field that is a picture by its name or its media type. */
export function hasPicture(observation: Record<string, any> | undefined): boolean {
  return Object.entries<any>(observation?.properties ?? {}).some(
    ([name, field]) => PICTURE_NAME.test(name) || /^image\//.test(field?.contentMediaType ?? ''),
  );
}

/**
 * Returns the first picture in an observation: an image file in base64 or as a
 * data URL, SVG text, or pixels by rows (grey, or red, green and blue, from 0 to
 * 255), nested or in one list beside `<name>_shape`; `undefined` when there is
 * none.
 */
export function observationPicture(observation: unknown): PictureFile | undefined {
  if (typeof observation !== 'object' || observation === null) return undefined;
  for (const [name, value] of Object.entries(observation)) {
    const shape = (observation as Record<string, unknown>)[`${name}_shape`];
    const picture =
      typeof value === 'string'
        ? textPicture(value)
        : Array.isArray(value)
          ? pixelPicture(value, shape, PICTURE_NAME.test(name))
          : undefined;
    if (picture) return picture;
  }
  return undefined;
}

function textPicture(text: string): PictureFile | undefined {
  if (text.length > MAXIMUM_LENGTH) return undefined;
  if (/^\s*(<\?xml[^>]*>\s*)?<svg\b/.test(text)) return renderedPicture(text);
  const encoded = /^data:image\/[\w.+-]+;base64,(.*)$/s.exec(text)?.[1] ?? text;
  // The first characters of files of the image formats.
  return /^(iVBOR|\/9j\/|R0lGOD|UklGR)/.test(encoded) ? imageFile(Buffer.from(encoded, 'base64')) : undefined;
}

/** Returns pixels as a picture: those of 3 or 4 channels under any name, grey ones only when `named` as a picture. */
function pixelPicture(value: unknown[], given: unknown, named: boolean): PictureFile | undefined {
  const isShape = Array.isArray(given) && given.every((side) => Number.isInteger(side) && side > 0);
  const shape: number[] = isShape ? given : shapeOf(value);
  const [height, width, channels = 1] = shape;
  if (shape.length < 2 || shape.length > 3 || ![1, 3, 4].includes(channels) || Math.min(height, width) < MINIMUM_SIDE)
    return undefined;
  if (channels === 1 && !named) return undefined;
  const flat = value.flat(2);
  if (flat.length !== height * width * channels || !flat.every((it) => typeof it === 'number' && it >= 0 && it <= 255))
    return undefined;
  const rgb = new Uint8Array(3 * height * width);
  for (let i = 0; i < height * width; i++) {
    for (let channel = 0; channel < 3; channel++)
      rgb[3 * i + channel] = flat[i * channels + Math.min(channel, channels - 1)] as number;
  }
  return { width, height, type: 'image/png', bytes: rgbPng({ width, height, pixels: rgb }) };
}

/** Returns the lengths of nested lists, those of the first members. */
function shapeOf(value: unknown): number[] {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  return shape;
}

/** Returns an image file, without a size: it is shown in its own. */
function imageFile(bytes: Uint8Array): PictureFile | undefined {
  const type = imageType(bytes);
  return type ? { type, bytes } : undefined;
}
