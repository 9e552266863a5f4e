import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openenv, type AtariGame } from '../../kernel/environments';
import { atariProcesses } from '../../kernel/environments/atari/servers';
import { replay, rollout } from '../../kernel/rollout';
import { playStream, playSession, type Trajectory } from './trajectories';

const GAMES: AtariGame[] = [
  'breakout',
  'pong',
  'space_invaders',
  'freeway',
  'boxing',
  'seaquest',
  'ms_pacman',
  'bowling',
  'tennis',
  'demon_attack',
];
const STEPS = 2000;
const FIRST_SEED = 11;

/** Every action in turn: {@link playStream} and {@link playSession} play the same. */
const strategy = (actions: number): string => `let step = 0; function strategy() { return (step++ * 7) % ${actions}; }`;

/** Plays episodes, of one seed after the other, until 2,000 steps are played in all. */
async function episodesOf(play: (seed: number, steps: number) => Promise<Trajectory>): Promise<Trajectory[]> {
  const episodes: Trajectory[] = [];
  for (let left = STEPS; left > 0; left -= episodes.at(-1)!.rewards.length)
    episodes.push(await play(FIRST_SEED + episodes.length, left));
  return episodes;
}

/** Steps between frames such that the last step has one. */
function divisorOf(steps: number): number {
  let every = Math.min(steps, 255);
  while (steps % every) every--;
  return every;
}

/** Plays a game in every way there is, over sessions, streams, strategies and replays, and compares all of it. */
async function compare(game: AtariGame, address: string): Promise<string> {
  const env = await openenv('atari', { game });
  const overStream = await episodesOf(async (seed, steps) => (await playStream(address, { game }, [seed], steps))[0]);
  assert.equal(
    overStream.reduce((sum, { rewards }) => sum + rewards.length, 0),
    STEPS,
  );
  const overWebSocket = await episodesOf((seed, steps) => playSession(env, seed, steps));
  assert.deepEqual(overWebSocket, overStream, `${game}: rewards and memory of every step`);

  const code = strategy(env.actions.length);
  for (const [i, { rewards }] of overStream.entries()) {
    const {
      episodes: [episode],
    } = await rollout(env, [code], { seeds: [FIRST_SEED + i], maxSteps: rewards.length });
    assert.deepEqual(episode!.rewards, rewards, `${game}: as a strategy`);
    const { frames } = await replay(episode!, env, { every: divisorOf(rewards.length) }); // fails where rewards, lives or the end differ
    if (i === overStream.length - 1)
      assert.deepEqual(frames.at(-1), await env.render().pixels(), `${game}: the replay's last frame is the session's`);
  }
  await env.close();
  return `${game}: ${overStream.length} episodes`;
}

test('OpenEnv sessions, Atari streams, strategies and replays play the same episodes: 10 games, 2,000 steps of each', async (t) => {
  const processes = await atariProcesses(2);
  const games = [...GAMES];
  // Two games at a time, each with a process of its own.
  await Promise.all(
    processes.map(async ({ url }) => {
      for (let game = games.shift(); game; game = games.shift()) t.diagnostic(await compare(game, url));
    }),
  );
});
