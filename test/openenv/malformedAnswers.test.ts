import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openenv } from '../../kernel/environments';
import { OpenEnvClient } from '../../kernel/openenv';
import { rollout } from '../../kernel/rollout';
import { eventually } from '../eventually';
import { code, faultyServer } from './faultyServer';

const observation = (data: unknown): string => JSON.stringify({ type: 'observation', data });
const whole = { observation: { n: 1 }, reward: 1, done: false };

/** What a server may answer in place of an observation, and what the error says. */
const GARBAGE: Array<[answer: string, words: RegExp]> = [
  [observation(null), /data has to be an object, it is null/],
  [observation({}), /observation has to be an object, it is missing/],
  [observation([]), /data has to be an object, it is \[\]/],
  [observation({ ...whole, observation: null }), /observation has to be an object, it is null/],
  [observation({ ...whole, observation: 'x' }), /observation has to be an object, it is "x"/],
  [observation({ ...whole, observation: [1, 2] }), /observation has to be an object, it is \[1,2\]/],
  [observation({ ...whole, reward: 'lots' }), /reward has to be a finite number or null, it is "lots"/],
  [
    observation(whole).replace('"reward":1', '"reward":1e999'),
    /reward has to be a finite number or null, it is Infinity/,
  ],
  [observation({ ...whole, done: 'false' }), /done has to be true or false, it is "false"/],
  [observation({ ...whole, done: undefined }), /done has to be true or false, it is missing/],
  [observation({ ...whole, metadata: 'x' }), /metadata has to be an object, it is "x"/],
  ['{"type":"error","data":null}', /an error that is none of OpenEnv's, which have a code and a message: null/],
  ['{"type":"error","data":{"code":5,"message":"x"}}', /none of OpenEnv's.*"code":5/],
  ['{"type":"error","data":{"code":"EXECUTION_ERROR","message":{"a":1}}}', /none of OpenEnv's/],
  ['{"type":5,"data":{}}', /a message of type 5 where one of type "observation" was due/],
];

test('an answer that is no observation is an error that names what is wrong with it', async () => {
  let answer = '';
  const server = await faultyServer((socket) => socket.send(answer));
  const client = await OpenEnvClient.connect(server.url);
  for (const [text, words] of GARBAGE) {
    answer = text;
    await assert.rejects(client.reset(), code('PROTOCOL_ERROR', words));
    await assert.rejects(client.step({}), code('PROTOCOL_ERROR', words));
  }
  answer = observation({ observation: {}, done: true });
  assert.deepEqual(
    await client.step({}),
    { observation: {}, reward: null, done: true },
    'without a reward, there is none',
  );
  answer = observation({ observation: {}, reward: true, done: true, metadata: null });
  assert.equal((await client.step({})).reward, 1, "OpenEnv's models allow true");
  answer = '{"type":"state","data":[1]}';
  await assert.rejects(client.step({}), code('PROTOCOL_ERROR'));
  answer = '{"type":"mcp","data":null}';
  await assert.rejects(
    client.listTools(),
    code('PROTOCOL_ERROR', /The MCP message .*: data has to be an object, it is null/),
  );
  answer = '{"type":"mcp","data":{"error":5}}';
  await assert.rejects(
    client.callTool('x'),
    code('PROTOCOL_ERROR', /error has to be an object with a message, it is 5/),
  );
  await client.close();
  server.close();
});

test('no rollout counts in which a step was answered with garbage', async (t) => {
  t.mock.method(console, 'warn', () => {});
  for (const [text] of GARBAGE) {
    const server = await faultyServer((socket, { type }) => socket.send(type === 'reset' ? observation(whole) : text));
    const env = await openenv(server.url);
    await assert.rejects(
      rollout(env, ['function strategy() { return { a: 1 }; }'], { seeds: [1], maxSteps: 3 }),
      code('PROTOCOL_ERROR'),
      text,
    );
    await env.close();
    server.close();
  }
});

test('documents that are none: what can be used of them is', async () => {
  const documents: Record<string, string> = {};
  const http = createServer(({ url }, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(documents[url!] ?? '{"status":"healthy"}'),
  );
  const { WebSocketServer } = await import('ws');
  new WebSocketServer({ server: http }).on('connection', (socket) =>
    socket.on('message', (text) =>
      socket.send(String(text).includes('state') ? '{"type":"state","data":{}}' : observation(whole)),
    ),
  );
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  for (const metadata of ['null', '[]', '5', '{}', '{"name":5}', '{"name":""}', '{"name":null,"description":{}}']) {
    for (const schema of [
      'null',
      '[]',
      '"x"',
      '{}',
      '{"action":null}',
      '{"action":{"type":"wrong"},"observation":5,"state":[]}',
      '<html>',
    ]) {
      Object.assign(documents, { '/metadata': metadata, '/schema': schema });
      const env = await openenv(url);
      assert.equal(env.name, url);
      assert.equal(env.description, '');
      assert.match(String((await env.card())['text/plain']), /127\.0\.0\.1/);
      assert.equal((await env.reset()).observation.n, 1);
      assert.equal((await env.step({ any: 1 })).reward, 1);
      await env.close();
    }
  }
  http.closeAllConnections();
  http.close();
});

test('a time-out is in time also where an earlier request had more of it', async () => {
  const server = await faultyServer((socket, { type }) => type === 'reset' && socket.send(observation(whole)));
  const client = await OpenEnvClient.connect(server.url, {
    connectTimeout: 60_000,
    messageTimeout: 100,
    resetTimeout: 600_000,
  });
  await client.reset();
  const start = performance.now();
  await assert.rejects(client.step({}), code('TIMEOUT', /did not answer within 0\.1 s/));
  assert.ok(performance.now() - start < 30_000, 'not after the time of the first question, a minute');
  await client.close();
  server.close();
});

test('resets at the same time after a session was lost share the new one', async () => {
  let opened = 0;
  let closed = 0;
  const server = await faultyServer(
    (socket) => socket.send(observation(whole)),
    (socket) => (opened++, socket.on('close', () => closed++)),
  );
  const client = await OpenEnvClient.connect(server.url);
  await client.release();
  const answers = await Promise.all([client.reset(), client.reset(), client.reset()]);
  assert.deepEqual(
    answers.map(({ observation: { n } }) => n),
    [1, 1, 1],
  );
  assert.equal(opened, 2);
  await client.close();
  await eventually(() => closed === 2, 'both sessions are closed');
  server.close();
});
