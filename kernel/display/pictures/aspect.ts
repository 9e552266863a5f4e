/** Pixels of a picture, and its form. */
export interface PictureSize {
  width: number;
  height: number;
  /** Width divided by height of the picture as it should appear. Default: that of square pixels. */
  aspect?: number;
}

/** Width divided by height of a picture as it should appear. */
export function aspectRatio({ width, height, aspect = width / height }: PictureSize): number {
  return aspect;
}

/** The size at which a picture should appear, `scale` pixels high for each of its own. */
export function shownSize(picture: PictureSize, scale: number): { width: number; height: number } {
  const height = picture.height * scale;
  return { width: Math.round(height * aspectRatio(picture)), height };
}
