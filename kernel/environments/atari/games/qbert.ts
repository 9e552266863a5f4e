import { type AtariVariable, numbered, variable, x, y } from './variables';

/** The bytes with the colours of the cubes, row by row. */
const CUBES = [21, 52, 54, 83, 85, 87, 98, 100, 102, 104, 1, 3, 5, 7, 9, 32, 34, 36, 38, 40, 42];

/**
 * Q*bert. Positions are middles, in pixels of the 160 × 210 screen, from its top
 * left. Cube 1 is the top one, cubes 2 and 3 the row below it, then 4 to 6, and
 * so on; a cube's colour changes when it is jumped on.
 */
export const qbert: AtariVariable[] = [
  x('player_x', 'x of Q*bert', (ram) => ram[43] + 1),
  y('player_y', 'y of Q*bert, from the top', (ram) => ram[67] + 2),
  ...numbered(CUBES.length, (i) => [
    variable(`cube${i}`, `colour of cube ${i}, counted from the top, row by row`, 255, (ram) => ram[CUBES[i - 1]]),
  ]),
];
