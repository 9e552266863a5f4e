/** Returns width and height of an SVG picture in pixels, from its attributes; 300 for one that is missing. */
export function svgSize(svg: string): { width: number; height: number } {
  const tag = /<svg[^>]*>/.exec(svg)?.[0] ?? '';
  const side = (name: string) => Number(new RegExp(`\\s${name}="([\\d.]+)`).exec(tag)?.[1] ?? 300);
  return { width: side('width'), height: side('height') };
}
