import { deflateSync } from 'node:zlib';
import type { EpisodeRecord } from '../../episodes/episode';
import type { EpisodeFrames, EpisodePictures } from '../../episodes/frames';
import { shiftedRows } from '../../episodes/shiftedRows';
import { shownSize } from './aspect';
import { gif } from './gif';
import type { MimeBundle } from '../cellContext';
import { EPISODE_MIME, type EpisodeData } from '../mime';
import type { Picture } from '../report/data';
import { animatedSvg } from './animatedSvg';
import { svgDataUrl, svgImage } from './svgImage';
import { escapeHtml } from '../table';

/** Bytes, before base64, of the frames of a bundle, at most: deflated, and as a GIF. Together with the rest they take less than 200 KB. */
const FRAMES_BUDGET = 76_000;
const GIF_BUDGET = 50_000;
/** The same of drawings as one that moves: their frames, deflated, are far smaller. */
const SVG_BUDGET = 90_000;
/** Characters of JSON that named state may take in a bundle. */
const STATES_BUDGET = 20_000;

/** Steps per second of an environment without a real time. */
const PICTURE_RATE = 6;

/** Returns an episode with its frames, and with its named state, as the player shows it. */
export function episodeData(episode: EpisodeRecord, frames: EpisodeFrames): EpisodeData {
  const { data, frames: bytes } = episodeParts(episode, frames, true);
  return { ...data, frames: base64(bytes) };
}

/** Returns an episode for a view, with its frames apart; with `states` also its named state. */
export function episodeParts(
  episode: EpisodeRecord,
  frames: EpisodeFrames,
  states = false,
): { data: EpisodeData; frames: Uint8Array } {
  const packed = packedFrames(frames);
  const data = { ...withoutFrames(episode, frames), ...(packed.encoding && { encoding: packed.encoding }) };
  return {
    data: states ? { ...data, states: statesOf(episode, frames) } : data,
    frames: packed.bytes,
  };
}

function withoutFrames(episode: EpisodeRecord, frames: EpisodeFrames): EpisodeData {
  return {
    version: 1,
    environment: playedName(episode),
    seed: episode.seed,
    width: frames.width,
    height: frames.height,
    ...(frames.aspect !== undefined && { aspect: frames.aspect }),
    palette: base64(frames.palette),
    fps: stepsPerSecond(frames) / frames.every,
    frameCount: frames.packed?.count ?? framesIn(frames).length,
    every: frames.every,
    frames: '',
    ...(frames.pictures && { pictures: frames.pictures.type }),
    actionNames: [...episode.actionNames],
    actions: [...episode.actions],
    rewards: [...episode.rewards],
    lives: [...episode.lives],
    end: endText(episode),
  };
}

/** Returns the named state by frame; undefined where there is none. The last frame is the end. */
function statesOf({ states, actions }: EpisodeRecord, frames: EpisodeFrames): Record<string, number[]> | undefined {
  const names = Object.keys(states);
  if (names.length === 0) return undefined;
  const count = frames.packed?.count ?? framesIn(frames).length;
  const steps = Array.from({ length: count }, (_, i) =>
    i === count - 1 ? actions.length : Math.min(actions.length, i * frames.every),
  );
  const short = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(5)));
  return Object.fromEntries(names.map((name) => [name, steps.map((step) => short(states[name][step]))]));
}

/**
 * Returns the MIME bundle of an episode: for the player, as a GIF in HTML for
 * other viewers, and as text.
 *
 * #### Notes
 * The bundle stays under 200 KB for an episode of up to a few thousand steps:
 * frames are left out, at equal distances, until it does.
 */
export function episodeBundle(episode: EpisodeRecord, frames: EpisodeFrames): MimeBundle {
  if (framesIn(frames).length === 0) return textBundle(episode, 'It has no frames.');
  const data = smallEpisodeData(episode, frames);
  const { pictures } = frames;
  const last = pictures?.type === 'text/plain' ? `\n${pictures.frames.at(-1)}` : '';
  return {
    [EPISODE_MIME]: data,
    'text/html': pictures ? pictureHtml(episode, frames, pictures) : html(episode, frames),
    'text/plain': caption(episode) + last,
  };
}

/** Returns an episode as its player takes it, with so few frames that they stay under 200 KB. */
export function smallEpisodeData(episode: EpisodeRecord, frames: EpisodeFrames): EpisodeData {
  const count = framesIn(frames).length;
  let [data, take] = [episodeData(episode, frames), 1];
  for (let size = bytesOf(data.frames); size > FRAMES_BUDGET && take < count; size = bytesOf(data.frames)) {
    take = fewer(take, size / FRAMES_BUDGET);
    data = episodeData(episode, thinned(frames, take));
  }
  if (JSON.stringify(data.states)?.length > STATES_BUDGET) delete data.states;
  return data;
}

/** Returns one frame of every `take`; of pictures, also the last. */
function thinned(all: EpisodeFrames, take: number): EpisodeFrames {
  const some = <Frame>(frames: Frame[]): Frame[] => frames.filter((_, i) => i % take === 0);
  const { pictures } = all;
  return {
    ...all,
    every: all.every * take,
    frames: some(all.frames),
    ...(pictures && {
      pictures: {
        ...pictures,
        frames: pictures.frames.filter((_, i, { length }) => i % take === 0 || i === length - 1),
      },
    }),
  };
}

function framesIn({ frames, pictures }: EpisodeFrames): readonly unknown[] {
  return pictures?.frames ?? frames;
}

/** Returns the MIME bundle of an episode without frames: text, with the reason `why`. */
export function textBundle(episode: EpisodeRecord, why: string): MimeBundle {
  return { 'text/plain': `${caption(episode)}\n${why}` };
}

/** Returns an episode in one line: "breakout · seed 1 · 1000 steps · score 26 · truncated: 1000 steps". */
export function caption(episode: EpisodeRecord): string {
  const score = episode.rewards.reduce((sum, reward) => sum + reward, 0);
  const steps = episode.actions.length;
  return [
    playedName(episode),
    `seed ${episode.seed}`,
    `${steps} ${steps === 1 ? 'step' : 'steps'}`,
    `score ${Number(score.toPrecision(12))}`,
    endText(episode),
  ].join(' · ');
}

/** Bytes of a frame, deflated, from which on it is worth looking for rows that move. */
const MANY_CHANGES = 120;

/** Returns the frames zlib-deflated, in the way that takes the fewest bytes. */
function packedFrames(all: EpisodeFrames): { bytes: Uint8Array; encoding?: EpisodeData['encoding'] } {
  const { width, height, frames, pictures, packed } = all;
  if (packed) return { bytes: packed.bytes, encoding: 'changes' };
  if (pictures) return { bytes: deflateSync(JSON.stringify(pictures.frames), { level: 9, memLevel: 9 }) };
  const whole = deflateXored(all);
  if (whole.length < MANY_CHANGES * frames.length || width > 255) return { bytes: whole };
  const moved = deflateSync(shiftedRows(frames, width, height), { level: 8, memLevel: 9 });
  return moved.length < whole.length ? { bytes: moved, encoding: 'rows' } : { bytes: whole };
}

/** Returns the frames one after another, each but the first XORed with the one before it, zlib-deflated. */
function deflateXored({ width, height, frames }: EpisodeFrames): Uint8Array {
  const size = width * height;
  const bytes = new Uint8Array(size * frames.length);
  frames.forEach((frame, i) => bytes.set(frame, i * size));
  // From the end, four pixels at a time when a frame is a multiple of four.
  const words = size % 4 === 0 ? new Uint32Array(bytes.buffer) : bytes;
  const stride = size / words.BYTES_PER_ELEMENT;
  for (let k = words.length - 1; k >= stride; k--) words[k] ^= words[k - stride];
  return deflateSync(bytes, { level: 8, memLevel: 9 });
}

/** Returns drawings as HTML, as an image that moves and that sanitisers do not remove; of texts the last. */
function pictureHtml(episode: EpisodeRecord, all: EpisodeFrames, { type, frames }: EpisodePictures): string {
  const text = escapeHtml(caption(episode));
  const picture =
    type === 'text/plain'
      ? `<pre>${escapeHtml(frames.at(-1)!)}</pre>`
      : svgImage(smallAnimation(all), caption(episode), { width: shownWidth(all) });
  return `<figure style="margin: 0">${picture}<figcaption>${text}</figcaption></figure>`;
}

/** Returns drawings as one that moves, with so few of them that it stays small. */
function smallAnimation(all: EpisodeFrames): string {
  const animation = (take: number): string => {
    const { pictures, every, width, height } = thinned(all, take);
    return animatedSvg(pictures!.frames, { width, height, framesPerSecond: stepsPerSecond(all) / every });
  };
  let take = 1;
  let svg = animation(take);
  while (svg.length > SVG_BUDGET && take < all.pictures!.frames.length) {
    take = fewer(take, svg.length / SVG_BUDGET);
    svg = animation(take);
  }
  return svg;
}

/** Returns the width at which drawings are shown: their own, where it is neither tiny nor wide. */
function shownWidth({ width }: EpisodeFrames): number {
  return Math.min(320, Math.max(200, width));
}

/** Returns a GIF as HTML: sanitisers do not remove an image that contains its data. */
function html(episode: EpisodeRecord, frames: EpisodeFrames): string {
  const text = escapeHtml(caption(episode));
  const { width, height } = shownSize(frames, 2);
  const file = smallGif(frames, GIF_BUDGET);
  return (
    `<figure style="margin: 0"><img alt="${text}" src="data:image/gif;base64,${base64(file)}" width="${width}" height="${height}" style="image-rendering: pixelated">` +
    `<figcaption>${text}</figcaption></figure>`
  );
}

/** Returns frames as a GIF of at most so many bytes: at 8 frames a second, or at fewer. */
function smallGif(frames: EpisodeFrames, bytes: number): Uint8Array {
  const delay = (1000 * frames.every) / stepsPerSecond(frames);
  let take = Math.max(1, Math.round(125 / delay));
  let file = gif(frames, { take, delay });
  while (file.length > bytes && take < frames.frames.length) {
    take = fewer(take, file.length / bytes);
    file = gif(frames, { take, delay });
  }
  return file;
}

/** Returns an episode as pictures for a page without scripts: one that moves, and its last frame. */
export function episodePicture(frames: EpisodeFrames, bytes: number): Picture {
  const { pictures, width, height } = frames;
  if (pictures?.type === 'text/plain')
    return { moving: null, still: null, width, height, text: pictures.frames.at(-1) ?? '' };
  if (pictures) {
    const framesPerSecond = stepsPerSecond(frames) / frames.every;
    const moving = animatedSvg(pictures.frames, { width, height, framesPerSecond });
    return { moving: svgDataUrl(moving), still: svgDataUrl(pictures.frames.at(-1)!), width, height, text: null };
  }
  if (frames.frames.length === 0) return { moving: null, still: null, width, height, text: 'It has no frames.' };
  const url = (file: Uint8Array): string => `data:image/gif;base64,${base64(file)}`;
  const still = gif({ ...frames, frames: frames.frames.slice(-1) }, { take: 1, delay: 100 });
  return { moving: url(smallGif(frames, bytes)), still: url(still), ...shownSize(frames, 2), text: null };
}

/** Returns the next `take` to try, when `take` gave a file that was `times` too large. */
function fewer(take: number, times: number): number {
  return Math.max(take + 1, Math.floor(take * times));
}

/** Returns the name of the environment, or of its game: "breakout". */
function playedName({ environment, options }: EpisodeRecord): string {
  return typeof options.game === 'string' ? options.game : environment;
}

function stepsPerSecond({ stepsPerSecond = PICTURE_RATE }: EpisodeFrames): number {
  return stepsPerSecond;
}

/** Returns the end in words: "error: ReferenceError: x is not defined (line 3)". */
export function endText({ end }: Pick<EpisodeRecord, 'end'>): string {
  const where = end.line === undefined ? '' : ` (line ${end.line})`;
  return end.message === undefined ? end.reason : `${end.reason}: ${end.message}${where}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function bytesOf(text: string): number {
  return (text.length / 4) * 3;
}
