import { type AtariVariable, numbered, variable, x, y } from './variables';

/** Ms Pac-Man. Positions are middles, in pixels of the 160 × 210 screen, from its top left. */
export const msPacman: AtariVariable[] = [
  x('player_x', 'x of Ms Pac-Man', (ram) => ram[10] - 8),
  y('player_y', 'y of Ms Pac-Man, from the top', (ram) => ram[16] + 6),
  ...numbered(4, (i) => [
    x(`enemy${i}_x`, `x of ghost ${i}`, (ram) => ram[5 + i] - 8),
    y(`enemy${i}_y`, `y of ghost ${i}, from the top`, (ram) => ram[11 + i] + 6),
  ]),
  x('fruit_x', 'x of the fruit; 0 while there is none', (ram) => (ram[11] === 0 ? 0 : ram[11] - 8)),
  y('fruit_y', 'y of the fruit, from the top; 0 while there is none', (ram) => (ram[11] === 0 ? 0 : ram[17] + 6)),
  variable('dots', 'dots eaten in this maze', 255, (ram) => ram[119]),
];
