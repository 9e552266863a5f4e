import { type AtariVariable, numbered, x, y } from './variables';

/**
 * Freeway. Positions are middles, in pixels of the 160 × 210 screen, from its
 * top left. Your chicken is the left one, at x 47; it starts at the bottom.
 * Lane i is at y 16 + 16 i; cars 1 to 5 drive one way, 6 to 10 the other.
 */
export const freeway: AtariVariable[] = [
  y('player_y', 'y of your chicken, from the top; it walks up to 21', (ram) => 197 - ram[14]),
  ...numbered(10, (i) => [x(`car${i}_x`, `x of the car at y ${16 + 16 * i}`, (ram) => ram[118 - i] + 1)]),
];
