import { between, type AtariVariable } from './variables';

/** The ball's bytes for y are 0, and for x at most 49, while no ball is in play. */
const inPlay = (ram: Uint8Array): boolean => ram[54] !== 0 && ram[49] > 49;

/**
 * Pong. Positions are pixels of the 160 × 210 screen, from its top left, of the
 * middle of ball and paddles. The player's paddle is the right one, x 142; a
 * paddle is 16 high. In Pong's actions RIGHT is up and LEFT is down.
 */
export const pong: AtariVariable[] = [
  {
    name: 'ball_x',
    description: 'x of the middle of the ball; 80, the middle of the screen, while no ball is in play',
    minimum: 0,
    maximum: 159,
    read: (ram) => (inPlay(ram) ? between(0, ram[49] - 48, 159) : 80),
  },
  {
    name: 'ball_y',
    description: 'y of the middle of the ball, from the top; 114, the middle of the field, while no ball is in play',
    minimum: 0,
    maximum: 209,
    read: (ram) => (inPlay(ram) ? between(0, ram[54] - 12, 209) : 114),
  },
  {
    name: 'player_y',
    description: 'y of the middle of your paddle, at the right',
    minimum: 0,
    maximum: 209,
    read: (ram) => between(0, ram[51] - 5, 209),
  },
  {
    name: 'enemy_y',
    description: "y of the middle of the enemy's paddle, at the left",
    minimum: 0,
    maximum: 209,
    read: (ram) => between(0, ram[50] - 7, 209),
  },
];
