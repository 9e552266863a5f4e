import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openenv, serve, strategyPrompt, type EnvironmentServer, type Game2048Environment } from '../../kernel';
import { Game2048 } from '../../kernel/internal';
import { legalActions, move, outlook } from '../../kernel/environments/game2048/board';

const [UP, RIGHT, DOWN, LEFT] = [0, 1, 2, 3] as const;
const row = (...tiles: number[]) => [...tiles, ...Array(12).fill(0)];

let env: Game2048Environment;
let server: EnvironmentServer;
before(async () => {
  env = await openenv('game2048');
  server = await serve(Game2048);
});
after(() => server.close());

test('tiles slide, and equal ones merge once, those in front first', () => {
  assert.deepEqual(move(row(2, 0, 0, 2), LEFT), { board: row(4, 0, 0, 0), merged: 4, changed: true });
  assert.deepEqual(move(row(2, 2, 2, 2), RIGHT), { board: row(0, 0, 4, 4), merged: 8, changed: true });
  assert.deepEqual(move(row(4, 2, 2, 0), LEFT).board, row(4, 4, 0, 0));
  assert.deepEqual(move(row(2, 2, 2, 0), RIGHT).board, row(0, 0, 2, 4));
  assert.deepEqual(move(row(2, 4, 2, 4), LEFT), { board: row(2, 4, 2, 4), merged: 0, changed: false });
  const column = [2, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
  assert.deepEqual(
    [0, 4, 8, 12].map((i) => move(column, UP).board[i]),
    [4, 4, 0, 0],
  );
  assert.deepEqual(
    [0, 4, 8, 12].map((i) => move(column, DOWN).board[i]),
    [0, 0, 4, 4],
  );
});

test('legal actions are those that change the board', () => {
  assert.deepEqual(legalActions(row(2, 4, 2, 4)), [DOWN]);
  assert.deepEqual(legalActions([2, 4, 2, 4, 4, 2, 4, 2, 2, 4, 2, 4, 4, 2, 4, 2]), []);
});

test('an outlook tells points, empty cells and equal neighbours after a move, and the room that these two make', () => {
  const board = [2, 2, 4, 8, 0, 0, 0, 8, ...Array(8).fill(0)];
  assert.deepEqual(
    outlook(board, LEFT),
    { points: 4, empty: 12, pairs: 1, room: 13 },
    '4 4 8 over 8: one pair beside each other',
  );
  assert.deepEqual(
    outlook(board, RIGHT),
    { points: 4, empty: 12, pairs: 2, room: 14 },
    '4 4 8 over 8: the eights stay above each other',
  );
  assert.deepEqual(outlook(board, UP), { points: 16, empty: 12, pairs: 1, room: 13 });
  assert.deepEqual(outlook(row(2, 4, 2, 4), UP), { points: -1, empty: -1, pairs: -1, room: -1 });
});

test('the numbers of an observation are those of its board: −1 for what is no legal action, and only there', async () => {
  const names = ['up', 'right', 'down', 'left'];
  for (const { observation } of await play(env, 11)) {
    names.forEach((name, id) => {
      const told = Object.fromEntries(
        ['points', 'empty', 'pairs', 'room'].map((what) => [what, observation[`${name}_${what}`]]),
      );
      assert.deepEqual(told, outlook(observation.board, id));
      assert.equal(told.empty >= 0, observation.legal_actions.includes(id));
    });
  }
});

/** Plays an episode with always the first legal move; returns its records. */
async function play(
  game: { reset(args: { seed: number }): Promise<any>; step(action: any): Promise<any> },
  seed: number,
): Promise<any[]> {
  const records = [await game.reset({ seed })];
  while (!records.at(-1).done)
    records.push(await game.step({ action_id: records.at(-1).observation.legal_actions[0] }));
  return records;
}

test('an episode: two tiles at first, one more per move, rewards sum to the score, it ends when stuck', async () => {
  const records = await play(env, 7);
  assert.equal(records[0].observation.board.filter(Boolean).length, 2);
  const tiles = (record: any) => record.observation.board.reduce((sum: number, tile: number) => sum + tile, 0);
  for (let i = 1; i < records.length; i++)
    assert.ok(
      [2, 4].includes(tiles(records[i]) - tiles(records[i - 1])),
      'merging keeps the sum, the new tile adds to it',
    );
  const last = records.at(-1);
  assert.equal(
    records.slice(1).reduce((sum, { reward }) => sum + reward, 0),
    last.observation.score,
  );
  assert.deepEqual(last.observation.legal_actions, []);
  assert.equal((await env.state()).step_count, records.length - 1);
});

test('the same seed gives the same episode, in this process and over WebSocket', async () => {
  const remote = await openenv(server.url);
  for (const seed of [1, 2]) assert.deepEqual(await play(remote, seed), await play(env, seed));
  assert.notDeepEqual((await env.reset({ seed: 1 })).observation, (await env.reset({ seed: 2 })).observation);
  await remote.close();
});

test('a move that changes nothing gives no reward and no tile', async () => {
  let { observation } = await env.reset({ seed: 3 });
  while (observation.legal_actions.length === 4) ({ observation } = await env.step({ action_id: UP }));
  const illegal = [UP, RIGHT, DOWN, LEFT].find((id) => !observation.legal_actions.includes(id));
  const result = await env.step({ action_id: illegal as 0 });
  assert.deepEqual(result, { observation: { ...observation, blocked: 1 }, reward: 0, done: false });
});

test('blocked counts the moves in a row that changed nothing, up to 3; any other begins anew', async () => {
  let { observation } = await env.reset({ seed: 3 });
  assert.equal(observation.blocked, 0);
  while (observation.legal_actions.length === 4) ({ observation } = await env.step({ action_id: UP }));
  const [legal, illegal] = [true, false].map(
    (wanted) => [UP, RIGHT, DOWN, LEFT].find((id) => observation.legal_actions.includes(id) === wanted)!,
  );
  const counted: number[] = [];
  for (const action_id of [illegal, illegal, illegal, illegal, legal])
    counted.push((await env.step({ action_id })).observation.blocked);
  assert.deepEqual(counted, [1, 2, 3, 3, 0]);
  await env.step({ action_id: illegal });
  assert.equal((await env.reset({ seed: 3 })).observation.blocked, 0);
});

test('wrong actions are named; a closed environment says so', async () => {
  const other = await openenv('game2048');
  await other.reset();
  await assert.rejects(
    other.step({ action_id: 4 } as never),
    /VALIDATION_ERROR|action_id: Input should be less than or equal to 3/,
  );
  await assert.rejects(other.step({ move: 'UP' } as never), /action_id: Field required[^]*There is no field 'move'/);
  await other.close();
  await assert.rejects(other.reset(), /closed/);
});

test('card, picture and prompt', async () => {
  const card = (await env.card()) as Record<string, any>;
  assert.match(
    card['text/plain'],
    /2048 \(game2048\): Slide and merge[^]*actions: UP, RIGHT, DOWN, LEFT[^]*\nObservation [^]*\nboard +integer\[\] +16 items/,
  );
  assert.match(card['text/html'], /data:image\/svg\+xml;base64,/);
  await env.reset({ seed: 1 });
  assert.equal(String(env.render()['image/svg+xml']).match(/<text /g)?.length, 2);
  assert.equal(
    strategyPrompt(env),
    `Write a short TypeScript function strategy(state) that plays 2048.
Slide and merge tiles until one shows 2048. Of each move it tells the points that it makes, and how many cells are empty and how many pairs of equal neighbours there are after it, also as one sum (room); -1 where it changes nothing.
The state:
state.board, array of 16 integers ≥ 0: 16 tile values, row by row from the top left, 0 for an empty cell.
state.legal_actions, array of integers: IDs of the moves that change the board.
state.up_points from -1 to 2048
state.up_empty from -1 to 15
state.up_pairs from -1 to 24
state.up_room from -1 to 30
state.right_points from -1 to 2048
state.right_empty from -1 to 15
state.right_pairs from -1 to 24
state.right_room from -1 to 30
state.down_points from -1 to 2048
state.down_empty from -1 to 15
state.down_pairs from -1 to 24
state.down_room from -1 to 30
state.left_points from -1 to 2048
state.left_empty from -1 to 15
state.left_pairs from -1 to 24
state.left_room from -1 to 30
state.score, integer: Sum of all merged tiles.
state.highest_tile, integer
state.blocked from 0 to 3
It returns one action: "UP", "RIGHT", "DOWN", "LEFT".
Variables outside the function keep their values between calls.`,
  );
});
