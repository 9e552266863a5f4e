import type { Screen } from '../vectorEnv';
import { resolveAtariOptions } from './options';
import { atariPalette } from './palette';

/** Size of an Atari screen, in pixels. */
export const SCREEN_WIDTH = 160;
export const SCREEN_HEIGHT = 210;
/** The aspect ratio of a television, whose screen the picture fills. */
export const SCREEN_ASPECT = 4 / 3;

/** Frames per second of a television. */
const FRAME_RATE = 60;

/** Returns the screen of a game with these options. */
export function atariScreen(options: object): Screen {
  const { game, frameSkip } = resolveAtariOptions(options);
  return {
    width: SCREEN_WIDTH,
    height: SCREEN_HEIGHT,
    aspect: SCREEN_ASPECT,
    palette: atariPalette(game),
    stepsPerSecond: FRAME_RATE / frameSkip,
  };
}
