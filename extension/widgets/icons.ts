/** Icons of 16 × 16 in the colour of the text around them. */
const PATHS = {
  play: 'M4 2.5v11l9-5.5z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  back: 'M11 3v10L4.500 8zM3 3h1.500v10H3z',
  forward: 'M5 3v10l6.500-5zM11.500 3H13v10h-1.500z',
  loop: 'M4 6.500h6.500v2L14 5.500l-3.500-3v2H2.500V9H4zM12 9.500H5.500v-2L2 10.500l3.500 3v-2h8V7H12z',
};

export type IconName = keyof typeof PATHS;

/** Returns an icon. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** Changes the shape of an icon. */
export function setIcon(svg: SVGSVGElement, name: IconName): void {
  svg.firstElementChild!.setAttribute('d', PATHS[name]);
}
