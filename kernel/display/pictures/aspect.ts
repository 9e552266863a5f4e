/** Pixels of a picture, and its aspect ratio. */
export interface PictureSize {
  width: number;
  height: number;
  /** Width divided by height of the picture as it should appear. Default: that of square pixels. */
  aspect?: number;
}

/** Returns width divided by height of a picture as it should appear. */
export function aspectRatio({ width, height, aspect = width / height }: PictureSize): number {
  return aspect;
}

/** Returns the size in CSS pixels at which a picture should appear: `scale` times as high as it is. */
export function shownSize(picture: PictureSize, scale: number): { width: number; height: number } {
  const height = picture.height * scale;
  return { width: Math.round(height * aspectRatio(picture)), height };
}
