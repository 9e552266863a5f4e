import { type AtariVariable, numbered, variable, x, y } from './variables';

/** The byte of a missile's height while there is none. */
const NO_MISSILE = 246;

const ROWS = 6;
const COLUMNS = 6;

/** Returns the aliens of a row, of which 0 is the highest; bit 0 is its leftmost alien. */
const aliensOf = (ram: Uint8Array, row: number): number => ram[23 - row] & 0x3f;

/** Returns the columns with aliens: bit i is set while column i has one. */
const columns = (ram: Uint8Array): number => ram.subarray(18, 24).reduce((all, row) => all | row, 0) & 0x3f;

const columnX = (ram: Uint8Array, column: number): number => ram[26] + 3 + 16 * column;
const rowY = (ram: Uint8Array, row: number): number => 36 + 2 * ram[16] + 18 * row;

/** Space Invaders. Positions are middles, in pixels of the 160 × 210 screen, from its top left. You are at y 190. */
export const spaceInvaders: AtariVariable[] = [
  x('player_x', 'x of your cannon, at y 190', (ram) => ram[28] + 2),
  x('shot_x', 'x of your shot; 0 while there is none', (ram) => (ram[85] === NO_MISSILE ? 0 : ram[87] - 2)),
  y('shot_y', 'y of your shot, from the top; 0 while there is none', (ram) =>
    ram[85] === NO_MISSILE ? 0 : 2 * ram[85] + 8,
  ),
  ...numbered(2, (i) => [
    x(`bomb${i}_x`, `x of the bomb number ${i}; 0 while there is none`, (ram) =>
      ram[80 + i] === NO_MISSILE ? 0 : ram[82 + i] - 1,
    ),
    y(`bomb${i}_y`, `y of the bomb number ${i}, from the top; 0 while there is none`, (ram) =>
      ram[80 + i] === NO_MISSILE ? 0 : 2 * ram[80 + i] + 8,
    ),
  ]),
  x('enemy_left_x', 'x of the leftmost column of aliens; 0 while there are none', (ram) =>
    outermost(ram, [0, 1, 2, 3, 4, 5]),
  ),
  x('enemy_right_x', 'x of the rightmost column of aliens; 0 while there are none', (ram) =>
    outermost(ram, [5, 4, 3, 2, 1, 0]),
  ),
  y('enemy_y', 'y of the lowest row of aliens, from the top; 0 while there are none', lowest),
  variable('enemies', 'aliens left', ROWS * COLUMNS, (ram) => {
    let count = 0;
    for (let row = 0; row < ROWS; row++) for (let bits = aliensOf(ram, row); bits; bits &= bits - 1) count++;
    return count;
  }),
];

function outermost(ram: Uint8Array, order: number[]): number {
  const column = order.find((i) => (columns(ram) >> i) & 1);
  return column === undefined ? 0 : columnX(ram, column);
}

function lowest(ram: Uint8Array): number {
  for (let row = ROWS - 1; row >= 0; row--) if (aliensOf(ram, row)) return rowY(ram, row);
  return 0;
}
