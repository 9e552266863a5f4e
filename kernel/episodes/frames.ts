import type { PackedFrames } from './changes';
import { svgSize } from './svg';
import type { EpisodeRecord } from './episode';
import { observationText } from './observationText';

/** Frames of an episode: palette indices, SVG or text. */
export interface EpisodeFrames {
  /** Pixels. */
  width: number;
  height: number;
  /** Width divided by height of a frame as it should appear. Default: that of square pixels. */
  aspect?: number;
  /** 3 bytes (red, green, blue) per colour. */
  palette: Uint8Array;
  /** Frame 0 is the reset, frame i follows step i × `every`. */
  every: number;
  /** `height × width` palette indices each, row by row. */
  frames: Uint8Array[];
  /** In place of `frames`, where they were wanted packed. */
  packed?: PackedFrames;
  /** Steps per second in real time, where the environment has one. */
  stepsPerSecond?: number;
  /**
   * In place of `frames` for environments that render SVG or text; `width` and
   * `height` of texts are in characters. Frame 0 is the reset, the last one is
   * the end.
   */
  pictures?: EpisodePictures;
}

/** Frames as SVG or as text. */
export interface EpisodePictures {
  type: 'image/svg+xml' | 'text/plain';
  frames: string[];
}

/** Returns the steps between two frames of an episode of `steps` steps, so that it has at most 500 frames. */
export function frameInterval(steps: number): number {
  return Math.min(255, Math.max(1, Math.ceil(steps / 500)));
}

/** Returns SVG pictures as frames; the first gives the size of all. */
export function svgFrames(frames: string[], every: number): EpisodeFrames {
  return { ...noFrames(every), ...svgSize(frames[0]), pictures: { type: 'image/svg+xml', frames } };
}

/** Returns the frames of an episode without pictures: its observations as text, after each `every` steps and at the end. */
export function observationFrames(
  { observations, actions }: EpisodeRecord,
  every = frameInterval(actions.length),
): EpisodeFrames {
  if (!observations) return noFrames(every);
  const chosen = observations.filter((_, step) => step % every === 0 || step === actions.length);
  const frames = chosen.map((observation) =>
    observation ? observationText(observation) : '(left out: the observations are large)',
  );
  const lines = frames.map((text) => text.split('\n'));
  const width = Math.max(1, ...lines.map((them) => Math.max(...them.map((line) => line.length))));
  return {
    ...noFrames(every),
    width,
    height: Math.max(1, ...lines.map((them) => them.length)),
    pictures: { type: 'text/plain', frames },
  };
}

function noFrames(every: number): EpisodeFrames {
  return { width: 0, height: 0, palette: new Uint8Array(), every, frames: [] };
}
