import type { StateVariable } from '../../environment';

/** Breakout. Positions are pixels of the 160 × 210 screen; the ball's and the paddle's x are both centres. */
export const breakout: StateVariable[] = [
  {
    name: 'ball_x',
    description: 'x of the ball, in pixels',
    minimum: 0,
    maximum: 160,
    read: ram => ram[99] - 48,
  },
  {
    name: 'ball_y',
    description: 'y of the ball, in pixels from the top',
    minimum: 0,
    maximum: 210,
    read: ram => ram[101] + 11,
  },
  {
    name: 'paddle_x',
    description: 'x of the middle of the paddle, in pixels',
    minimum: 0,
    maximum: 160,
    read: ram => ram[72] - 39,
  },
];
