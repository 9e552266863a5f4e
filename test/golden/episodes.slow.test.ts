import { before, test } from 'node:test';
import { Environment, openenv, type AtariEnvironment, type AtariGame, type OfficialAtariEnvironment } from '../../kernel';
import { acquireServer } from '../../kernel/environments/atari/servers';
import { executeWithTimeLimit, replay, rollout, type Episode, type EpisodeFrames, type RolloutEnvironment } from '../../kernel/rollout';
import { officialAtari } from '../environments/official';
import { quietHost } from '../grpo/fixtures';
import { compareWithGolden, hashOf, hashOfBytes, type Golden } from './recording';

const GAMES: AtariGame[] = ['breakout', 'pong', 'seaquest', 'ms_pacman', 'freeway', 'skiing'];
const SECRET = 'a secret of which golden files know';
const SEEDS = [0, 11, 4_000_000_000];

/** Plays on any environment: `actions` is source of what it may return. */
const policies = (actions: string): Record<string, string> => ({
  constant: `function strategy() { return ${actions}[1]; }`,
  random: `function strategy() { const all = ${actions}; return all[Math.floor(Math.random() * all.length)]; }`,
  // Its answers depend on all that it has seen.
  memory: `let sum = 0, calls = 0;
function strategy(state) {
  const all = ${actions};
  for (const number of JSON.stringify(state.ram ?? state).match(/\\d+/g) ?? []) sum = (31 * sum + Number(number)) % 1000003;
  return all[(sum + (calls++ >> 2)) % all.length];
}`,
});

/** Every action's number. */
const numbers = (count: number): string => JSON.stringify(Array.from({ length: count }, (_, i) => i));

before(() => quietHost());

/** All of an episode but the time that it took. */
function told(episode: Episode | null): Golden[string] {
  const { environment, seed, return: sum, steps, end, actions, actionNames } = episode!;
  return { hash: hashOf(episode), environment, seed, steps, return: sum, end: end.reason, began: actions.slice(0, 8).map((action) => actionNames[action]).join(' ') };
}

function framesHash({ width, height, palette, every, frames, pictures }: EpisodeFrames): string {
  return hashOf([width, height, every, hashOfBytes([palette]), hashOfBytes(frames), pictures ?? null]);
}

/** The policies in rollouts, with frames of one episode, one alone, and its replay. */
async function play(env: RolloutEnvironment, codes: Record<string, string>, maxSteps: number): Promise<Golden> {
  const jobs = Object.keys(codes).flatMap((policy) => SEEDS.map((seed) => ({ policy, seed })));
  const options = { seeds: jobs.map(({ seed }) => seed), maxSteps, secret: SECRET, strategyTimeLimit: 60, callTimeLimit: 10 };
  const { episodes, frames } = await rollout(env, jobs.map(({ policy }) => codes[policy]), { ...options, frames: { episodes: [jobs.length - 1], every: 3 } });
  const found: Golden = Object.fromEntries(jobs.map(({ policy, seed }, i) => [`${policy} ${seed}`, told(episodes[i])]));
  found['frames kept'] = { hash: framesHash(frames.get(jobs.length - 1)!) };
  found['frames again'] = { hash: framesHash(await replay(episodes.at(-1)!, env, { every: 2 })) };
  found['alone'] = told(await executeWithTimeLimit(codes.memory, env, { seed: 5, maxSteps: 60, strategyTimeLimit: 60, callTimeLimit: 10 }));
  return found;
}

const named = (name: string, found: Golden): Golden => Object.fromEntries(Object.entries(found).map(([entry, value]) => [`${name}: ${entry}`, value]));

for (const game of GAMES) {
  test(`${game}: Joylab's own stream`, async () => {
    const env = await openenv('atari', { game });
    compareWithGolden('episodes', named(`stream ${game}`, await play(env, policies(numbers(env.actions.length)), 400)));
    await env.close();
  });

  test(`${game}: OpenEnv sessions over WebSocket`, async () => {
    const own = await openenv('atari', { game });
    const acquired = await acquireServer(own.options as Parameters<typeof acquireServer>[0]);
    const env = await openenv(acquired.server.url);
    compareWithGolden('episodes', named(`sessions ${game}`, await play(env, policies(numbers(own.actions.length)), 120)));
    await env.close();
    await acquired.release();
    await own.close();
  });
}

test('strategies read named state, and fail in every way there is', async () => {
  const env = (await openenv('atari', { game: 'breakout', noopMax: 5, frameSkip: 2 })) as AtariEnvironment;
  const codes = {
    memory: 'let n = 0; function strategy(state) { return state.ball_x > state.paddle_x + n++ % 16 ? "RIGHT" : "LEFT"; }',
    throws: 'let n = 0; function strategy() {\n  if (n++ === 7) throw new Error("no more");\n  return 0;\n}',
    'no action': 'let n = 0; function strategy() { return n++ === 9 ? { move: "UP" } : "NOOP"; }',
    'no program': 'function strategy( {',
  };
  compareWithGolden('episodes', named('named state', await play(env, codes, 200)));
  await env.close();
});

test("OpenEnv's own Atari server", async () => {
  const server = await officialAtari({ ATARI_GAME: 'breakout', ATARI_OBS_TYPE: 'ram', ATARI_REPEAT_ACTION_PROBABILITY: '0' });
  const env = (await openenv(server.url)) as unknown as OfficialAtariEnvironment;
  compareWithGolden('episodes', named('official', await play(env, policies(numbers(4)), 100)));
  await env.close();
  await server.close();
});

test('2048', async () => {
  const env = await openenv('game2048');
  compareWithGolden('episodes', named('2048', await play(env, policies('["UP", "LEFT", "DOWN", "RIGHT"]'), 500)));
  await env.close();
});

/** A grid of 5 × 5: reach a place that is drawn. */
class Grid extends Environment<{ move: 'up' | 'down' | 'left' | 'right' }, { x: number; y: number; goal: [number, number] }> {
  static override schema = {
    action: { type: 'object', properties: { move: { enum: ['up', 'down', 'left', 'right'] } }, required: ['move'] },
    observation: { type: 'object', properties: { x: { type: 'integer' }, y: { type: 'integer' }, goal: { type: 'array', items: { type: 'integer' } } }, required: ['x', 'y', 'goal'] },
  };
  private x = 0;
  private y = 0;
  private goal: [number, number] = [0, 0];

  override reset() {
    [this.x, this.y] = [2, 2];
    this.goal = [this.random.int(0, 4), this.random.int(0, 4)];
    return { observation: this.seen() };
  }

  override step({ move }: { move: string }) {
    const limit = (value: number): number => Math.max(0, Math.min(4, value));
    this.x = limit(this.x + Number(move === 'right') - Number(move === 'left'));
    this.y = limit(this.y + Number(move === 'down') - Number(move === 'up'));
    const done = this.x === this.goal[0] && this.y === this.goal[1];
    return { observation: this.seen(), reward: done ? 1 : -0.01, done };
  }

  private seen() {
    return { x: this.x, y: this.y, goal: this.goal };
  }
}

test('a class in a cell', async () => {
  const env = await openenv(Grid);
  compareWithGolden('episodes', named('class', await play(env as RolloutEnvironment, policies('["up", "left", "down", "right"]'), 100)));
  await env.close();
});

