/** Icons of 16 × 16 in the colour of the text around them. */
const PATHS = {
  play: 'M4 2.5v11l9-5.5z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  back: 'M11 3v10L4.500 8zM3 3h1.500v10H3z',
  forward: 'M5 3v10l6.500-5zM11.500 3H13v10h-1.500z',
  stop: 'M3.500 3.500h9v9h-9z',
  save: 'M3 2h8l3 3v9H2V3zM5 3.500v3h5v-3zM5 9.500v3h6v-3z',
  download: 'M7.250 2h1.500v6l2.250-2.250L12 6.800 8 10.800 4 6.800l1-1.050L7.250 8zM3 12h10v1.500H3z',
  log: 'M2 2h1.500v10.500H14V14H2zM5 11c0-4 2-7 8-8v1.500c-4.500 1-6.500 3-6.500 6.500z',
  expand: 'M2 2h5v1.500H3.500V7H2zM9 2h5v5h-1.500V3.500H9zM2 9h1.500v3.500H7V14H2zM12.500 9H14v5H9v-1.500h3.500z',
  picture: 'M2 3h12v10H2zM3.500 4.500v5l3-3 3 3.500 1.500-1.500 1.500 1.500V4.500zM10.500 5.500a1 1 0 1 0 .01 0z',
  film: 'M2 3h12v10H2zM3.500 4.500v1.500H5V4.500zM3.500 7.250v1.500H5v-1.500zM3.500 10v1.500H5V10zM6.500 4.500v7h3v-7zM11 4.500v1.500h1.500V4.500zM11 7.250v1.500h1.500v-1.500zM11 10v1.500h1.500V10z',
  copy: 'M5 2h8v9h-1.500V3.500H5zM3 5h7v9H3zM4.500 6.500v6h4v-6z',
  close: 'M4 3l4 4 4-4 1 1-4 4 4 4-1 1-4-4-4 4-1-1 4-4-4-4z',
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
  path.setAttribute('fill-rule', 'evenodd');
  svg.append(path);
  return svg;
}

/** Changes the shape of an icon. */
export function setIcon(svg: SVGSVGElement, name: IconName): void {
  svg.firstElementChild!.setAttribute('d', PATHS[name]);
}
