import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import {
  Environment,
  openenv,
  OpenEnvClient,
  OpenEnvError,
  serve,
  strategyPrompt,
  type EnvironmentServer,
  type RemoteEnvironment,
} from '../../kernel';
import { Episode, executeWithTimeLimit, replay, rollout } from '../../kernel/rollout';
import { eventually } from '../eventually';
import { GuessTheNumber } from '../openenv/serving/environments';
import { bisect, guessServers, mortalServer, waitingBisect } from './numberGuessing';

let python: ChildProcess;
/** Rooms for 1, 4 and 3 sessions. */
let urls: string[];
let ours: EnvironmentServer;
before(async () => {
  ({ urls, process: python } = await guessServers(1, 4, 3));
  ours = await serve(GuessTheNumber, { capacity: 2 });
});
after(async () => {
  python.kill('SIGKILL');
  await ours.close();
});

/** Listens, and never ends. */
class Listener extends Environment<{ said: string }, { heard: number }> {
  static override schema = {
    action: { type: 'object', properties: { said: { type: 'string' } }, required: ['said'] },
    observation: { type: 'object', properties: { heard: { type: 'integer' } }, required: ['heard'] },
    state: { type: 'object' },
  };
  reset() {
    return { observation: { heard: 0 } };
  }
  step({ said }: { said: string }) {
    return { observation: { heard: said.length } };
  }
}

const code =
  (expected: string, pattern = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof OpenEnvError, String(error));
    assert.equal(error.code, expected, error.message);
    assert.match(error.message, pattern);
    return true;
  };

/** Different strategies, so that none is played for another. */
const many = (source: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${source}\n// ${i}`);
const seedsOf = (codes: unknown[]): number[] => codes.map((_, i) => i);

/** Plays to the end and checks that all episodes are whole. */
async function playAll(env: RemoteEnvironment, count = 16, strategy = bisect): Promise<Episode[]> {
  const codes = many(strategy, count);
  const episodes = (await rollout(env, codes, { seeds: seedsOf(codes) })).episodes as Episode[];
  for (const [seed, episode] of episodes.entries()) {
    assert.deepEqual([episode.seed, episode.return, episode.end], [seed, 1, { reason: 'terminated' }]);
    assert.equal(episode.observations!.length, episode.steps + 1);
  }
  return episodes;
}

/** Waits until a server has given all its places back. */
async function allFree(url: string, capacity: number): Promise<void> {
  const clients: OpenEnvClient[] = [];
  await eventually(
    async () => {
      const client = await OpenEnvClient.connect(url, { capacityTimeout: 0 } as object).catch(() => undefined);
      const free =
        client &&
        (await client.state().then(
          () => true,
          () => false,
        ));
      if (free) clients.push(client);
      return clients.length === capacity;
    },
    () => `${clients.length} of ${capacity} places are free`,
  );
  for (const client of clients) await client.close();
}

test('16 strategies on a server with one place, which the environment itself holds', async () => {
  const env = await openenv(urls[0]);
  await env.reset({ seed: 1 });
  const episodes = await playAll(env);
  assert.ok(
    episodes.every(({ observations }) => observations![0]!.place.most === 1),
    'one at a time',
  );
  const { observation } = await env.reset({ seed: 3 });
  assert.equal(observation.hint, 'start', 'the environment has its place again');
  await env.close();
  await allFree(urls[0], 1);
});

test('16 strategies on a server with four places: all are used, and given back', async () => {
  const env = await openenv(urls[1]);
  await env.reset();
  await playAll(env, 16, waitingBisect);
  assert.equal((await env.state()).step_count, 0, 'the episode of the environment itself goes on');
  await env.close();
  await allFree(urls[1], 4);
  const most = await OpenEnvClient.connect(urls[1]);
  assert.equal((await most.reset()).observation.place.most, 4);
  await most.close();
});

test('several servers are one pool', async () => {
  const env = await openenv([urls[1], urls[2], urls[0]]);
  const episodes = await playAll(env, 24);
  const [other] = (await rollout(env, [bisect], { seeds: [5] })).episodes;
  assert.equal(other!.end.reason, 'terminated');
  assert.equal(episodes.length, 24);
  await env.close();
  await allFree(urls[1], 4);
  await allFree(urls[2], 3);
  await allFree(urls[0], 1);
});

test('a class of ours over WebSocket; the record holds what was seen and done', async () => {
  const env = await openenv(ours.url);
  const [episode] = (await rollout(env, [bisect], { seeds: [4] })).episodes as Episode[];
  assert.equal(episode.environment, 'guess_the_number');
  assert.deepEqual(Object.keys(episode.stateAt(0)), ['hint', 'draws']);
  assert.equal(episode.stateAt(episode.steps).hint, 'right');
  assert.deepEqual(episode.actions.map((action) => episode.actionValues![action]).slice(0, 1), [{ number: 50 }]);
  assert.equal(episode.actionNames[episode.actions[0]], '50');
  const read = new Episode(JSON.parse(JSON.stringify(episode)));
  assert.deepEqual(JSON.stringify(read), JSON.stringify(episode));
  const locally = await executeWithTimeLimit(bisect, env, { seed: 4 });
  assert.deepEqual(locally, episode);
  const plain = new Function(`${bisect}; return strategy;`)() as (state: object) => unknown;
  assert.deepEqual(await executeWithTimeLimit(plain, env, { seed: 4 }), episode);
  await env.close();
});

test('a replay has the same seed and actions, and says where it goes another way', async () => {
  const env = await openenv(urls[1]);
  const [episode] = (await rollout(env, [bisect], { seeds: [8] })).episodes as Episode[];
  const frames = await replay(episode, env);
  assert.equal(frames.pictures!.frames.length, episode.steps + 1);
  assert.match(frames.pictures!.frames.at(-1)!, /^hint: right\nguesses: 50 /);
  await assert.rejects(
    replay({ ...episode, seed: 9 }, env),
    /step \d gave another observation\. The server does not follow the seed/,
  );
  await assert.rejects(
    replay({ ...episode, environment: 'chess' }, env),
    /played in 'chess'; this environment is 'guess'/,
  );
  await env.close();
});

test('what a strategy may return: an object, or the value of the one required field', async () => {
  const env = await openenv(urls[1]);
  const codes = [
    'return { number: 7, mood: "unsure" };',
    'return 7;',
    'return "7";',
    'return { number: 0 };',
    'return { guess: 1 };',
    'return 7.5;',
    'return null;',
    'throw new Error("x");',
    'for (;;);',
  ];
  const { episodes } = await rollout(
    env,
    codes.map((text) => `function strategy() { ${text} }`),
    { seeds: codes.map(() => 1), maxSteps: 2 },
  );
  const ends = episodes.map((episode) => `${episode!.end.reason}: ${episode!.end.message}`);
  assert.match(ends[0], /truncated: 2 steps/);
  assert.match(ends[1], /truncated: 2 steps/);
  assert.match(
    ends[2],
    /invalid_action: the strategy returned "7" \(number: Input should be a valid integer\)\. Valid: integer from 1 to 1000, or an object \{ number: integer from 1 to 1000, mood\?: "sure" \| "unsure" \}/,
  );
  assert.match(ends[3], /invalid_action: .*number: Input should be greater than or equal to 1/);
  assert.match(ends[4], /invalid_action: .*number: Field required/);
  assert.match(ends[5], /invalid_action/);
  assert.match(ends[6], /invalid_action: the strategy returned null/);
  assert.match(ends[7], /error: Error: x/);
  assert.match(ends[8], /timeout/);
  const refused = await executeWithTimeLimit(() => 101, env);
  assert.match(
    `${refused.end.reason} ${refused.end.message}`,
    /invalid_action the server refused the action \{"number":101\}/,
  );
  await env.close();
});

test('actions that would fill the memory as they are recorded end their episode', async (t) => {
  const server = await serve(Listener);
  t.after(() => server.close());
  const env = await openenv(server.url);
  const { episodes } = await rollout(
    env,
    ['let n = 0; function strategy() { return { said: "x".repeat(60000) + n++ }; }'],
    { seeds: [0], callTimeLimit: 10, strategyTimeLimit: 100 },
  );
  assert.deepEqual(
    [episodes[0]!.end, episodes[0]!.steps],
    [{ reason: 'memory', message: 'its actions take more than 8000000 characters' }, 134],
  );
  await env.close();
});

test('an environment that fails in mid-episode: the episode does not count, the others go on', async (t) => {
  const env = await openenv(urls[1]);
  const warned = t.mock.method(console, 'warn', () => {});
  const codes = [bisect, 'function strategy() { return 13; }', `${bisect}//`];
  const { episodes } = await rollout(env, codes, { seeds: [1, 2, 3] });
  assert.deepEqual(
    episodes.map((episode) => episode!.end.reason),
    ['terminated', 'environment_error', 'terminated'],
  );
  assert.deepEqual(
    warned.mock.calls.map(({ arguments: [line] }) => line),
    ['guess: 1 of 3 episodes could not be played and do not count. EXECUTION_ERROR: 13 brings bad luck'],
  );
  await assert.rejects(
    executeWithTimeLimit(() => 13, env),
    code('EXECUTION_ERROR', /13 brings bad luck/),
  );
  await assert.rejects(rollout(env, [codes[1]], { seeds: [1] }), code('EXECUTION_ERROR'));
  await env.close();
});

test('an interrupt gives the sessions back', async (t) => {
  // A server of its own: how many played at once is counted from its start.
  const {
    urls: [url],
    process: server,
  } = await guessServers(4);
  t.after(() => server.kill('SIGKILL'));
  const env = await openenv(url);
  // Before the rollout, which takes all places that are left.
  const watcher = await OpenEnvClient.connect(url);
  const most = async (): Promise<number> => (await watcher.reset()).observation.place.most;
  assert.equal(await most(), 1);
  const controller = new AbortController();
  const codes = many('function strategy() { return 1; }', 8);
  const running = rollout(env, codes, {
    seeds: seedsOf(codes),
    maxSteps: 1e6,
    strategyTimeLimit: 1000,
    signal: controller.signal,
  });
  await eventually(async () => (await most()) >= 3, 'two games are played beside the watcher');
  controller.abort();
  const { episodes } = await running;
  assert.ok(episodes.every((episode) => episode!.end.reason === 'aborted'));
  await watcher.close();
  await env.close();
  await allFree(url, 4);
});

const killer = 'function strategy({ guesses }) { return guesses.length < 20 ? 1 : 666; }';

test('a server that dies: its games are played again on another', async (t) => {
  const warned = t.mock.method(console, 'warn', () => {});
  const [mortal, other] = await Promise.all([mortalServer(''), mortalServer('nothing')]);
  const env = await openenv([mortal.url, other.url], { reconnectTimeout: 300 });
  const codes = [killer, ...many('function strategy() { return 1; }', 5)];
  const { episodes } = await rollout(env, codes, { seeds: seedsOf(codes), maxSteps: 60 });
  assert.ok(mortal.process.exitCode !== null, 'the server is dead');
  assert.deepEqual(
    episodes.map((episode) => `${episode!.end.reason} ${episode!.steps}`),
    codes.map(() => 'truncated 60'),
  );
  assert.equal(warned.mock.callCount(), 0);
  other.process.kill('SIGKILL');
});

test('a strategy that kills servers ends as an error, and what others played counts', async (t) => {
  const warned = t.mock.method(console, 'warn', () => {});
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-mortal-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const sign = path.join(folder, 'won');
  const mortals = await Promise.all([mortalServer(sign), mortalServer(sign)]);
  const env = await openenv(
    mortals.map(({ url }) => url),
    { reconnectTimeout: 300 },
  );
  const codes = [killer, ...many(bisect, 5)];
  const { episodes } = await rollout(env, codes, { seeds: seedsOf(codes), maxSteps: 60 });
  assert.equal(episodes[0]!.end.reason, 'environment_error');
  assert.match(episodes[0]!.end.message!, /CONNECTION_(LOST|FAILED)/);
  assert.ok(
    episodes.some((episode) => episode!.end.reason === 'terminated'),
    'others were played',
  );
  assert.equal(warned.mock.callCount(), 1);
  for (const { process } of mortals) process.kill('SIGKILL');
});

test('the prompt tells fields, types, ranges and descriptions', async () => {
  const env = await openenv(ours.url);
  assert.equal(
    strategyPrompt(env),
    'Write a short TypeScript function strategy(state) that plays guess_the_number.\nGuess a number from 1 to 100.\nIt returns one action (number), integer from 1 to 100\nVariables outside the function keep their values between calls.',
  );
  await env.close();
});
