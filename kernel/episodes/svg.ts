/** Width and height of an SVG picture, by its attributes; 300 × 300 without. */
export function svgSize(svg: string): { width: number; height: number } {
  const tag = /<svg[^>]*>/.exec(svg)?.[0] ?? '';
  const side = (name: string) => Number(new RegExp(`\\s${name}="([\\d.]+)`).exec(tag)?.[1] ?? 300);
  return { width: side('width'), height: side('height') };
}
