import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openenv, type RemoteEnvironment } from '../../kernel/environments';
import { OpenEnvClient } from '../../kernel/openenv';
import { openenvCommand } from '../environments/python';
import { code, faultyServer } from './faultyServer';

// The environment that `openenv init` makes: an echo, served by OpenEnv's own code, one session at a time.
let folder: string;
let official: RemoteEnvironment;
let url: string;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openenv-'));
  const made = await openenvCommand('init', 'echoing', '--output-dir', folder);
  assert.equal(made.code, 0, made.output);
  official = await openenv(path.join(folder, 'echoing'), { from: 'python' });
  await official.release();
  url = official.url;
});

after(async () => {
  await official?.close();
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
  assert.equal(
    (await env.step({ message: 'again' })).observation.echoed_message,
    'again',
    'the session survives a wrong action',
  );
  assert.match(String((await env.card())['text/plain']), /echoing/i);

  await assert.rejects(env.listTools(), code('NOT_SUPPORTED', /has no tools/));

  await assert.rejects(
    openenv(url, { capacityTimeout: 0 }),
    code('CAPACITY_REACHED', /full: 1 of 1 sessions in use\. Close environments.*MAX_CONCURRENT_ENVS/),
  );
  await assert.rejects(openenv(url, { capacityTimeout: 300 }), code('CAPACITY_REACHED', /was waited for, 0\.3 s/));
  const waiting = openenv(url);
  await env.close();
  await assert.rejects(env.step({ message: 'late' }), code('CLOSED'));
  await assert.rejects(env.reset(), code('CLOSED'));
  const next = await waiting;
  await next.close();
});

test('a program that computes for long without a pause does not take it for a time-out', async () => {
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const server = new Worker(path.join(__dirname, 'answeringWorker.js'), { workerData: answered });
  const [url] = await once(server, 'message');
  const client = await OpenEnvClient.connect(url, { messageTimeout: 1000, pingInterval: 20, pingTimeout: 1000 });
  const step = client.step({ message: 'hello' });
  // The answer is there in time, whenever that is on a loaded machine, but nobody reads it before it is too late.
  for (const late = Date.now() + 2000; Date.now() < late || Atomics.load(answered, 0) === 0; );
  assert.equal((await step).observation.message, 'hello');
  await client.close();
  await server.terminate();
});

test('nobody listens: said at once, with the address', async () => {
  await assert.rejects(
    openenv('http://127.0.0.1:9'),
    code('CONNECTION_FAILED', /No OpenEnv server answers at ws:\/\/127.0.0.1:\d+\/ws/),
  );
});

test('a frozen server: the time-out is an error, and later calls do not wait again', async () => {
  const server = await faultyServer(() => {});
  const client = await OpenEnvClient.connect(server.url, { messageTimeout: 100 });
  await assert.rejects(
    client.step({}),
    code('TIMEOUT', /did not answer within 0.1 s\. .* reset\(\) starts a new session/),
  );
  await assert.rejects(client.step({}), code('TIMEOUT'));
  server.close();
});

test('a server that hangs up', async () => {
  const server = await faultyServer((socket) => socket.close(1011));
  const client = await OpenEnvClient.connect(server.url);
  await assert.rejects(client.step({}), code('CONNECTION_LOST', /broke \(WebSocket code 1011\)/));
  server.close();
});

test('a server that answers garbage', async () => {
  for (const [answer, pattern] of [
    ['garbage', /not an OpenEnv message: garbage/],
    ['[1,2]', /not an OpenEnv message/],
    ['null', /not an OpenEnv message/],
    ['{"type":"state","data":{}}', /answered with a message of type "state" where one of type "observation" was due/],
  ] as const) {
    const server = await faultyServer((socket) => socket.send(answer));
    const client = await OpenEnvClient.connect(server.url);
    await assert.rejects(client.step({}), code('PROTOCOL_ERROR', pattern));
    await client.close();
    server.close();
  }
});

test('an abort ends what is under way, with its reason', async () => {
  const server = await faultyServer(() => {});
  const stop = new AbortController();
  const client = await OpenEnvClient.connect(server.url, { signal: stop.signal });
  const answer = client.reset();
  stop.abort(new Error('interrupted'));
  await assert.rejects(answer, /interrupted/);
  await assert.rejects(OpenEnvClient.connect(server.url, { signal: stop.signal }), /interrupted/);
  server.close();
});

test('answers belong to their requests, in order', async () => {
  const server = await faultyServer((socket, message) =>
    socket.send(JSON.stringify({ type: 'observation', data: { observation: message.data, reward: 0, done: false } })),
  );
  const client = await OpenEnvClient.connect(server.url);
  const answers = await Promise.all([3, 1, 2].map((n) => client.step({ n })));
  assert.deepEqual(
    answers.map(({ observation }) => observation.n),
    [3, 1, 2],
  );
  await client.close();
  server.close();
});
