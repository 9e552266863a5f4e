import { type AtariVariable, variable, x, y } from './variables';

/** The kinds of things on the slope. */
const GATE = 2;
const TREE = 85;

/** The skier's y: the slope comes up to him. */
const SKIER_Y = 50;

interface Thing {
  x: number;
  y: number;
}

/** Returns the next thing of a kind that the skier has not passed; undefined when there is none on the slope. */
function next(ram: Uint8Array, kind: number, middle: Thing): Thing | undefined {
  let best: Thing | undefined;
  for (let i = 0; i < 8; i++) {
    if (ram[70 + i] !== kind) continue;
    const thing = { x: ram[62 + i] + middle.x, y: 178 - ram[86 + i] + middle.y };
    if (thing.y >= SKIER_Y && (!best || thing.y < best.y)) best = thing;
  }
  return best;
}

const gate = (ram: Uint8Array): Thing | undefined => next(ram, GATE, { x: 20, y: 11 });
const tree = (ram: Uint8Array): Thing | undefined => next(ram, TREE, { x: 5, y: 18 });

/** Skiing. Positions are middles, in pixels of the 160 × 210 screen, from its top left. The skier stays at y 50. */
export const skiing: AtariVariable[] = [
  x('player_x', 'x of your skier, at y 50', (ram) => ram[25] + 5),
  variable('player_heading', 'where he looks: 0 and 15 far to the sides, 8 straight down', 15, (ram) => ram[15]),
  x('gate_x', 'x of the middle of the next gate, between its flags; 0 while there is none', (ram) => gate(ram)?.x ?? 0),
  y('gate_y', 'y of the next gate, from the top; 0 while there is none', (ram) => gate(ram)?.y ?? 0),
  x('tree_x', 'x of the next tree; 0 while there is none', (ram) => tree(ram)?.x ?? 0),
  y('tree_y', 'y of the next tree, from the top; 0 while there is none', (ram) => tree(ram)?.y ?? 0),
];
