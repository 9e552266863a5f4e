import { type AtariVariable, variable, x, y } from './variables';

/** The byte of a pin that has fallen. */
const FALLEN = 255;

/** Bowling. Positions are middles, in pixels of the 160 × 210 screen, from its top left. The pins are at the right. */
export const bowling: AtariVariable[] = [
  x('ball_x', 'x of the ball', (ram) => ram[30] + 9),
  y('ball_y', 'y of the ball, from the top', (ram) => 168 - 2 * ram[41]),
  x('player_x', 'x of your bowler', (ram) => ram[29] + 12),
  y('player_y', 'y of the middle of your bowler, from the top', (ram) => 157 - 2 * ram[40]),
  variable('pins', 'pins that stand', 10, (ram) => ram.subarray(57, 67).filter((pin) => pin !== FALLEN).length),
  variable('frame', 'number of the frame, 1 to 10', 10, (ram) => ram[36]),
];
