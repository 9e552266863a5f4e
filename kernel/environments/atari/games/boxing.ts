import { between, type StateVariable } from '../../environment';

/**
 * Boxing, seen from above. Positions are pixels of the 160 × 210 screen, from
 * its top left, of the middle of a boxer without his arms. You are the white one.
 */
export const boxing: StateVariable[] = [
  position('player_x', 'x of your boxer', 159, ram => ram[32] + 12),
  position('player_y', 'y of your boxer, from the top', 209, ram => ram[34] + 61),
  position('enemy_x', 'x of the enemy', 159, ram => ram[33] + 10),
  position('enemy_y', 'y of the enemy, from the top', 209, ram => ram[35] + 60),
];

function position(name: string, description: string, maximum: number, read: (ram: Uint8Array) => number): StateVariable {
  return { name, description, minimum: 0, maximum, read: ram => between(0, read(ram), maximum) };
}
