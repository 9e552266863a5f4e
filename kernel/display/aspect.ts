/** An Atari line has 160 pixels, and its picture fills a 4:3 screen. */
const ATARI_WIDTH = 160;
const ATARI_HEIGHTS = { least: 192, most: 250 };

/** Width divided by height of a picture of so many pixels as it should appear: a television's for Atari's screen, else that of square pixels. */
export function aspectRatio(width: number, height: number): number {
  return width === ATARI_WIDTH && height >= ATARI_HEIGHTS.least && height <= ATARI_HEIGHTS.most
    ? 4 / 3
    : width / height;
}

/** The size at which a picture of so many pixels should appear, `scale` pixels high for each of its own. */
export function shownSize(width: number, height: number, scale: number): { width: number; height: number } {
  return { width: Math.round(height * scale * aspectRatio(width, height)), height: height * scale };
}
