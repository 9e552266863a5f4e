import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { openenv, type AtariEnvironment } from '../../kernel/environments';
import { acquireServer } from '../../kernel/environments/atari/servers';
import { replay, rollout, type Episode } from '../../kernel/rollout';
import { code } from '../openenv/faultyServer';

/** Stops processes of this one as a debugger does: they listen, and answer nothing. */
function freeze(module: string): number[] {
  const found = execFileSync('pgrep', ['-P', String(process.pid), '-f', module])
    .toString()
    .trim()
    .split('\n')
    .map(Number);
  for (const pid of found) process.kill(pid, 'SIGSTOP');
  return found;
}

const exists = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** An episode, whose strategy has not played before. */
let played = 0;
async function play(env: AtariEnvironment): Promise<Episode> {
  const { episodes } = await rollout(env, [`function strategy() { return ${++played} % 2; }`], {
    seeds: [1],
    maxSteps: 5,
  });
  return episodes[0] as Episode;
}

test('frozen Atari processes are replaced, before a rollout and within it', async () => {
  const env = await openenv('atari', { game: 'pong', messageTimeout: 1500 });
  assert.equal(env.options.messageTimeout, undefined, "it is none of the game's options");
  const before = await play(env);
  assert.equal(before.steps, 5);

  const frozen = freeze('server.vector_server');
  assert.equal((await play(env)).steps, 5);
  assert.deepEqual(frozen.filter(exists), []);

  // A strategy that sees its game stop: the process is frozen in mid-episode.
  let again: number[] = [];
  const vectorSources = env.vectorSources.bind(env);
  env.vectorSources = async (count) => {
    const sources = await vectorSources(count);
    if (again.length === 0) again = freeze('server.vector_server'); // after it was asked whether it lives
    return sources;
  };
  assert.equal((await play(env)).steps, 5);
  assert.ok(again.length > 0);
  assert.deepEqual(again.filter(exists), []);
  assert.equal((await replay(before, env)).frames?.length, 6);
  await env.close();
});

test('a frozen server: an error in time, and the next reset has another one', async () => {
  const options = { game: 'freeway', messageTimeout: 1500 } as const;
  const [env, other] = [await openenv('atari', options), await openenv('atari', options)];
  const [frozen] = freeze('server.app');
  await assert.rejects(env.step('UP'), code('TIMEOUT', /did not answer within 1\.5 s/));
  const [one, two] = await Promise.all([env.reset({ seed: 1 }), env.reset({ seed: 1 })]);
  assert.deepEqual(one.observation.ram, two.observation.ram);
  assert.ok(!exists(frozen));
  await assert.rejects(other.step('UP'), code('CONNECTION_LOST'));
  assert.deepEqual((await other.reset({ seed: 1 })).observation.ram, one.observation.ram);
  await Promise.all([env.close(), other.close()]);
});

test('a server that is released twice does not take the server from others', async () => {
  const env = await openenv('atari', { game: 'boxing' });
  const { server, release } = await acquireServer(env.options as any);
  await release();
  await release();
  assert.equal(server.exit, undefined);
  assert.equal((await env.step('NOOP')).done, false);
  await env.close();
  assert.notEqual(server.exit, undefined, 'the last one stops it');
});

test('a messageTimeout that is none', async () => {
  await assert.rejects(
    openenv('atari', { game: 'pong', messageTimeout: 0 }),
    code('INVALID_ARGUMENT', /messageTimeout must be a number of milliseconds above 0, not 0/),
  );
});
