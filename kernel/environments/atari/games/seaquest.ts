import { type AtariVariable, numbered, variable, x, y } from './variables';

const playerX = (ram: Uint8Array): number => ram[70] + 8;

/** Returns the x of the enemy in a lane that is nearest to you; 0 when there is none. There are up to three, 16 pixels apart, each with a bit in the lane's byte. */
function nearest(ram: Uint8Array, lane: number): number {
  const [first, which, player] = [ram[30 + lane], ram[36 + lane], playerX(ram)];
  let best = 0;
  for (let i = 0; i < 3; i++) {
    const at = ((first + 16 * i) & 255) + 4;
    const there = which & (4 >> i) && at < 164;
    if (there && (best === 0 || Math.abs(at - player) < Math.abs(best - player))) best = at;
  }
  return best;
}

/**
 * Seaquest. Positions are middles, in pixels of the 160 × 210 screen, from its
 * top left. Enemies and divers swim in four lanes, at y 74, 98, 122 and 146,
 * 3 pixels up and down.
 */
export const seaquest: AtariVariable[] = [
  x('player_x', 'x of your submarine', playerX),
  y('player_y', 'y of your submarine, from the top', (ram) => ram[97] + 38),
  variable('player_right', '1 while your submarine looks right, 0 while it looks left', 1, (ram) =>
    ram[86] & 8 ? 0 : 1,
  ),
  x('shot_x', 'x of your torpedo; 0 while there is none', (ram) => (ram[103] === 0 ? 0 : ram[103] + 4)),
  variable('oxygen', 'oxygen left', 64, (ram) => ram[102]),
  variable('divers', 'divers on board', 6, (ram) => ram[62]),
  ...numbered(4, (i) => {
    const lane = 4 - i;
    const at = `in the lane at y ${50 + 24 * i}`;
    return [
      x(`enemy${i}_x`, `x of the shark or submarine nearest to you ${at}; 0 while there is none`, (ram) =>
        nearest(ram, lane),
      ),
      x(`diver${i}_x`, `x of the diver ${at}; 0 while there is none`, (ram) =>
        ram[71 + lane] === 0 ? 0 : ram[71 + lane] + 4,
      ),
    ];
  }),
];
