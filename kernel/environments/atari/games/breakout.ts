import { between, type AtariVariable } from './variables';

/** The ball's byte for y is 0 while no ball is in play. */
const inPlay = (ram: Uint8Array): boolean => ram[101] !== 0;

/**
 * Breakout. Positions are pixels of the 160 × 210 screen, from its top left.
 * The ball's and the paddle's x are both middles, so that the ball falls on the
 * paddle's middle when they are equal. The paddle is 16 wide, 189 from the top.
 */
export const breakout: AtariVariable[] = [
  {
    name: 'ball_x',
    description: 'x of the middle of the ball; 80, the middle of the screen, while no ball is in play',
    minimum: 0,
    maximum: 159,
    read: (ram) => (inPlay(ram) ? between(0, ram[99] - 48, 159) : 80),
  },
  {
    name: 'ball_y',
    description: 'y of the middle of the ball, from the top; 0 while no ball is in play',
    minimum: 0,
    maximum: 209,
    read: (ram) => (inPlay(ram) ? between(0, ram[101] + 11, 209) : 0),
  },
  {
    name: 'paddle_x',
    description: 'x of the middle of the paddle, which is 16 pixels wide',
    minimum: 0,
    maximum: 159,
    read: (ram) => between(0, ram[72] - 39, 159),
  },
];
