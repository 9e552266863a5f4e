/**
 * Jupyter counts a cursor position in Unicode code points, JavaScript in
 * UTF-16 units: they differ after an emoji.
 */

/** Returns the UTF-16 offset of a position in code points. */
export function toUtf16(text: string, codePoints: number): number {
  let offset = 0;
  for (let count = 0; count < codePoints && offset < text.length; count++) {
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
  return offset;
}

/** Returns the position in code points of a UTF-16 offset. */
export function toCodePoints(text: string, offset: number): number {
  let count = 0;
  for (let at = 0; at < offset && at < text.length; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return count;
}
