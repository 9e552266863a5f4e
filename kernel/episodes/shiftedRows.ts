/** Pixels by which a row may have moved from one frame to the next, at most. */
const MOST = 4;

/**
 * Packs frames of `height × width` pixels for games in which whole rows move, such as
 * the lanes of Freeway: each row is XORed with the row before it in time, moved by the
 * pixels that leave the fewest differences. Deflated, such frames take a third.
 *
 * #### Notes
 * The bytes are: for each row the first column that ever changes, for each row the one
 * after the last; the first frame; then for each further frame the move of each row, as a
 * signed byte, and the XORed pixels. Within its columns a row moves around their end.
 */
export function shiftedRows(frames: readonly Uint8Array[], width: number, height: number): Uint8Array {
  const size = width * height;
  const { first, end } = changingColumns(frames, width, height);
  const bytes = new Uint8Array(2 * height + size + (frames.length - 1) * (height + size));
  bytes.set(first);
  bytes.set(end, height);
  bytes.set(frames[0], 2 * height);
  let at = 2 * height + size;
  for (let i = 1; i < frames.length; i++, at += height + size) {
    for (let y = 0; y < height; y++) {
      const from = y * width + first[y];
      const to = y * width + end[y];
      if (to <= from) continue;
      const [before, now] = [frames[i - 1].subarray(from, to), frames[i].subarray(from, to)];
      const move = bestMove(before, now);
      bytes[at + y] = move & 255;
      const place = at + height + from;
      for (let x = 0, of = wrapped(-move, now.length); x < now.length; x++, of++) {
        if (of === now.length) of = 0;
        bytes[place + x] = now[x] ^ before[of];
      }
    }
  }
  return bytes;
}

function changingColumns(
  frames: readonly Uint8Array[],
  width: number,
  height: number,
): { first: Uint8Array; end: Uint8Array } {
  const first = new Uint8Array(height).fill(width);
  const end = new Uint8Array(height);
  for (let i = 1; i < frames.length; i++) {
    const [before, now] = [frames[i - 1], frames[i]];
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        if (before[at] === now[at]) continue;
        if (x < first[y]) first[y] = x;
        if (x >= end[y]) end[y] = x + 1;
      }
    }
  }
  return { first, end };
}

/** Returns the pixels by which a row has moved: those with the fewest differences, 0 where it does not matter. */
function bestMove(before: Uint8Array, now: Uint8Array): number {
  let [best, least] = [0, differences(before, now, 0, now.length + 1)];
  for (let move = -MOST; move <= MOST && least > 0; move++) {
    if (move === 0 || Math.abs(move) >= now.length) continue;
    // A move has to save more than its own byte costs.
    const count = 1 + differences(before, now, move, least);
    if (count < least) [best, least] = [move, count];
  }
  return best;
}

/** Counts differing pixels, up to `limit`. */
function differences(before: Uint8Array, now: Uint8Array, move: number, limit: number): number {
  let count = 0;
  for (let x = 0, of = wrapped(-move, now.length); x < now.length && count < limit; x++, of++) {
    if (of === now.length) of = 0;
    if (before[of] !== now[x]) count++;
  }
  return count;
}

function wrapped(index: number, length: number): number {
  return ((index % length) + length) % length;
}
