import { type AtariVariable, x, y } from './variables';

/**
 * Boxing, seen from above. Positions are pixels of the 160 × 210 screen, from
 * its top left, of the middle of a boxer without his arms. You are the white one.
 */
export const boxing: AtariVariable[] = [
  x('player_x', 'x of your boxer', (ram) => ram[32] + 12),
  y('player_y', 'y of your boxer, from the top', (ram) => ram[34] + 61),
  x('enemy_x', 'x of the enemy', (ram) => ram[33] + 10),
  y('enemy_y', 'y of the enemy, from the top', (ram) => ram[35] + 60),
];
