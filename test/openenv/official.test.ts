import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { openenv, type RemoteEnvironment } from '../../kernel/environments';
import { packageRoot } from '../../kernel/common/packagePaths';
import { code } from './faultyServer';

const ECHO = path.join(packageRoot, 'test', 'openenv', 'official', 'echo_env');

/** The official echo environment: with one place, and with eight. */
let one: RemoteEnvironment;
let eight: RemoteEnvironment;

before(async () => {
  const start = (places: string) =>
    openenv(ECHO, { from: 'python', envVars: { MAX_CONCURRENT_ENVS: places }, startTimeout: 120_000 });
  [one, eight] = await Promise.all([start('1'), start('8')]);
});

after(() => Promise.all([one?.close(), eight?.close()]));

test('official echo: episodes and tools, on a server of one place', async () => {
  assert.equal((await one.metadata()).name, 'EchoEnvironment');
  const start = await one.reset({ seed: 7, episode_id: 'first' });
  assert.equal(start.metadata?.status, 'ready');
  const tools = await one.listTools();
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['echo_message', 'echo_with_length'],
  );
  assert.match(tools[0].description, /Echo back the provided message/);
  assert.deepEqual(tools[0].inputSchema.required, ['message']);
  assert.equal(await one.callTool('echo_message', { message: 'Grüße 🎮' }), 'Grüße 🎮');
  assert.deepEqual(await one.callTool('echo_with_length', { message: 'four' }), { message: 'four', length: 4 });
  assert.equal((await one.state()).step_count, 0, 'calls beside step() are no steps');

  const step = await one.step({ type: 'call_tool', tool_name: 'echo_message', arguments: { message: 'x' } });
  assert.equal(step.observation.result.data, 'x');
  assert.equal((await one.step({ type: 'list_tools' })).observation.tools.length, 2);
  assert.deepEqual(await one.state(), { episode_id: 'first', step_count: 2 });

  await assert.rejects(one.callTool('shout'), code('TOOL_ERROR', /^The tool 'shout' failed: Unknown tool: 'shout'/));
  await assert.rejects(one.callTool('echo_message', { text: 'x' }), code('TOOL_ERROR', /Missing required argument/));
  assert.equal(await one.callTool('echo_message', { message: 'still there' }), 'still there');
});

test('official echo: one place for two who take turns, eight for eight at once', async () => {
  await assert.rejects(one.newSession({ capacityTimeout: 0 }), code('CAPACITY_REACHED', /1 of 1 sessions in use/));
  await one.release();
  const guest = await one.newSession();
  assert.equal((await guest.reset({ episode_id: 'guest' })).done, false);
  const again = one.reset({ episode_id: 'host' }); // waits for the place
  await guest.close();
  await again;
  assert.equal((await one.state()).episode_id, 'host');

  const sessions = await Promise.all(Array.from({ length: 7 }, () => eight.newSession()));
  const played = await Promise.all(
    sessions.map(async (session, i) => {
      await session.reset({ episode_id: `episode ${i}` });
      for (let step = 0; step <= i; step++)
        await session.step({ type: 'call_tool', tool_name: 'echo_message', arguments: { message: String(i) } });
      return session.state();
    }),
  );
  assert.deepEqual(
    played.map(({ episode_id, step_count }) => [episode_id, step_count]),
    sessions.map((_, i) => [`episode ${i}`, i + 1]),
  );
  await assert.rejects(eight.newSession({ capacityTimeout: 0 }), code('CAPACITY_REACHED', /8 of 8 sessions in use/));
  await Promise.all(sessions.map((session) => session.close()));
});

test('official echo, frozen and killed: one line each, and reset goes on', async () => {
  const pids = execFileSync('pgrep', ['-f', `port ${new URL(eight.url).port}`])
    .toString()
    .trim()
    .split('\n')
    .map(Number);
  const session = await eight.newSession({ messageTimeout: 1000, resetTimeout: 60_000 });
  await session.reset();
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await assert.rejects(
    session.step({ type: 'list_tools' }),
    code(
      'TIMEOUT',
      /^The server at \S+ did not answer within 1 s\. The session was given up\. reset\(\) starts a new session\.$/,
    ),
  );
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  assert.equal((await session.reset()).done, false);

  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await assert.rejects(session.state(), code('CONNECTION_LOST', /The environment \S+echo_env died \(signal SIGKILL\)/));
  await assert.rejects(eight.state(), code('CONNECTION_LOST', /reset\(\) starts a new session/));
  assert.equal((await eight.reset()).done, false);
});
