import { LabIcon } from '@jupyterlab/ui-components';

/** Returns an icon of 16 × 16 in JupyterLab's colour of icons. */
function icon(name: string, path: string): LabIcon {
  const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><path class="jp-icon3" fill="#616161" fill-rule="evenodd" d="${path}"/></svg>`;
  return new LabIcon({ name: `joylab:${name}`, svgstr });
}

/** A controller. */
export const gameIcon = icon(
  'game',
  'M5 4h6a4 4 0 0 1 4 4.500v1.500a2.300 2.300 0 0 1-4.300 1.200L10 10H6l-.7 1.200A2.300 2.300 0 0 1 1 10V8.500A4 4 0 0 1 5 4zM4.300 5.700v1.100H3.200v1.200h1.100v1.100h1.200V8h1.100V6.800H5.500V5.700zM10.200 8.300a.8.8 0 1 0 .01 0zM12 6.200a.8.8 0 1 0 .01 0z',
);

/** A switch that is on, and one that is off. */
export const onIcon = icon('on', 'M5 4h6a4 4 0 0 1 0 8H5a4 4 0 0 1 0-8zM11 5.500a2.500 2.500 0 1 0 .01 0z');
export const offIcon = icon(
  'off',
  'M5 4h6a4 4 0 0 1 0 8H5a4 4 0 0 1 0-8zM5 5.300a2.700 2.700 0 0 0 0 5.400h6a2.700 2.700 0 0 0 0-5.400zM5 6.200a1.800 1.800 0 1 0 .01 0z',
);
