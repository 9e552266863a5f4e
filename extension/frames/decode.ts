import type { EpisodeData } from '../../kernel/display/mime';
import { PictureSequence } from './pictures';
import { RowAssembler } from './rows';
import { FrameSequence } from './sequence';
import type { Frames } from './view';

/** Largest frame in pixels, and largest number of frames: the data may come from anywhere. */
const MAX_PIXELS = 1 << 22;
const MAX_FRAMES = 1_000_000;

/**
 * Unpacks the frames of an episode.
 *
 * @param deflated the compressed frames, where they are not in `data.frames`
 * @throws Error that says, in words for the user, what is wrong with the data
 */
export async function decodeFrames(data: EpisodeData, deflated?: Uint8Array): Promise<Frames> {
  checkEpisode(data);
  if (data.pictures) return decodePictures(data, data.pictures, deflated ?? fromBase64(data.frames, 'frames'));
  const palette = fromBase64(data.palette, 'palette');
  if (palette.length === 0 || palette.length % 3 !== 0)
    throw new Error('its palette is not made of 3 bytes per colour');
  const packed = deflated ?? fromBase64(data.frames, 'frames');
  if (packed.length === 0) throw new Error('it has no frames');
  const sequence = new FrameSequence(data.width, data.height, palette, data.aspect);
  if (data.encoding === 'changes') {
    sequence.appendChanges(await inflateWords(packed), data.frameCount);
    return sequence;
  }
  if (data.encoding !== undefined && data.encoding !== 'rows')
    throw new Error('its frames are packed in an unknown way');
  await inflate(packed, new (data.encoding === 'rows' ? RowAssembler : Assembler)(sequence, data.frameCount));
  if (sequence.count < data.frameCount)
    throw new Error(`its frames are cut off after ${sequence.count} of ${data.frameCount}`);
  return sequence;
}

async function decodePictures(
  { width, height, frameCount }: EpisodeData,
  type: NonNullable<EpisodeData['pictures']>,
  packed: Uint8Array,
): Promise<PictureSequence> {
  if (type !== 'image/svg+xml' && type !== 'text/plain') throw new Error('its pictures are of an unknown type');
  const stream = new Blob([packed as BlobPart]).stream().pipeThrough(new DecompressionStream('deflate'));
  const pictures: unknown = await new Response(stream).json().catch(() => undefined);
  if (
    !Array.isArray(pictures) ||
    pictures.length !== frameCount ||
    pictures.some((picture) => typeof picture !== 'string')
  )
    throw new Error('its pictures are not complete');
  return new PictureSequence(width, height, type, pictures);
}

function checkEpisode(data: EpisodeData): void {
  if (typeof data !== 'object' || data === null) throw new Error('it is not an object');
  if (data.version !== 1) throw new Error(`it has version ${data.version}, this player knows version 1`);
  for (const name of ['width', 'height', 'frameCount', 'every'] as const) {
    if (!Number.isInteger(data[name]) || data[name] < 1) throw new Error(`its ${name} is not a positive whole number`);
  }
  if (data.width * data.height > MAX_PIXELS)
    throw new Error(`its frames of ${data.width} × ${data.height} pixels are too large`);
  if (data.frameCount > MAX_FRAMES) throw new Error(`its ${data.frameCount} frames are too many`);
  if (data.aspect !== undefined && !(data.aspect > 0)) throw new Error('its aspect is not a positive number');
  if (!(data.fps > 0)) throw new Error('its fps is not a positive number');
  for (const name of ['actionNames', 'actions', 'rewards', 'lives'] as const) {
    if (!Array.isArray(data[name])) throw new Error(`its ${name} are missing`);
  }
}

/** Returns the bytes of base64. Throws an Error that says what is wrong. @param what its name, in words for the user */
export function fromBase64(text: unknown, what: string): Uint8Array {
  if (typeof text !== 'string') throw new Error(`its ${what} are missing`);
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new Error(`its ${what} are not valid base64`);
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Bytes of inflated changes, at most. */
const MAX_CHANGES = 1 << 29;

async function inflateWords(packed: Uint8Array): Promise<Uint32Array> {
  return new Uint32Array((await inflateAll(packed)).buffer);
}

/** Returns inflated bytes, filled up to words of 32 bits. Throws an Error that says, in words for the user, what is wrong with them. */
export async function inflateAll(packed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([packed as BlobPart]).stream().pipeThrough(new DecompressionStream('deflate'));
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (const reader = stream.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.length;
      if (size > MAX_CHANGES) throw new Error('its frames are too large');
    }
  } catch (error) {
    throw error instanceof TypeError ? new Error('its frames are not a valid zlib stream') : error;
  }
  const bytes = new Uint8Array(size + 3 - ((size + 3) % 4));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function inflate(packed: Uint8Array, sink: { write(bytes: Uint8Array): boolean }): Promise<void> {
  const source = new Blob([packed as BlobPart]).stream().pipeThrough(new DecompressionStream('deflate'));
  const reader = source.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (!sink.write(value)) return;
    }
  } catch (error) {
    throw error instanceof TypeError ? new Error('its frames are not a valid zlib stream') : error;
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

/** Cuts the inflated bytes into frames. */
class Assembler {
  private readonly words: Uint32Array;
  private readonly frame: Uint8Array;
  private filled = 0;

  constructor(
    private readonly sequence: FrameSequence,
    private readonly frameCount: number,
  ) {
    this.words = new Uint32Array(sequence.words);
    this.frame = new Uint8Array(this.words.buffer, 0, sequence.width * sequence.height);
  }

  /** Takes inflated bytes. Returns false once all frames are there: the rest is ignored, however much it inflates to. */
  write(bytes: Uint8Array): boolean {
    let offset = 0;
    while (offset < bytes.length) {
      const part = bytes.subarray(offset, offset + this.frame.length - this.filled);
      this.frame.set(part, this.filled);
      this.filled += part.length;
      offset += part.length;
      if (this.filled < this.frame.length) return true;
      this.filled = 0;
      this.sequence.append(this.words);
      if (this.sequence.count === this.frameCount) return false;
    }
    return true;
  }
}
