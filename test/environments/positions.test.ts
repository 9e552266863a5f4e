import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atariReader, type AtariGame } from '../../kernel/environments';
import { atariProcesses } from '../../kernel/environments/atari/servers';
import { AtariClient } from '../../kernel/environments/atari/stream';
import { type Box, boxOf } from './screen';

/** Something on the screen: where to look, its colour and size, and what the named state says of it. */
interface Thing {
  name: string;
  region: Box;
  colour: number;
  /** Its size in pixels, from and to, where it has shapes of several sizes. */
  size: [width: number | [number, number], height: number | [number, number]];
  told(state: State, box: Box): [x: number, y: number];
  /** Pixels that its shapes are off their middle, by x and y; 1 by default. */
  within?: [number, number];
  /** How often it may be elsewhere, 0 to 1: while it falls, for example; 0.05 by default. */
  elsewhere?: number;
}

type State = Record<string, number>;

interface Scene {
  things: Thing[];
  /** Things that flicker are drawn on every other frame: an odd skip sees them. */
  frameSkip?: number;
}

const FIELD: Box = [0, 160, 0, 210];

const SCENES: { [game in AtariGame]?: Scene } = {
  pong: {
    things: [
      {
        name: 'ball',
        region: [0, 160, 34, 194],
        colour: 14,
        size: [2, 4],
        told: (state) => [state.ball_x, state.ball_y],
      },
      {
        name: 'player',
        region: [140, 144, 34, 194],
        colour: 200,
        size: [4, 16],
        told: (state) => [142, state.player_y],
      },
      { name: 'enemy', region: [16, 20, 34, 194], colour: 56, size: [4, 16], told: (state) => [18, state.enemy_y] },
    ],
  },
  boxing: {
    things: [
      {
        name: 'player',
        region: [28, 132, 30, 180],
        colour: 12,
        size: [14, 47],
        told: (state) => [state.player_x, state.player_y],
      },
      {
        name: 'enemy',
        region: [28, 132, 30, 180],
        colour: 0,
        size: [14, 47],
        told: (state) => [state.enemy_x, state.enemy_y],
      },
    ],
  },
  space_invaders: {
    frameSkip: 3,
    things: [
      {
        name: 'player',
        region: [0, 160, 180, 196],
        colour: 196,
        size: [7, 10],
        told: (state) => [state.player_x, 190],
        within: [2, 1],
      },
      {
        name: 'missile',
        region: [0, 160, 30, 185],
        colour: 6,
        size: [1, [7, 10]],
        within: [1, 3],
        told: (state, [left, , top]) =>
          nearest(
            left,
            top + 4,
            ['shot', 'bomb1', 'bomb2'].map((name) => [state[`${name}_x`], state[`${name}_y`]]),
          ),
      },
      {
        name: 'aliens',
        region: [0, 160, 25, 180],
        colour: 20,
        size: [
          [8, 88],
          [8, 100],
        ],
        told: (state) => [(state.enemy_left_x + state.enemy_right_x) / 2, NaN],
      },
      {
        name: 'lowest row',
        region: [0, 160, 25, 180],
        colour: 20,
        size: [
          [8, 88],
          [8, 100],
        ],
        told: (state) => [NaN, state.enemy_y],
      },
    ],
  },
  freeway: {
    things: [
      {
        name: 'player',
        region: [44, 51, 17, 195],
        colour: 30,
        size: [[6, 7], 8],
        told: (state) => [47, state.player_y],
      },
      ...[66, 220, 18, 74, 130, 36, 136, 68, 216, 26].map(
        (colour, i): Thing => ({
          name: `car ${i + 1}`,
          region: [8, 160, 24 + 16 * i, 40 + 16 * i],
          colour,
          size: [8, 8],
          told: (state) => [state[`car${i + 1}_x`], 32 + 16 * i],
        }),
      ),
    ],
  },
  tennis: {
    things: [
      {
        name: 'ball',
        region: [0, 160, 14, 200],
        colour: 14,
        size: [2, 2],
        told: (state) => [state.ball_x, state.ball_y],
      },
      {
        name: 'shadow',
        region: [0, 160, 14, 200],
        colour: 2,
        size: [2, 2],
        told: (state) => [state.ball_x, state.shadow_y],
      },
      {
        name: 'player',
        region: [0, 160, 14, 46],
        colour: 76,
        size: [12, 23],
        told: (state) => [state.player_x, state.player_y],
        within: [2, 1],
      },
      {
        name: 'enemy',
        region: [36, 124, 120, 200],
        colour: 140,
        size: [12, 23],
        told: (state) => [state.enemy_x, state.enemy_y],
        within: [2, 1],
      },
    ],
  },
  bowling: {
    things: [
      {
        name: 'ball',
        region: [48, 108, 105, 172],
        colour: 132,
        size: [4, 10],
        told: (state) => [state.ball_x, state.ball_y],
      },
      {
        name: 'trousers',
        region: [0, 100, 105, 172],
        colour: 136,
        size: [6, 12],
        told: (state) => [state.player_x, state.player_y - 2],
        within: [3, 1],
      },
    ],
  },
  seaquest: {
    frameSkip: 3,
    things: [
      {
        name: 'player',
        region: [8, 160, 62, 155],
        colour: 24,
        size: [16, [9, 12]],
        told: (state) => [state.player_x, state.player_y],
        within: [1, 2],
      },
      ...[1, 2, 3, 4].map(
        (i): Thing => ({
          name: `enemy ${i}`,
          region: [8, 160, 38 + 24 * i, 62 + 24 * i],
          colour: 200,
          size: [[7, 8], 7],
          told: (state) => [state[`enemy${i}_x`], 50 + 24 * i],
          within: [1, 6],
        }),
      ),
      ...[1, 2].map(
        (i): Thing => ({
          name: `diver ${i}`,
          region: [8, 160, 38 + 24 * i, 62 + 24 * i],
          colour: 134,
          size: [8, [13, 14]],
          told: (state) => [state[`diver${i}_x`], 50 + 24 * i],
          within: [1, 7],
        }),
      ),
    ],
  },
  ms_pacman: {
    things: [
      {
        name: 'player',
        region: [0, 160, 0, 171],
        colour: 42,
        size: [8, 10],
        told: (state) => [state.player_x, state.player_y],
        within: [3, 3],
      },
      ...[38, 184, 88, 70].map(
        (colour, i): Thing => ({
          name: `ghost ${i + 1}`,
          region: [0, 160, 0, 171],
          colour,
          size: [8, 10],
          told: (state) => [state[`enemy${i + 1}_x`], state[`enemy${i + 1}_y`]],
          within: [3, 3],
        }),
      ),
    ],
  },
  qbert: {
    frameSkip: 3,
    things: [
      {
        name: 'player',
        region: FIELD,
        colour: 52,
        size: [
          [7, 8],
          [17, 20],
        ],
        told: (state) => [state.player_x, state.player_y],
        within: [2, 3],
        elsewhere: 0.12,
      },
    ],
  },
  skiing: {
    things: [
      {
        name: 'player',
        region: [0, 160, 35, 62],
        colour: 72,
        size: [
          [7, 8],
          [14, 18],
        ],
        told: (state) => [state.player_x, 50],
        within: [2, 3],
      },
      {
        name: 'gate',
        region: [8, 152, 52, 120],
        colour: 134,
        size: [37, 14],
        told: (state) => [state.gate_x, state.gate_y],
        within: [1, 3],
      },
    ],
  },
  demon_attack: {
    frameSkip: 3,
    things: [
      { name: 'player', region: [0, 160, 172, 188], colour: 86, size: [7, 12], told: (state) => [state.player_x, 180] },
      {
        name: 'shot',
        region: [0, 160, 25, 160],
        colour: 110,
        size: [1, 8],
        told: (state) => [state.shot_x, state.shot_y],
        within: [1, 3],
      },
    ],
  },
};

/** Of several positions the one nearest to a place. */
function nearest(x: number, y: number, positions: number[][]): [number, number] {
  const distance = (position: number[]): number => Math.abs(position[0] - x) + Math.abs(position[1] - y);
  return positions.reduce((best, next) => (distance(next) < distance(best) ? next : best)) as [number, number];
}

/** Whether a length is what was asked for. */
const fits = (length: number, [from, to]: [number, number]): boolean => length >= from && length <= to;
const range = (size: number | [number, number]): [number, number] => (typeof size === 'number' ? [size, size] : size);

for (const [game, { things, frameSkip = 4 }] of Object.entries(SCENES) as [AtariGame, Scene][]) {
  test(`${game}: named state is where the screen shows it`, async (t) => {
    const options = { game, frameSkip };
    const { readState, stateVariables } = atariReader(options);
    const [atariProcess] = await atariProcesses(1);
    const client = await AtariClient.connect(atariProcess.url, { numEnvs: 1, options });
    const seen = things.map(() => 0);
    const wrong: string[][] = things.map(() => []);
    let { ram, frames, terminated } = await client.reset([0], [5], { frames: true });
    for (let step = 0; step < 800; step++) {
      const state = readState(ram[0]);
      for (const { name, minimum, maximum } of stateVariables)
        assert.ok(state[name] >= minimum && state[name] <= maximum, `${name} = ${state[name]}`);
      things.forEach(({ name, region, colour, size, told, within = [1, 1] }, i) => {
        const box = boxOf(frames[0]!, region, (pixel) => pixel === colour);
        if (!box || !fits(box[1] - box[0], range(size[0])) || !fits(box[3] - box[2], range(size[1]))) return; // hidden, cut off, or changing its shape
        seen[i]++;
        const [x, y] = told(state, box);
        const lowest = game === 'space_invaders' && name === 'lowest row';
        const off = [(box[0] + box[1]) / 2 - x, (lowest ? box[3] - 5 : (box[2] + box[3]) / 2) - y];
        if (off.some((pixels, axis) => Math.abs(pixels) > within[axis]))
          wrong[i].push(`step ${step}: ${name} at ${box}, told ${x}, ${y}`);
      });
      const action = Math.floor(hash(step >> 3) * client.actions.length);
      ({ ram, frames, terminated } = terminated[0]
        ? await client.reset([0], [5 + step], { frames: true })
        : await client.step([0], [action]));
    }
    await client.close();
    t.diagnostic(things.map(({ name }, i) => `${name}: ${wrong[i].length} of ${seen[i]} elsewhere`).join(', '));
    for (const [i, { name, elsewhere = 0.05 }] of things.entries()) {
      assert.ok(seen[i] >= 20, `${name} was seen ${seen[i]} times`);
      assert.ok(
        wrong[i].length <= seen[i] * elsewhere,
        `${wrong[i].length} of ${seen[i]} are elsewhere: ${wrong[i].slice(0, 5).join('; ')}`,
      );
    }
  });
}

test("qbert: the colours of the cubes are the screen's", async () => {
  const { readState } = atariReader({ game: 'qbert' });
  const [atariProcess] = await atariProcesses(1);
  const client = await AtariClient.connect(atariProcess.url, { numEnvs: 1, options: { game: 'qbert' } });
  let { ram, frames, terminated } = await client.reset([0], [1], { frames: true });
  const rows = [[78], [66, 94], [54, 78, 106], [42, 66, 94, 118], [30, 54, 78, 106, 130], [18, 42, 66, 94, 118, 142]];
  const middles = rows.flatMap((columns, row) => columns.map((x) => [x, [36, 64, 93, 122, 151, 180][row]]));
  const colours = new Set<string>();
  for (let step = 0; step < 400 && !terminated[0]; step++) {
    const state = readState(ram[0]);
    const told = middles.map((_, i) => state[`cube${i + 1}`]);
    // Ends of the tops: what stands on a cube hides its middle.
    const seen = middles.map(([x, y]) => frames[0]![160 * y + x - 8]);
    if (seen.filter((colour, i) => colour === told[i]).length >= 20) colours.add(String(told));
    ({ ram, frames, terminated } = await client.step([0], [Math.floor(hash(step >> 3) * client.actions.length)]));
  }
  await client.close();
  assert.ok(colours.size >= 3, `${colours.size} different pyramids were seen as told`);
});

/** A number from 0 to 1 that looks random, the same every time. */
function hash(n: number): number {
  const value = Math.sin(n * 12.9898 + 78.233) * 43758.5453;
  return value - Math.floor(value);
}
