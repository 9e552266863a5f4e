import { type AtariVariable, numbered, x, y } from './variables';

/** Returns the x of a byte in the console's form: steps of 15 pixels in its low half, a fine offset to the left in its high one. */
function placed(byte: number): number {
  const left = byte >> 4;
  return 15 * (byte & 15) - (left > 7 ? left - 16 : left);
}

/** The byte of your shot's height while it is in the cannon. */
const LOADED = 3;

const alive = (ram: Uint8Array, i: number): boolean => (ram[46 + i] & 0x80) !== 0;

/** Demon Attack. Positions are middles, in pixels of the 160 × 210 screen, from its top left. */
export const demonAttack: AtariVariable[] = [
  x('player_x', 'x of your cannon, at y 180', (ram) => placed(ram[16]) + 15),
  x('shot_x', 'x of your shot; 0 while there is none', (ram) => (ram[21] === LOADED ? 0 : placed(ram[22]) + 14)),
  y('shot_y', 'y of your shot, from the top; 0 while there is none', (ram) => (ram[21] === LOADED ? 0 : 180 - ram[21])),
  ...numbered(3, (i) => [
    x(`enemy${i}_x`, `x of demon ${i}, of three from the top; 0 while there is none`, (ram) =>
      alive(ram, i) ? placed(ram[16 + i]) + 12 : 0,
    ),
    y(`enemy${i}_y`, `y of demon ${i}, from the top; 0 while there is none`, (ram) =>
      alive(ram, i) ? 179 - ram[68 + i] : 0,
    ),
  ]),
];
