import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { Environment, openenv, OpenEnvClient, serve } from '../../../kernel';
import { eventually } from '../../eventually';
import { code } from '../faultyServer';
import { GuessTheNumber } from './environments';

/** Counts; a step without `by` takes the schema's default. */
class Steps extends Environment<{ by?: number }, { count: number }> {
  static override schema = {
    action: {
      type: 'object',
      properties: { by: { type: 'integer', minimum: 1, maximum: 3, default: 2 } },
      additionalProperties: false,
    },
  };
  private count = 0;

  reset() {
    this.count = 0;
    return { observation: { count: 0 } };
  }

  step({ by }: { by?: number }) {
    this.count += by!;
    return { observation: { count: this.count }, reward: by };
  }
}

test("defaults of the schema reach the environment, and the sender's action stays as it is", async () => {
  const server = await serve(Steps);
  const env = await openenv(server.url);
  await env.reset();
  const action = {};
  assert.deepEqual(await env.step(action), { observation: { count: 2 }, reward: 2, done: false });
  assert.deepEqual(action, {});
  await env.close();
  const post = await fetch(`${server.url}/step`, { method: 'POST', body: '{"action":{}}' });
  assert.equal(((await post.json()) as any).reward, 2);
  await server.close();
});

test('the message of a refused action tells the first problem itself, for clients that show no more; ours tells each once', async () => {
  const server = await serve(GuessTheNumber);
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`);
  const answer = new Promise<any>((resolve) => socket.once('message', (text) => resolve(JSON.parse(String(text)))));
  socket.once('open', () => socket.send('{"type":"step","data":{"nubmer":5}}'));
  assert.equal((await answer).data.message, 'Invalid message: number: Field required (and 1 more)');
  socket.terminate();
  const client = await OpenEnvClient.connect(server.url);
  await assert.rejects(client.step({ nubmer: 5 }), {
    message: "Invalid message\n  number: Field required\n  There is no field 'nubmer'. Valid: number.",
  });
  await client.close();
  await server.close();
});

test('a client that is gone without a word gives its place back; one that answers pings keeps it', async () => {
  const server = await serve(Steps, { pingTimeout: 250, capacity: 2 });
  const connected = (options: WebSocket.ClientOptions) =>
    new Promise<WebSocket>((resolve) => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`, options);
      socket.once('open', () => resolve(socket));
    });
  const [alive, dead] = [await connected({}), await connected({ autoPong: false })];
  const gone = new Promise((resolve) => dead.once('close', resolve));
  assert.equal(server.sessions, 2);
  await gone;
  await eventually(() => server.sessions === 1, 'its place is free');
  let pings = 0;
  alive.on('ping', () => pings++);
  await eventually(() => pings > 7, 'pings go on');
  assert.equal(alive.readyState, WebSocket.OPEN);
  alive.terminate();
  await server.close();
  await assert.rejects(serve(Steps, { pingTimeout: 0 }), code('INVALID_ARGUMENT', /pingTimeout is 0/));
});

test('pages of other sites may not play; programs, and pages of this machine, may', async () => {
  const server = await serve(Steps);
  const tries = (route: string, origin: string | undefined) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}${route}`, { origin });
      socket.once('open', () => (socket.terminate(), resolve('open'))).once('error', ({ message }) => resolve(message));
    });
  for (const route of ['/ws', '/mcp']) {
    for (const origin of [undefined, 'http://localhost:8888', 'http://127.0.0.1:1', 'https://[::1]:3000'])
      assert.equal(await tries(route, origin), 'open', origin);
    for (const origin of [
      'https://evil.example',
      'null',
      'http://localhost.evil.example',
      'http://127.0.0.1.evil.example',
    ])
      assert.match(await tries(route, origin), /403/, origin);
  }
  const post = (origin: string) =>
    fetch(`${server.url}/reset`, { method: 'POST', headers: { origin } }).then(({ status }) => status);
  assert.deepEqual([await post('https://evil.example'), await post('http://localhost:3000')], [403, 200]);
  await server.close();

  const open = await serve(Steps, { host: '0.0.0.0' });
  const own = open.url.replace('localhost', '127.0.0.1');
  const headers = { host: 'my-space.example', origin: 'https://my-space.example' };
  const status = await new Promise((resolve) =>
    new WebSocket(`${own.replace('http', 'ws')}/ws`, { headers })
      .once('open', function (this: WebSocket) {
        this.terminate();
        resolve('open');
      })
      .once('error', resolve),
  );
  assert.equal(status, 'open', 'a server for all takes the pages of its own site');
  await open.close();
});

test('addresses that are none do no harm', async () => {
  const server = await serve(Steps);
  const { connect } = await import('node:net');
  for (const head of [
    'GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'POST //[ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
  ]) {
    const raw = connect(Number(new URL(server.url).port), '127.0.0.1');
    raw.write(head);
    assert.match(String(await new Promise((resolve) => raw.once('data', resolve))), /^HTTP\/1\.1 [45]\d\d /);
    raw.destroy();
  }
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
  await server.close();
});

test('an environment whose close() fails: the error that counts is the other one', async (t) => {
  const logged = t.mock.method(console, 'error', () => {});
  class Unclosing extends GuessTheNumber {
    override close(): void {
      throw new Error('the door is stuck');
    }
  }
  const server = await serve(Unclosing);
  const step = await fetch(`${server.url}/step`, { method: 'POST', body: '{"action":{"number":13}}' });
  assert.deepEqual([step.status, await step.json()], [500, { detail: 'RangeError: 13 brings bad luck' }]);
  assert.equal((await fetch(`${server.url}/reset`, { method: 'POST' })).status, 200);
  assert.equal(logged.mock.callCount(), 2);
  await server.close();
});

test('a class whose constructor wants arguments is refused, with what to do', async () => {
  class Sized extends GuessTheNumber {
    constructor(readonly size: number) {
      super();
    }
  }
  await assert.rejects(
    serve(Sized as never),
    code('INVALID_ARGUMENT', /The constructor of Sized wants an argument.*Give its parameters defaults/),
  );
});

test('close() of a server comes back also while a step hangs', async () => {
  const script = `
    const { Environment, OpenEnvClient, serve } = require(${JSON.stringify(join(__dirname, '..', '..', '..', 'kernel'))});
    class Hanging extends Environment { reset() { return { observation: {} }; } step() { return new Promise(() => {}); } }
    (async () => {
      const server = await serve(Hanging);
      const client = await OpenEnvClient.connect(server.url);
      await client.reset();
      client.step({}).catch(({ code }) => console.log('step', code));
      await client.health();
      await server.close();
      console.log('closed', server.sessions);
    })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { timeout: 60_000 });
  assert.deepEqual(stdout.trim().split('\n').sort(), ['closed 0', 'step SESSION_ERROR']);
});
