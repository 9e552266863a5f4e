import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { cellContext, setCellContext } from '../../kernel/display/cellContext';
import { openenv } from '../../kernel/environments';
import { Environment, OpenEnvClient, serve } from '../../kernel/openenv';
import { code, faultyServer, Network } from './faultyServer';

/** Counts its steps. */
class Counting extends Environment<{ by: number }, { count: number }> {
  static override schema = {
    action: { type: 'object', required: ['by'], properties: { by: { type: 'number' } }, additionalProperties: false },
  };
  count = 0;
  override reset() {
    this.count = 0;
    return { observation: { count: 0 } };
  }
  override step({ by }: { by: number }) {
    this.count += by;
    return { observation: { count: this.count }, reward: by };
  }
}

const portOf = (url: string): number => Number(new URL(url).port);

test('the network is cut in mid-episode: one line, and the next reset goes on when it is back', async () => {
  const server = await serve(Counting);
  const network = new Network(portOf(server.url));
  await network.open();
  const env = await openenv(network.url, { reconnectTimeout: 20_000 });
  await env.reset();
  assert.equal((await env.step({ by: 2 })).observation.count, 2);

  network.cut();
  await assert.rejects(
    env.step({ by: 2 }),
    code(
      'CONNECTION_LOST',
      /^The connection to ws:\/\/\S+ broke .*The session is lost\. reset\(\) starts a new session\.$/,
    ),
  );
  await assert.rejects(env.step({ by: 2 }), code('CONNECTION_LOST'));
  const again = env.reset(); // tries until the network is back
  await pause(300);
  network.mend();
  assert.equal((await again).observation.count, 0);
  assert.equal((await env.step({ by: 1 })).observation.count, 1);

  network.cut();
  const impatient = await openenv(server.url).then(
    async (other) => (await other.close(), OpenEnvClient.connect(server.url, { reconnectTimeout: 300 })),
  );
  await impatient.reset();
  await env.close();
  await server.close();
  await assert.rejects(impatient.reset(), code('CONNECTION_FAILED', /No OpenEnv server answers/));
  await impatient.close();
  await network.close();
});

test('the network holds its breath: the step under way goes on', async () => {
  const server = await serve(Counting);
  const network = new Network(portOf(server.url));
  await network.open();
  const env = await openenv(network.url, { pingInterval: 500, pingTimeout: 500 });
  await env.reset();
  network.hold(true);
  const step = env.step({ by: 3 });
  await pause(1500); // pings without an answer, while a request is under way: its own time-out decides
  network.hold(false);
  assert.equal((await step).observation.count, 3);
  await env.close();
  await network.close();
  await server.close();
});

test('a connection that died while nothing was asked is found out by pings, and reset opens another', async () => {
  const server = await serve(Counting);
  const network = new Network(portOf(server.url));
  await network.open();
  const client = await OpenEnvClient.connect(network.url, { pingInterval: 500, pingTimeout: 500 });
  await client.reset();
  network.hold(true);
  while (client.connected) await pause(10);
  await assert.rejects(
    client.step({ by: 1 }),
    code('CONNECTION_LOST', /does not answer pings: it is frozen, or the network is cut/),
  );
  network.hold(false);
  assert.equal((await client.reset()).observation.count, 0);
  await client.close();
  await network.close();
  await server.close();
});

test('an idle session is kept alive by pings', async () => {
  let pinged!: () => void;
  const enough = new Promise<void>((resolve) => (pinged = resolve));
  let pings = 0;
  const server = await faultyServer(
    () => {},
    (socket) => socket.on('ping', () => ++pings === 5 && pinged()),
  );
  const client = await OpenEnvClient.connect(server.url, { pingInterval: 10 });
  await enough;
  assert.ok(client.connected);
  await client.close();
  server.close();
});

test('a session that the server ends is an error with its reason, and reset opens another', async () => {
  const server = await serve(Counting, { idleTimeout: 100 });
  const client = await OpenEnvClient.connect(server.url);
  await client.reset();
  while (client.connected) await pause(10);
  await assert.rejects(client.step({ by: 1 }), code('SESSION_ERROR', /no message came for 0\.1 s/));
  assert.equal((await client.reset()).observation.count, 0);
  await client.close();
  await server.close();
});

test('a message that nobody asked for ends the session: no answer is taken for another', async () => {
  const observation = (n: number): string =>
    JSON.stringify({ type: 'observation', data: { observation: { n }, reward: 0, done: false } });
  const server = await faultyServer((socket, { data }) => {
    socket.send(observation(data.n));
    socket.send(observation(-1));
  });
  const client = await OpenEnvClient.connect(server.url);
  assert.equal((await client.step({ n: 1 })).observation.n, 1);
  while (client.connected) await pause(5);
  await assert.rejects(client.step({ n: 2 }), code('PROTOCOL_ERROR', /nobody asked for/));
  await client.close();
  server.close();
});

test('a server that closes at once, or loses each reset: an error, no endless trying', async () => {
  const closing = await faultyServer(
    () => {},
    (socket) => socket.close(1011),
  );
  await assert.rejects(OpenEnvClient.connect(closing.url), code('CONNECTION_LOST', /WebSocket code 1011/));
  closing.close();
  let resets = 0;
  const losing = await faultyServer((socket) => (resets++, socket.terminate()));
  const client = await OpenEnvClient.connect(losing.url);
  await assert.rejects(client.reset(), code('CONNECTION_LOST'));
  assert.equal(resets, 2);
  await client.close();
  losing.close();
});

test('full: waits for a place, says so, and gives up with what to do', async () => {
  const server = await serve(Counting, { capacity: 2 });
  const first = await OpenEnvClient.connect(server.url);
  const second = await OpenEnvClient.connect(server.url);
  const lines: string[] = [];
  const watched = {
    onWait: (line: string) => lines.push(line),
    onWaited: (successful: boolean) => lines.push(`over: ${successful}`),
  };
  await assert.rejects(
    OpenEnvClient.connect(server.url, { capacityTimeout: 200, ...watched }),
    code('CAPACITY_REACHED', /full: 2 of 2 sessions in use\. A place was waited for, 0\.2 s/),
  );
  assert.match(lines[0], /is full \(2 of 2 sessions in use\): waiting for a place, 1 s at most/);
  assert.equal(lines.at(-1), 'over: false');
  const third = await OpenEnvClient.connect(server.url, { ...watched, onWait: () => void first.close() });
  await third.close();
  assert.equal(lines.at(-1), 'over: true');

  const stop = new AbortController();
  const fourth = await OpenEnvClient.connect(server.url);
  const interrupted = OpenEnvClient.connect(server.url, {
    waitSignal: () => stop.signal,
    onWait: () => stop.abort(new Error('interrupted')),
  });
  await assert.rejects(interrupted, /interrupted/);
  // A session that was given back makes room; its next reset waits for one in turn.
  await second.release();
  await assert.rejects(second.step({ by: 1 }), code('SESSION_ERROR', /given back\. reset\(\) starts a new session/));
  await second.reset();
  await Promise.all([second.close(), fourth.close()]);
  await server.close();
});

test('a cell that runs again takes the place of its earlier run on a full server; others wait', async () => {
  const server = await serve(Counting, { capacity: 1 });
  const console = cellContext();
  const cell = (): void =>
    setCellContext({
      display: (bundle) => console.display(bundle),
      registerCommTarget: () => {},
      signal: new AbortController().signal,
    });
  cell();
  const earlier = await openenv(server.url);
  await earlier.reset();
  await assert.rejects(openenv(server.url, { capacityTimeout: 0 }), code('CAPACITY_REACHED'), 'not within a cell');
  cell();
  const later = await openenv(server.url);
  await later.reset();
  await assert.rejects(
    earlier.step({ by: 1 }),
    code(
      'SESSION_ERROR',
      /The server was full, and the session was given to an environment that was opened later\. reset\(\) starts a new session/,
    ),
  );
  setCellContext(console);
  await earlier.reset(); // and takes it back
  await assert.rejects(later.step({ by: 1 }), code('SESSION_ERROR'));
  await Promise.all([earlier.close(), later.close()]);
  await server.close();
});

async function httpServer(answer: RequestListener): Promise<Server & { url: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

test('servers without WebSocket, without OpenEnv, or behind a door', async () => {
  const old = await httpServer((request, response) =>
    response
      .writeHead(request.url === '/health' ? 200 : 404, { 'content-type': 'application/json' })
      .end('{"status":"healthy"}'),
  );
  await assert.rejects(openenv(old.url), code('NOT_SUPPORTED', /speaks HTTP alone: it has no WebSocket at \/ws/));
  old.close();
  const other = await httpServer((_, response) => response.writeHead(404).end());
  await assert.rejects(
    openenv(other.url),
    code('CONNECTION_FAILED', /is no OpenEnv server: it has neither \/ws nor \/health/),
  );
  other.close();
  const locked = await httpServer((_, response) => response.writeHead(401).end());
  await assert.rejects(openenv(locked.url), code('CONNECTION_FAILED', /HTTP 401.*headers: \{ Authorization/));
  locked.close();
});

test('an old server without metadata, schema and tools', async () => {
  const server = await faultyServer((socket) =>
    socket.send('{"type":"error","data":{"code":"UNKNOWN_TYPE","message":"Unknown message type: mcp"}}'),
  );
  const env = await openenv(server.url, { messageTimeout: 5000 });
  assert.equal(env.name, server.url);
  await assert.rejects(env.callTool('echo'), code('NOT_SUPPORTED', /an old one, without tools/));
  await env.close();
  server.close();
});

test('headers go with every request', async () => {
  const seen = new Set<string | undefined>();
  const server = await httpServer(
    (request, response) => (seen.add(request.headers.authorization), response.writeHead(401).end()),
  );
  await assert.rejects(
    openenv(server.url, { headers: { Authorization: 'Bearer secret' } }),
    (error: Error) => !error.message.includes('secret'),
  );
  assert.deepEqual([...seen], ['Bearer secret']);
  server.close();
});
