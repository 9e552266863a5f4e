import assert from 'node:assert/strict';
import * as net from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { openenv } from '../../kernel/environments';
import { atariProcesses, acquireServer } from '../../kernel/environments/atari/servers';
import type { OpenEnvError, OpenEnvErrorCode } from '../../kernel/openenv';
import { AtariClient } from '../../kernel/environments/atari/stream';

/** The same numbers in every run. */
function randomNumbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

const MESSAGES = [
  '{"type":"reset","data":{"seed":1}}',
  '{"type":"step","data":{"action_id":1}}',
  '{"type":"state"}',
  '{"type":"mcp","data":{"jsonrpc":"2.0","id":1,"method":"tools/list"}}',
  '[]',
  'null',
  '{"type":{}}',
  '{"type":"step","data":{"action_id":1e400}}',
  '{"type":"reset","data":{"seed":-5,"episode_id":[1]}}',
];

/** A message with a few characters replaced, left out or doubled. */
function mutated(message: string, random: (below: number) => number): string {
  const text = [...message];
  for (let times = random(4); times > 0; times--) {
    const at = random(text.length);
    text.splice(at, random(2), String.fromCharCode(32 + random(200)));
  }
  return text.join('');
}

/** Sends messages to a route; connects again whenever the server hangs up. Waits for an answer or the end after each. */
async function send(url: string, messages: string[]): Promise<void> {
  let socket: WebSocket | undefined;
  for (const message of messages) {
    if (socket?.readyState !== WebSocket.OPEN) {
      socket = new WebSocket(url);
      socket.on('error', () => {}); // a connection that broke is closed, too
      await new Promise((resolve, reject) => socket!.once('open', resolve).once('error', reject));
    }
    socket.send(message);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 50);
      for (const event of ['message', 'close']) {
        socket!.removeAllListeners(event);
        socket!.once(event, () => (clearTimeout(timer), resolve()));
      }
    });
  }
  socket?.close();
}

test('600 mutated messages: the server lives and other sessions are unharmed', async () => {
  const env = await openenv('atari', { game: 'breakout' });
  const { server, release } = await acquireServer(env.options as any);
  const random = randomNumbers(7);
  const calm = async (): Promise<number[]> => {
    const result = await env.reset({ seed: 3 });
    const seen = [...result.observation.ram];
    for (let step = 0; step < 30; step++) seen.push(...(await env.step({ action_id: step % 3 })).observation.ram);
    return seen;
  };
  const before = await calm();
  await env.reset({ seed: 3 });

  const texts = Array.from({ length: 600 }, () => mutated(MESSAGES[random(MESSAGES.length)], random));
  await send(`${server.url.replace('http', 'ws')}/ws`, texts);

  assert.equal(server.exit, undefined);
  assert.equal((await env.state()).step_count, 0);
  assert.deepEqual(await calm(), before);
  await release();
  await env.close();
});

/** Sends bytes over a connection of their own; resolves with the answers when the other side has closed it. */
function sendBytes(url: string, bytes: Uint8Array): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const answers: Buffer[] = [];
    const socket = net.connect(Number(port), hostname, () => socket.end(bytes));
    socket
      .on('data', (chunk) => answers.push(chunk))
      .on('error', () => {})
      .on('close', () => resolve(Buffer.concat(answers)));
  });
}

/** A message of Atari's stream: its length, then its content. */
function framed(content: Uint8Array | string): Uint8Array {
  const bytes = Buffer.from(content as string);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

test('400 mutated messages to an Atari process: it lives and its other sub-environments are unharmed', async () => {
  const [{ url }] = await atariProcesses(1);
  const options = { game: 'breakout' };
  const random = randomNumbers(8);
  const calm = await AtariClient.connect(url, { numEnvs: 2, options });
  const { ram } = await calm.reset([0, 1], [3, 4]);
  const opening = framed(JSON.stringify({ num_envs: 2, options }));
  const openings = [
    '',
    'null',
    '{"num_envs":2}',
    '{"num_envs":1e9,"options":{}}',
    '{"num_envs":1,"options":[]}',
    '{"num_envs":1,"options":{"game":3}}',
  ];
  const noise = (most: number): Uint8Array =>
    Uint8Array.from({ length: random(most) }, () => (random(4) ? random(4) : random(256)));
  for (let i = 0; i < 20; i++) await sendBytes(url, noise(40));
  for (const text of openings)
    assert.match(String(await sendBytes(url, framed(text))), text === '' ? /^$|first request/ : /VALIDATION_ERROR/);
  for (let i = 0; i < 20; i++) {
    const requests = Array.from({ length: 20 }, () => framed(noise(40)));
    await sendBytes(url, Buffer.concat([opening, ...requests, ...(i % 2 ? [noise(3)] : [])]));
  }
  assert.deepEqual((await calm.reset([0, 1], [3, 4])).ram, ram);
  await calm.close();
});

test('a process that answers garbage, hangs up or is frozen', async () => {
  const faulty = async (answer: (socket: net.Socket) => void): Promise<[string, net.Server]> => {
    const server = net.createServer((socket) => socket.on('error', () => {}).once('data', () => answer(socket)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return [`tcp://127.0.0.1:${(server.address() as net.AddressInfo).port}`, server];
  };
  const cases: [(socket: net.Socket) => void, OpenEnvErrorCode, RegExp, number?][] = [
    [(socket) => socket.write(framed('garbage')), 'PROTOCOL_ERROR', /garbage/],
    [(socket) => socket.write('HTTP/1.1 400 Bad Request'), 'PROTOCOL_ERROR', /announces a message of \d+ bytes/],
    [(socket) => socket.end(), 'CONNECTION_LOST', /broke/],
    [() => {}, 'TIMEOUT', /did not answer within 0.2 s/, 200],
  ];
  for (const [answer, code, pattern, messageTimeout = 60_000] of cases) {
    const [url, server] = await faulty(answer);
    const connecting = AtariClient.connect(url, { numEnvs: 1, options: { game: 'pong' }, messageTimeout });
    await assert.rejects(connecting, (error: OpenEnvError) => error.code === code && pattern.test(error.message));
    server.close();
  }
  await assert.rejects(
    AtariClient.connect('tcp://127.0.0.1:1', { numEnvs: 1, options: {} }),
    (error: OpenEnvError) => error.code === 'CONNECTION_FAILED',
  );
});
