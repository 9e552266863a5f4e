import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentReader, type AtariGame } from '../../kernel/environments';
import { atariLanes } from '../../kernel/environments/atari/servers';
import { VectorClient } from '../../kernel/openenv';
import { type Box, boxOf, hasSize, isMiddle } from './screen';

/** Something on the screen: where to look, its colour and size, and what the named state says of it. */
interface Thing {
  name: string;
  region: Box;
  colour: number;
  size: [width: number, height: number];
  told(state: Record<string, number>): [x: number, y: number];
}

const THINGS: { [game in AtariGame]?: Thing[] } = {
  pong: [
    { name: 'ball', region: [0, 160, 34, 194], colour: 14, size: [2, 4], told: state => [state.ball_x, state.ball_y] },
    { name: 'player', region: [140, 144, 34, 194], colour: 200, size: [4, 16], told: state => [142, state.player_y] },
    { name: 'enemy', region: [16, 20, 34, 194], colour: 56, size: [4, 16], told: state => [18, state.enemy_y] },
  ],
  boxing: [
    { name: 'player', region: [28, 132, 30, 180], colour: 12, size: [14, 47], told: state => [state.player_x, state.player_y] },
    { name: 'enemy', region: [28, 132, 30, 180], colour: 0, size: [14, 47], told: state => [state.enemy_x, state.enemy_y] },
  ],
};

for (const [game, things] of Object.entries(THINGS)) {
  test(`${game}: named state is where the screen shows it`, async () => {
    const { readState, stateVariables } = environmentReader('atari', { game });
    const [lane] = await atariLanes(1);
    const client = await VectorClient.connect(lane.url, { numEnvs: 1, options: { game } });
    const seen = things!.map(() => 0);
    const wrong: string[] = [];
    let { ram, frames } = await client.reset([0], [5], { frames: true });
    for (let step = 0; step < 500; step++) {
      const state = readState(ram[0]);
      for (const { name, minimum, maximum } of stateVariables) assert.ok(state[name] >= minimum && state[name] <= maximum, `${name} = ${state[name]}`);
      things!.forEach(({ name, region, colour, size, told }, i) => {
        const box = boxOf(frames[0]!, region, pixel => pixel === colour);
        if (!hasSize(box, ...size)) return; // hidden, cut off, or changing its shape
        seen[i]++;
        if (!isMiddle(box, ...told(state))) wrong.push(`step ${step}: ${name} at ${box}, told ${told(state)}`);
      });
      ({ ram, frames } = await client.step([0], [(step >> 3) % client.actions.length]));
    }
    await client.close();
    for (const [i, { name }] of things!.entries()) assert.ok(seen[i] > 50, `${name} was seen ${seen[i]} times`);
    assert.ok(wrong.length <= 20, `${wrong.length} are elsewhere: ${wrong.slice(0, 5).join('; ')}`);
  });
}
