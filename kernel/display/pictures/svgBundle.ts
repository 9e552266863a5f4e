import type { MimeBundle } from '../cellContext';
import { svgImage } from './svgImage';

const SVG = 'image/svg+xml';

/** MIME types that viewers prefer to SVG and also show in notebooks that are not trusted. */
const SHOWN_ANYWAY = ['text/html', 'text/markdown', 'image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/**
 * Returns a bundle in which an SVG picture, if it has one, is also an image in
 * HTML: JupyterLab shows those, and not SVG, in notebooks that are not trusted.
 * Its text is a description in place of the markup.
 */
export function shownSvg(bundle: MimeBundle): MimeBundle {
  const svg = bundle[SVG];
  if (typeof svg !== 'string' || !hasContent(svg)) return bundle;
  const { 'text/plain': plain, ...others } = bundle;
  const isText = typeof plain === 'string' && !isSvg(plain);
  const text = isText ? plain : describeSvg(svg);
  const html = SHOWN_ANYWAY.some((type) => type in bundle) ? {} : { 'text/html': svgImage(withNamespace(svg), text) };
  return { ...others, ...html, 'text/plain': text };
}

/** The start of an SVG file: with its element, or with what XML allows before it. */
const START =
  /^\uFEFF?\s*(?:<\?xml[^>]*>\s*|<!DOCTYPE[^>[]*(?:\[[^\]]*\])?[^>]*>\s*|<!--(?:[^-]|-(?!->))*-->\s*)*<svg[\s/>]/i;

/** Characters that are read to find whether something is an SVG. */
const HEAD = 4096;

/** Returns whether a text is an SVG picture. */
function isSvg(text: string): boolean {
  return START.test(text.slice(0, HEAD));
}

/** Returns the text of an SVG file's bytes; `null` when they are something else. */
export function svgText(bytes: Uint8Array): string | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isSvg(buffer.toString('utf8', 0, HEAD)) ? buffer.toString('utf8') : null;
}

function hasContent(svg: string): boolean {
  return /<svg\b[^>]*[^/>]>|<svg>/i.test(svg);
}

/** Returns a description: "SVG picture, 120 × 40: title". */
function describeSvg(svg: string): string {
  const tag = /<svg\b[^>]*>/i.exec(svg)?.[0] ?? '';
  const side = (name: string) => new RegExp(`\\s${name}\\s*=\\s*["']([\\d.]+)(?:px)?["']`).exec(tag)?.[1];
  const [width, height] = [side('width'), side('height')];
  const title = titleOf(svg);
  return `SVG picture${width && height ? `, ${width} × ${height}` : ''}${title && `: ${title}`}`;
}

/** Returns the picture's `aria-label`, or its title; empty when it has neither. */
function titleOf(svg: string): string {
  const tag = /<svg\b[^>]*>/i.exec(svg)?.[0] ?? '';
  const text = /\saria-label\s*=\s*"([^"]*)"/.exec(tag)?.[1] ?? /<title\b[^>]*>([^<]*)</.exec(svg)?.[1] ?? '';
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => entities[name])
    .replace(/\s+/g, ' ')
    .trim();
}

/** Returns an SVG with its namespace, which a picture outside a page must name. */
function withNamespace(svg: string): string {
  return /<svg\b[^>]*\sxmlns\s*=/.test(svg) ? svg : svg.replace(/<svg\b/, '<svg xmlns="http://www.w3.org/2000/svg"');
}
