import { escapeHtml } from '../table';

/**
 * Returns an SVG as an `<img>` with a data URL: sanitisers of notebooks that are
 * not trusted do not remove it, and no script in it runs.
 *
 * @param text what it shows, for readers who do not see it
 */
export function svgImage(
  svg: string,
  text: string,
  { width, height }: { width?: number; height?: number } = {},
): string {
  const size = `${width === undefined ? '' : ` width="${width}"`}${height === undefined ? '' : ` height="${height}"`}`;
  return `<img alt="${escapeHtml(text)}"${size} src="${svgDataUrl(svg)}">`;
}

/** Returns an SVG as a data URL. */
export function svgDataUrl(svg: string): string {
  return `data:image/svg+xml;base64,${base64(svg)}`;
}

/** Returns base64 of a text's UTF-8, in Node.js and in browsers. */
function base64(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
