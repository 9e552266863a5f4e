import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atariReader, openenv } from '../../kernel/environments';

/** Opening with wrong arguments, as JavaScript allows. */
const open = openenv as (name: string, options?: object) => Promise<unknown>;

test('an unknown environment, game or option: the nearest valid one comes first', async () => {
  await assert.rejects(
    open('atary'),
    /There is no environment 'atary'. Valid are: 'atari', .*; the address of an OpenEnv server/,
  );
  await assert.rejects(
    open('atari', { game: 'brakeout' }),
    /no Atari game 'brakeout'. Did you mean 'breakout'\? The games are: breakout, .*zaxxon/,
  );
  await assert.rejects(open('atari', { game: 'SpaceInvaders' }), /Did you mean 'space_invaders'\?/);
  await assert.rejects(open('atari', { game: 'joust' }), /'joust' is a game for two players only.* The games are: /);
  await assert.rejects(open('atari'), /'atari' needs a game/);
  await assert.rejects(
    open('atari', { game: 'pong', frameskip: 4 }),
    /no option 'frameskip'. The options are: frameSkip, /,
  );
  await assert.rejects(
    open('http://127.0.0.1:1', { game: 'pong' }),
    /no option 'game' for a server's address. The options are: .*connectTimeout/,
  );
});

test('a value of the wrong kind: what it must be', async () => {
  await assert.rejects(
    open('atari', { game: 'pong', frameSkip: 0 }),
    /frameSkip must be a whole number from 1 to 60, not 0/,
  );
  await assert.rejects(
    open('atari', { game: 'pong', repeatActionProbability: 25 }),
    /repeatActionProbability must be a number from 0 to 1, not 25/,
  );
  await assert.rejects(open('atari', { game: 'pong', autoFire: 'yes' }), /autoFire must be true or false, not "yes"/);
  await assert.rejects(
    open('atari', { game: 'pong', terminalOnLifeLoss: 1 }),
    /terminalOnLifeLoss must be true or false, not 1/,
  );
  await assert.rejects(open('atari', { game: 'pong', obsType: 'rgb' }), /obsType must be "ram" or "screen", not "rgb"/);
});

test('FIRE is left out only where it does nothing but serve, and only with autoFire', () => {
  const actions = (options: object): string[] => atariReader(options).actions;
  assert.deepEqual(actions({ game: 'breakout' }), ['NOOP', 'RIGHT', 'LEFT']);
  assert.deepEqual(actions({ game: 'breakout', autoFire: false }), ['NOOP', 'FIRE', 'RIGHT', 'LEFT']);
  assert.deepEqual(actions({ game: 'space_invaders' }), ['NOOP', 'FIRE', 'RIGHT', 'LEFT', 'RIGHTFIRE', 'LEFTFIRE']);
  assert.equal(actions({ game: 'breakout', fullActionSpace: true }).length, 18);
});

test('a mode or difficulty that the game does not have is told before a server starts', async () => {
  await assert.rejects(openenv('atari', { game: 'breakout', mode: 1 }), /'breakout' has no mode 1\. Valid: 0, 4, 8, /);
  await assert.rejects(
    openenv('atari', { game: 'backgammon', difficulty: 0 }),
    /'backgammon' has no difficulty 0\. Valid: 3\./,
  );
  await assert.rejects(
    openenv('atari', { game: 'pong', mode: 1.5 }),
    /mode must be a whole number of at least 0, not 1\.5/,
  );
});
