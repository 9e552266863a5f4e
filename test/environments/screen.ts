/** A box on a frame by its edges in pixels: left, right, top, bottom. */
export type Box = [left: number, right: number, top: number, bottom: number];

const WIDTH = 160;

/** Returns the box around the pixels inside `region` for which `matches` returns true; `undefined` where there are none. */
export function boxOf(
  frame: Uint8Array,
  [left, right, top, bottom]: Box,
  matches: (colour: number) => boolean,
): Box | undefined {
  const box: Box = [right, left, bottom, top];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      if (!matches(frame[y * WIDTH + x])) continue;
      box[0] = Math.min(box[0], x);
      box[1] = Math.max(box[1], x + 1);
      box[2] = Math.min(box[2], y);
      box[3] = Math.max(box[3], y + 1);
    }
  }
  return box[0] < box[1] ? box : undefined;
}

/** Returns whether a box has this size. */
export function hasSize(box: Box | undefined, width: number, height: number): box is Box {
  return box !== undefined && box[1] - box[0] === width && box[3] - box[2] === height;
}

/** Returns whether (x, y) is the middle of a box, within a pixel. */
export function isMiddle([left, right, top, bottom]: Box, x: number, y: number): boolean {
  return Math.abs((left + right) / 2 - x) <= 1 && Math.abs((top + bottom) / 2 - y) <= 1;
}
