import { type AtariVariable, x, y } from './variables';

/** Returns which of the two pairs of bytes is yours, the pink player's: the players change sides. */
const own = (ram: Uint8Array): number => ram[80] & 1;

/**
 * Tennis. Positions are pixels of the 160 × 210 screen, from its top left.
 * A player's x is his body's: 2 pixels to either side of the middle of body and
 * racket. You are the pink one.
 */
export const tennis: AtariVariable[] = [
  x('ball_x', 'x of the middle of the ball', (ram) => ram[16] - 1),
  y('ball_y', 'y of the middle of the ball, from the top', (ram) => 190 - ram[54]),
  y('shadow_y', "y of the ball's shadow, from the top: where on the court it is", (ram) => 190 - ram[55]),
  x('player_x', 'x of you, the pink player', (ram) => ram[26 + own(ram)] + 6),
  y('player_y', 'y of the middle of you, from the top', (ram) => 178 - ram[24 + own(ram)]),
  x('enemy_x', 'x of the blue player', (ram) => ram[27 - own(ram)] + 6),
  y('enemy_y', 'y of the middle of the blue player, from the top', (ram) => 178 - ram[25 - own(ram)]),
];
