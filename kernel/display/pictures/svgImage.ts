import { escapeHtml } from '../table';

/**
 * An SVG as an `<img>` that carries it in its address: sanitisers of
 * notebooks that are not trusted let it pass, and nothing in it can run.
 *
 * @param text what it shows, for those who do not see it
 */
export function svgImage(
  svg: string,
  text: string,
  { width, height }: { width?: number; height?: number } = {},
): string {
  const size = `${width === undefined ? '' : ` width="${width}"`}${height === undefined ? '' : ` height="${height}"`}`;
  return `<img alt="${escapeHtml(text)}"${size} src="data:image/svg+xml;base64,${base64(svg)}">`;
}

/** Base64 of a text's UTF-8, in Node.js and in browsers. */
function base64(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
