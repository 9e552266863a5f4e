import { atariPalette } from '../environments/atari/palette';
import { SCREEN_HEIGHT, SCREEN_WIDTH } from '../environments/atari/frame';

/** Frames of an episode: palette indices, or pictures. */
export interface EpisodeFrames {
  /** Pixels. */
  width: number;
  height: number;
  /** 3 bytes (red, green, blue) per colour. */
  palette: Uint8Array;
  /** Frame 0 is the reset, frame i follows step i × `every`. */
  every: number;
  /** `height × width` palette indices each, row by row. */
  frames: Uint8Array[];
  /**
   * In place of `frames` where an environment is drawn or told: SVG pictures,
   * or texts, whose width and height are in characters. Frame 0 is the reset.
   */
  pictures?: EpisodePictures;
}

/** Frames as SVG or as text. */
export interface EpisodePictures {
  type: 'image/svg+xml' | 'text/plain';
  frames: string[];
}

/** Frames of the Atari game of an episode's options. */
export function atariFrames({ game }: { game?: unknown }, frames: Uint8Array[], every: number): EpisodeFrames {
  return { width: SCREEN_WIDTH, height: SCREEN_HEIGHT, palette: atariPalette(String(game)), every, frames };
}

/** How many steps lie between the frames of a film of so many steps: it has 500 frames at most. */
export function filmEvery(steps: number): number {
  return Math.min(255, Math.max(1, Math.ceil(steps / 500)));
}
