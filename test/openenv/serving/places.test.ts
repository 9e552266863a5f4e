import assert from 'node:assert/strict';
import { connect } from 'node:net';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenEnvClient, serve } from '../../../kernel';
import { ServerProcess } from '../../../kernel/openenv';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';
import { eventually } from '../../eventually';
import { code } from '../faultyServer';
import { GuessTheNumber } from './environments';

/** A session that was never played keeps its place for so long on a full server, in milliseconds. One that was keeps it for minutes. */
const IDLE_LIMIT = 300;

const servers: { name: string; url: string; close(): Promise<void> }[] = [];

before(async () => {
  const served = await serve(GuessTheNumber, { capacity: 3, unplayedTimeout: IDLE_LIMIT, requestTimeout: IDLE_LIMIT });
  const script = path.join(packageRoot, 'test', 'environments', 'small_server.py');
  const atari = await ServerProcess.launch({
    name: 'The Atari server',
    command: pythonPath(),
    args: [script, '3', `${IDLE_LIMIT / 1000}`],
    cwd: path.join(packageRoot, 'kernel', 'environments', 'atari'),
  });
  servers.push(
    { name: 'a served class', url: served.url, close: () => served.close() },
    { name: 'the Atari server', url: atari.url, close: () => atari.close() },
  );
});
after(() => Promise.all(servers.map((server) => server.close())));

/** Asks both servers of three places the same. */
function testBoth(title: string, ask: (url: string) => Promise<void>): void {
  test(title, async () => {
    for (const { name, url } of servers) {
      await ask(url).catch((error) => {
        throw new Error(`${name}: ${error.message}`, { cause: error });
      });
    }
  });
}

const join = (url: string, capacityTimeout = 0) => OpenEnvClient.connect(url, { capacityTimeout });

async function rpc(url: string, method: string, params: object = {}): Promise<any> {
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return response.json();
}

testBoth(
  'a full server: who never played gives up a place to who waits, first who waited the longest; who played keeps it',
  async (url) => {
    const players = [await join(url), await join(url)];
    for (const player of players) await player.reset({ seed: 1 });
    const holder = await join(url);
    await sleep(2 * IDLE_LIMIT);
    assert.ok(holder.connected, 'nobody asks');
    const next = await join(url);
    await eventually(() => !holder.connected, 'its session is ended');
    await assert.rejects(holder.state(), code('SESSION_ERROR', /on the full server others were waiting/));
    await next.reset({ seed: 1 });
    await sleep(2 * IDLE_LIMIT);
    await assert.rejects(join(url), code('CAPACITY_REACHED', /./), 'all others have played');
    for (const player of [...players, next]) {
      assert.equal((await player.state()).step_count, 0);
      await player.close();
    }
    await holder.close();
  },
);

testBoth('a client of ours waits for such a place', async (url) => {
  const holders = await Promise.all([join(url), join(url), join(url)]);
  const waiting = await join(url, 30_000);
  await waiting.reset();
  assert.equal(holders.filter((it) => it.connected).length, 2);
  for (const client of [...holders, waiting]) await client.close();
});

testBoth('70 sessions that were made over HTTP and are not used do not keep others out', async (url) => {
  const made: string[] = [];
  let refused = 0;
  for (let i = 0; i < 70; i++) {
    const { result, error } = await rpc(url, 'openenv/session/create');
    if (result) made.push(result.session_id);
    else refused++;
    if (error) assert.equal(error.code, -32000);
  }
  assert.ok(refused > 0);
  await sleep(2 * IDLE_LIMIT);
  const clients = [await join(url), await join(url), await join(url)];
  for (const client of clients) await client.reset();
  await assert.rejects(join(url), code('CAPACITY_REACHED', /./));
  const { error } = await rpc(url, 'openenv/session/close', { session_id: made.at(-1) });
  assert.match(error.message, /Unknown session_id/);
  for (const client of clients) await client.close();
});

testBoth('a session that was made over HTTP is played over a WebSocket, and keeps its place then', async (url) => {
  const { result } = await rpc(url, 'openenv/session/create');
  const { default: WebSocket } = await import('ws');
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?session_id=${result.session_id}`);
  const answers: any[] = [];
  socket.on('message', (text) => answers.push(JSON.parse(String(text))));
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('{"type":"reset","data":{"seed":1}}');
  await eventually(() => answers.length === 1, 'an answer');
  await sleep(2 * IDLE_LIMIT);
  const others = [await join(url), await join(url)];
  for (const other of others) await other.reset();
  await assert.rejects(join(url), code('CAPACITY_REACHED', /./));
  socket.send('{"type":"state"}');
  await eventually(() => answers.length === 2, 'an answer');
  assert.equal(answers[1].type, 'state', JSON.stringify(answers[1]));
  socket.terminate();
  await rpc(url, 'openenv/session/close', { session_id: result.session_id });
  for (const client of others) await client.close();
});

testBoth(
  'connections that say nothing, and requests that do not end, are closed in time; others are answered meanwhile',
  async (url) => {
    const starts = [
      '',
      'GET /health HTT',
      'POST /step HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"action"',
      'POST /step HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n',
    ];
    const ends = starts.map(
      (start) =>
        new Promise<void>((resolve) => {
          const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(start));
          socket
            .resume()
            .on('close', () => resolve())
            .on('error', () => {});
        }),
    );
    assert.equal((await fetch(`${url}/health`)).status, 200);
    await Promise.all(ends);
    assert.equal((await fetch(`${url}/reset`, { method: 'POST' })).status, 200);
  },
);

test('a message over WebSocket that does not end is given up; small ones are not kept out', async () => {
  const { url } = servers[0];
  const { default: WebSocket } = await import('ws');
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('{"type":', { fin: false });
  const ended = new Promise((resolve) => socket.once('close', resolve));
  const other = await join(url);
  await other.reset();
  assert.equal(await ended, 1008);
  await sleep(2 * IDLE_LIMIT);
  await other.state();
  await other.close();
});

test('options that are none are told', async () => {
  for (const [option, value] of Object.entries({
    requestTimeout: 0,
    unplayedTimeout: -1,
    allowedOrigins: ['my.example'],
  })) {
    await assert.rejects(
      serve(GuessTheNumber, { [option]: value }),
      code('INVALID_ARGUMENT', new RegExp(`${option} `)),
    );
  }
});

test('more sites may play where they are allowed, and by their names', async () => {
  const server = await serve(GuessTheNumber, { allowedOrigins: ['https://My.example'] });
  const status = async (headers: Record<string, string>, method = 'POST', url = server.url): Promise<number> => {
    const { request } = await import('node:http');
    return new Promise((resolve) =>
      request(`${url}/reset`, { method, headers }, (response) => resolve(response.statusCode!)).end(),
    );
  };
  assert.equal(await status({ host: 'my.example', origin: 'https://my.example' }), 200);
  assert.equal(await status({ host: 'my.example', origin: 'https://my.example:8443' }), 403);
  assert.equal(await status({ host: 'other.example', origin: 'https://my.example' }), 403);
  await server.close();
  const open = await serve(GuessTheNumber, { allowedOrigins: ['*'] });
  assert.equal(await status({ host: 'other.example', origin: 'null' }, 'POST', open.url), 200);
  await open.close();
});
