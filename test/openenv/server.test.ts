import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import * as net from 'node:net';
import * as path from 'node:path';
import { test } from 'node:test';
import { openenv } from '../../kernel/environments';
import { acquireServer } from '../../kernel/environments/atari/servers';
import { type OpenEnvError, ServerProcess } from '../../kernel/openenv';
import { pythonPath } from '../../kernel/common/packagePaths';
import { eventually } from '../eventually';

/** Launches a Python program as a server. */
const launch = (program: string, timeout = 120_000): Promise<ServerProcess> =>
  ServerProcess.launch({
    name: 'The test server',
    command: pythonPath(),
    args: ['-c', program],
    cwd: process.cwd(),
    timeout,
  });

const failure = (pattern: RegExp) => (error: OpenEnvError) =>
  error.code === 'LAUNCH_FAILED' && pattern.test(error.message);

test('a server that dies at its start says why', async () => {
  await assert.rejects(
    launch('import sys; sys.exit("no such game")'),
    failure(/The test server died \(exit code 1\). Its last words:\nno such game/),
  );
});

test('a server that is never ready is given up and stopped', async () => {
  const started = Date.now();
  await assert.rejects(
    launch('import time; time.sleep(60)', 500),
    failure(/The test server was not ready within 0.5 s/),
  );
  assert.ok(Date.now() - started < 30_000);
});

test('a program that is no server, or does not exist', async () => {
  await assert.rejects(launch('print("hello")'), failure(/did not say its address: hello|died \(exit code 0\)/));
  await assert.rejects(
    ServerProcess.launch({ name: 'It', command: '/no/such/program', args: [], cwd: '/' }),
    failure(/It could not be started: .*ENOENT/),
  );
});

test('a server killed in mid-episode: a clear error at once, and reset goes on', async () => {
  const env = await openenv('atari', { game: 'breakout' });
  const { server, release } = await acquireServer(env.options as any);
  await env.reset({ seed: 1 });
  await env.step('LEFT');
  process.kill(server.pid!, 'SIGKILL');
  const killed = Date.now();
  await assert.rejects(
    async () => {
      while (Date.now() - killed < 50_000) await env.step('LEFT');
    },
    (error: OpenEnvError) =>
      error.code === 'CONNECTION_LOST' &&
      /The Atari server \(breakout\) died \(signal SIGKILL\)/.test(error.message) &&
      /reset\(\) starts a new session/.test(error.message),
  );
  // Within a second on a quiet machine; what waits for an answer waits for a minute.
  assert.ok(Date.now() - killed < 50_000, `${Date.now() - killed} ms`);
  await assert.rejects(env.step('LEFT'), /died/);
  await release();
  assert.equal((await env.reset({ seed: 1 })).observation.lives, 5);
  await env.step('LEFT');
  await env.close();
  await assert.rejects(env.step('LEFT'), (error: OpenEnvError) => error.code === 'CLOSED');
});

/** Whether something listens at an address. */
function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

test('no server outlives its parent, however that ends', async () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const parent = spawn(process.execPath, [path.join(__dirname, 'launch_and_wait.js')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const urls: string[] = JSON.parse(
      await new Promise<string>((resolve) => parent.stdout.once('data', (chunk) => resolve(String(chunk)))),
    );
    for (const url of urls) assert.ok(await listens(url), `${url} runs`);
    parent.kill(signal);
    for (const url of urls)
      await eventually(async () => !(await listens(url)), `${url} ends after its parent's ${signal}`);
  }
});

test('an idle environment does not keep a program alive', () => {
  const index = path.join(__dirname, '..', '..', 'kernel', 'environments', 'index.js');
  const program = `require(${JSON.stringify(index)}).openenv('atari', { game: 'breakout' }).then(async env => { await env.vectorSources(1); await env.reset(); console.log('done'); })`;
  assert.equal(execFileSync(process.execPath, ['-e', program], { timeout: 300_000 }).toString(), 'done\n');
});
