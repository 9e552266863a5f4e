import type { StateVariable } from '../../environment';
import { numbered, variable, x, y } from './variables';

/** Where the enemies of a lane are: up to three, 16 apart; a bit of the lane's byte for each. */
function enemiesOf(ram: Uint8Array, lane: number): number[] {
  const [first, which] = [ram[30 + lane], ram[36 + lane]];
  return [4, 2, 1].flatMap((bit, i) => (which & bit ? [((first + 16 * i) & 255) + 4] : [])).filter(at => at < 164);
}

const playerX = (ram: Uint8Array): number => ram[70] + 8;

/** The x of a lane's enemy nearest to you; 0 where there is none. */
function nearest(ram: Uint8Array, lane: number): number {
  const distance = (at: number): number => Math.abs(at - playerX(ram));
  return enemiesOf(ram, lane).reduce((best, at) => (best === 0 || distance(at) < distance(best) ? at : best), 0);
}

/**
 * Seaquest. Positions are middles, in pixels of the 160 × 210 screen, from its
 * top left. Enemies and divers swim in four lanes, at y 74, 98, 122 and 146,
 * 3 pixels up and down.
 */
export const seaquest: StateVariable[] = [
  x('player_x', 'x of your submarine', playerX),
  y('player_y', 'y of your submarine, from the top', ram => ram[97] + 38),
  variable('player_right', '1 while your submarine looks right, 0 while it looks left', 1, ram => (ram[86] & 8 ? 0 : 1)),
  x('shot_x', 'x of your torpedo; 0 while there is none', ram => (ram[103] === 0 ? 0 : ram[103] + 4)),
  variable('oxygen', 'oxygen left', 64, ram => ram[102]),
  variable('divers', 'divers on board', 6, ram => ram[62]),
  ...numbered(4, i => {
    const lane = 4 - i;
    const at = `in the lane at y ${50 + 24 * i}`;
    return [
      x(`enemy${i}_x`, `x of the shark or submarine nearest to you ${at}; 0 while there is none`, ram => nearest(ram, lane)),
      x(`diver${i}_x`, `x of the diver ${at}; 0 while there is none`, ram => (ram[71 + lane] === 0 ? 0 : ram[71 + lane] + 4)),
    ];
  }),
];
