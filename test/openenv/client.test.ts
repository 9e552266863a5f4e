import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { openenv } from '../../kernel/environments';
import { OpenEnvClient, OpenEnvError } from '../../kernel/openenv';
import { pythonPath } from '../../kernel/setup/python';
import { openenvCommand } from '../environments/python';
import { eventually } from '../eventually';

const code = (expected: string, pattern = /./) => (error: OpenEnvError) => {
  assert.equal(error.code, expected, error.message);
  assert.match(error.message, pattern);
  return true;
};

// The environment that `openenv init` makes: an echo, served by OpenEnv's own code, one session at a time.
let folder: string;
let official: ChildProcess;
let url: string;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openenv-'));
  const made = await openenvCommand('init', 'echoing', '--output-dir', folder);
  assert.equal(made.code, 0, made.output);
  official = spawn(pythonPath(), ['-m', 'uvicorn', 'server.app:app', '--port', '0'], { cwd: path.join(folder, 'echoing'), stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  official.stderr!.on('data', chunk => (log += chunk));
  await eventually(() => /running on (http\S+)/.test(log) || official.exitCode !== null, () => `the official server starts: ${log}`);
  url = /running on (http\S+)/.exec(log)?.[1] ?? assert.fail(`the official server ended: ${log}`);
});

after(() => {
  official?.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true });
});

test('an official server: the whole protocol', async () => {
  const env = await openenv(url.replace('http', 'ws'));
  assert.match((await env.metadata()).name, /Echoing/i);
  assert.equal(env.environment, url);
  const { action } = await env.schema();
  assert.deepEqual(action.required, ['message']);

  const start = await env.reset({ seed: 1 });
  assert.equal(start.done, false);
  const { observation } = await env.step({ message: 'hello' });
  assert.equal(observation.echoed_message, 'hello');
  assert.equal((await env.state()).step_count, 1);
  await assert.rejects(env.step({ massage: 'hello' }), code('VALIDATION_ERROR', /There is no field 'massage'/));
  assert.equal((await env.step({ message: 'again' })).observation.echoed_message, 'again', 'the session survives a wrong action');
  assert.match(String((await env.card())['text/plain']), /echoing/i);

  await assert.rejects(openenv(url), code('CAPACITY_REACHED'));
  await env.close();
  await assert.rejects(env.step({ message: 'late' }), code('CLOSED'));
  // Its place is free again as soon as the server has seen that the client went.
  await eventually(() => openenv(url).then(next => next.close()).then(() => true, () => false), 'its place is free again');
});

test('nobody listens: said at once, with the address', async () => {
  await assert.rejects(openenv('http://127.0.0.1:9'), code('CONNECTION_FAILED', /No OpenEnv server answers at ws:\/\/127.0.0.1:\d+\/ws/));
});

/** A server that behaves badly in one way. */
async function faulty(behave: (socket: WebSocket) => void): Promise<{ url: string; close(): void }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise(resolve => server.once('listening', resolve));
  server.on('connection', behave);
  const close = (): void => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, close };
}

test('a frozen server: the time-out is an error, and later calls do not wait again', async () => {
  const server = await faulty(() => {});
  const client = await OpenEnvClient.connect(server.url, { messageTimeout: 100 });
  await assert.rejects(client.reset(), code('TIMEOUT', /did not answer within 0.1 s/));
  await assert.rejects(client.reset(), code('TIMEOUT'));
  server.close();
});

test('a server that hangs up', async () => {
  const server = await faulty(socket => socket.on('message', () => socket.close(1011)));
  const client = await OpenEnvClient.connect(server.url);
  await assert.rejects(client.reset(), code('CONNECTION_LOST', /broke \(WebSocket code 1011\)/));
  server.close();
});

test('a server that answers garbage', async () => {
  for (const [answer, pattern] of [['garbage', /not an OpenEnv message: garbage/], ['[1,2]', /not an OpenEnv message/], ['null', /not an OpenEnv message/], ['{"type":"state","data":{}}', /answered a reset with a message of type "state"/]] as const) {
    const server = await faulty(socket => socket.on('message', () => socket.send(answer)));
    const client = await OpenEnvClient.connect(server.url);
    await assert.rejects(client.reset(), code('PROTOCOL_ERROR', pattern));
    await client.close();
    server.close();
  }
});

test('an abort ends what is under way, with its reason', async () => {
  const server = await faulty(() => {});
  const stop = new AbortController();
  const client = await OpenEnvClient.connect(server.url, { signal: stop.signal });
  const answer = client.reset();
  stop.abort(new Error('interrupted'));
  await assert.rejects(answer, /interrupted/);
  await assert.rejects(OpenEnvClient.connect(server.url, { signal: stop.signal }), /interrupted/);
  server.close();
});

test('answers belong to their requests, in order', async () => {
  const server = await faulty(socket => socket.on('message', text => socket.send(JSON.stringify({ type: 'observation', data: { observation: JSON.parse(String(text)).data, reward: 0, done: false } }))));
  const client = await OpenEnvClient.connect(server.url);
  const answers = await Promise.all([3, 1, 2].map(n => client.step({ n })));
  assert.deepEqual(answers.map(({ observation }) => observation.n), [3, 1, 2]);
  await client.close();
  server.close();
});
