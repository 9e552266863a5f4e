/** Names that the browser has and Node.js lacks, of those that views use. */
const BROWSER_NAME =
  /\b(?:document|window|HTML\w*Element|SVG\w*Element|requestAnimationFrame|ResizeObserver|IntersectionObserver|getComputedStyle|localStorage|Image|AudioContext)\b/;

/**
 * Returns a line that gives a cell the types of the browser, where the cell speaks of a
 * widget and names something of the browser; else an empty text. They are loaded once
 * in a notebook, which takes seconds.
 */
export function browserTypes(code: string): string {
  return /widget/i.test(code) && BROWSER_NAME.test(code) ? '/// <reference lib="dom" />\n' : '';
}
