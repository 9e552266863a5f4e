import type { EpisodeEnd } from './episode';

/** The pixels on which pictures of palette indices are shown. */
export interface PixelScreen {
  width: number;
  height: number;
  /** Width divided by height of a frame as it should appear. Default: that of square pixels. */
  aspect?: number;
  /** 3 bytes (red, green, blue) per colour. */
  palette: Uint8Array;
}

/** An episode as it is now, while it plays. */
export interface LiveEpisode {
  /** Steps so far, and the sum of their rewards. */
  steps: number;
  return: number;
  /** How it ended; undefined while it plays. */
  end?: EpisodeEnd;
  /** Palette indices of a {@link PixelScreen}, an SVG or a text; undefined: its last one stays. */
  picture?: Uint8Array | string;
}

/** What looks on while episodes play. */
export interface LiveView {
  /** Number of the first episodes that it may show. */
  readonly count: number;
  /** Number of the first of these that somebody looks at now: of others, no picture is made. */
  readonly wanted: number;
  /** Called when an episode begins or ends, and a few times a second while somebody looks at it. */
  show(index: number, episode: LiveEpisode, screen?: PixelScreen): void;
}
