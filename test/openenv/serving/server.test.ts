import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { Environment, openenv, OpenEnvClient, OpenEnvError, serve, type EnvironmentServer } from '../../../kernel';
import { eventually } from '../../eventually';
import { Calculator, GuessTheNumber } from './environments';

let server: EnvironmentServer;
before(async () => (server = await serve(GuessTheNumber)));
after(() => server.close());

const post = async (route: string, body: unknown) => {
  const response = await fetch(server.url + route, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as any };
};
const get = async (route: string, url = server.url) => (await fetch(url + route)).json() as Promise<any>;
const code =
  (expected: string, words: RegExp = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof OpenEnvError);
    assert.equal(error.code, expected);
    assert.match(error.message, words);
    return true;
  };

test('our client plays it: reset, step, state; the same seed gives the same episode', async () => {
  const env = await openenv(server.url);
  const first = await env.reset({ seed: 5, episode_id: 'mine' });
  const { secret } = await env.state();
  assert.deepEqual(await env.step({ number: secret === 1 ? 2 : 1 }), {
    observation: { hint: secret === 1 ? 'high' : 'low', draws: [] },
    reward: 0,
    done: false,
  });
  assert.equal((await env.step({ number: secret })).done, true);
  assert.deepEqual({ ...(await env.state()), guesses: [] }, { guesses: [], secret, episode_id: 'mine', step_count: 2 });
  await assert.rejects(env.step({ number: 1 }), code('EXECUTION_ERROR', /The episode has ended: reset/));
  assert.deepEqual(await env.reset({ seed: 5 }), first);
  assert.equal((await env.state()).secret, secret);
  assert.equal(
    (await env.reset({ secret: 77 }), await env.state()).secret,
    77,
    'further arguments reach the environment',
  );
  await env.close();
});

test('without a seed, episodes differ', async () => {
  const env = await openenv(server.url);
  const draws = new Set<number>();
  for (let i = 0; i < 4; i++) draws.add((await env.reset()).observation.draws[0]);
  assert.equal(draws.size, 4);
  await env.close();
});

test('what is wrong with an action is said in full; the session lives', async () => {
  const client = await OpenEnvClient.connect(server.url);
  await assert.rejects(client.step({ number: 5 }), code('EXECUTION_ERROR', /reset first/));
  await client.reset({ seed: 1 });
  await assert.rejects(
    client.step({ nubmer: 5 }),
    code('VALIDATION_ERROR', /number: Field required[^]*There is no field 'nubmer'/),
  );
  await assert.rejects(
    client.step({ number: 101 }),
    code('VALIDATION_ERROR', /number: Input should be less than or equal to 100 \(given: 101\)/),
  );
  await assert.rejects(
    client.step({ number: '5' }),
    code('VALIDATION_ERROR', /number: Input should be a valid integer \(given: "5"\)/),
  );
  await assert.rejects(client.step({ number: 13 }), code('EXECUTION_ERROR', /RangeError: 13 brings bad luck/));
  await assert.rejects(
    client.reset({ seed: -1 }),
    code('VALIDATION_ERROR', /seed: Input should be greater than or equal to 0/),
  );
  await assert.rejects(client.reset({ seed: 1.5 }), code('VALIDATION_ERROR', /seed/));
  assert.equal((await client.step({ number: 1, metadata: {} } as object)).done, false);
  assert.equal((await client.state()).step_count, 1);
  await client.close();
});

test('the HTTP routes', async () => {
  assert.deepEqual(await get('/health'), { status: 'healthy' });
  assert.deepEqual(await get('/metadata'), { name: 'guess_the_number', description: 'Guess a number from 1 to 100.' });
  const { action, observation, state } = await get('/schema');
  assert.equal(action.additionalProperties, false);
  assert.deepEqual(Object.keys(observation.properties), ['done', 'reward', 'metadata']);
  assert.deepEqual(Object.keys(state.properties), ['episode_id', 'step_count']);
  const reset = await post('/reset', { seed: 3 });
  assert.equal(reset.status, 200);
  assert.deepEqual((await post('/reset', { seed: 3 })).body, reset.body);
  assert.equal((await post('/reset', '')).status, 200);
  assert.equal((await post('/step', { action: { number: 50 } })).body.observation.hint.length > 2, true);
  assert.deepEqual((await post('/step', { action: { number: 0 } })).body.detail[0], {
    type: 'greater_than_equal',
    loc: ['number'],
    msg: 'Input should be greater than or equal to 1',
    input: 0,
    ctx: { ge: 1 },
  });
  assert.equal((await post('/step', {})).status, 422);
  assert.equal((await post('/step', '{')).status, 422);
  assert.deepEqual(await post('/step', { action: { number: 13 } }), {
    status: 500,
    body: { detail: 'RangeError: 13 brings bad luck' },
  });
  assert.equal((await post('/nothing', {})).status, 404);
  assert.equal((await post('/health', {})).status, 405);
  assert.equal((await get('/state')).step_count, 0);
});

test('environments are closed with their sessions', async () => {
  let closed = 0;
  class Counted extends GuessTheNumber {
    override close(): void {
      closed++;
    }
  }
  const counted = await serve(Counted);
  const client = await OpenEnvClient.connect(counted.url);
  await client.reset();
  await client.close();
  await eventually(() => closed > 0, 'the environment is closed');
  await counted.close();
  assert.equal(closed, 1);
});

test('a full server says so; a place that is given back is taken', async () => {
  const small = await serve(GuessTheNumber, { capacity: 1 });
  const first = await openenv(small.url);
  await assert.rejects(openenv(small.url, { capacityTimeout: 0 }), code('CAPACITY_REACHED', /1 of 1 sessions in use/));
  await first.reset();
  await first.close();
  await eventually(() => small.sessions === 0, 'the session is over');
  await (await openenv(small.url)).close();
  await small.close();
});

test('an idle session is closed and its client is told', async () => {
  const quick = await serve(GuessTheNumber, { idleTimeout: 300 });
  const client = await OpenEnvClient.connect(quick.url);
  await client.reset();
  await eventually(() => quick.sessions === 0, 'the session is closed');
  await assert.rejects(client.state(), code('SESSION_ERROR', /no message came for 0.3 s/));
  await quick.close();
});

test('an environment that cannot be made is a FACTORY_ERROR', async () => {
  class Broken extends GuessTheNumber {
    constructor() {
      super();
      throw new Error('no licence');
    }
  }
  const broken = await serve(Broken);
  await assert.rejects(openenv(broken.url), code('FACTORY_ERROR', /no licence/));
  assert.equal((await fetch(`${broken.url}/health`)).status, 200);
  await broken.close();
});

test('what an environment returns by mistake is named', async () => {
  class Careless extends Environment {
    reset() {
      return { observation: {} };
    }
    step({ give }: { give: string }): any {
      return {
        nothing: undefined,
        text: { observation: 'text' },
        nan: { observation: {}, reward: NaN },
        done: { observation: {}, done: 1 },
        big: { observation: { big: 1n } },
      }[give];
    }
  }
  const careless = await serve(Careless);
  const client = await OpenEnvClient.connect(careless.url);
  await client.reset();
  await assert.rejects(
    client.step({ give: 'nothing' }),
    code('EXECUTION_ERROR', /step\(\) has to return \{ observation, reward, done \}.*undefined/),
  );
  await assert.rejects(client.step({ give: 'text' }), code('EXECUTION_ERROR', /object as observation/));
  await assert.rejects(client.step({ give: 'nan' }), code('EXECUTION_ERROR', /the reward NaN/));
  await assert.rejects(client.step({ give: 'done' }), code('EXECUTION_ERROR', /true or false/));
  await assert.rejects(client.step({ give: 'big' }), code('EXECUTION_ERROR', /BigInt/));
  await client.close();
  await careless.close();
});

test('wrong arguments of serve', async () => {
  await assert.rejects(serve(class {} as never), code('INVALID_ARGUMENT', /extends Environment/));
  await assert.rejects(
    serve(GuessTheNumber, { prot: 1 } as never),
    code('INVALID_ARGUMENT', /no option 'prot'\. The options are: port/),
  );
  await assert.rejects(serve(GuessTheNumber, { capacity: 0 }), code('INVALID_ARGUMENT', /capacity/));
  await assert.rejects(
    serve(GuessTheNumber, { schema: { observation: {} }, port: Number(new URL(server.url).port) }),
    code('LAUNCH_FAILED', /in use/),
  );
});

test('tools are listed and called by MCP; without tools it is off', async () => {
  const calculator = await serve(Calculator);
  const rpc = async (url: string, method: string, params?: object) =>
    (await (
      await fetch(`${url}/mcp`, { method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }) })
    ).json()) as any;
  assert.deepEqual(
    (await rpc(calculator.url, 'tools/list')).result.tools.map(({ name }: { name: string }) => name),
    ['add'],
  );
  assert.deepEqual(await rpc(calculator.url, 'tools/call', { name: 'add', arguments: { a: 2, b: 3 } }), {
    jsonrpc: '2.0',
    id: 7,
    result: { content: [{ type: 'text', text: '5' }], data: 5, isError: false },
  });
  assert.match(
    (await rpc(calculator.url, 'tools/call', { name: 'add', arguments: { a: 2 } })).result.content[0].text,
    /b: Field required/,
  );
  assert.match(
    (await rpc(calculator.url, 'tools/call', { name: 'constructor' })).error.message,
    /Tool not found: constructor\. Valid: add/,
  );
  assert.match((await rpc(server.url, 'tools/list')).error.message, /does not support MCP/);
  const socket = await connected(calculator.url);
  assert.equal(
    (
      await ask(
        socket,
        JSON.stringify({
          type: 'mcp',
          data: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'add', arguments: { a: 1, b: 1 } } },
        }),
      )
    ).data.result.content[0].text,
    '2',
  );
  socket.terminate();
  await calculator.close();
});

test('a stopped server tells its clients why, and stops', async () => {
  const stopped = await serve(GuessTheNumber);
  const client = await OpenEnvClient.connect(stopped.url);
  await client.reset();
  await stopped.close('The cell was run again.');
  await assert.rejects(client.step({ number: 1 }), code('SESSION_ERROR', /The cell was run again/));
  await assert.rejects(OpenEnvClient.connect(stopped.url), code('CONNECTION_FAILED'));
});

/** Numbers from a seed, for the messages below. */
function dice(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

async function connected(url: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

function ask(socket: WebSocket, message: string | Buffer): Promise<any> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new Error('closed'));
    socket.once('close', closed);
    socket.once('message', (data) => {
      socket.off('close', closed);
      resolve(JSON.parse(data.toString()));
    });
    socket.send(message);
  });
}

test('1,000 random and mutated messages: each gets an answer of the protocol, and another session goes on unharmed', async () => {
  const random = dice(20);
  const pick = <T>(items: T[]): T => items[Math.floor(random() * items.length)];
  const values = [
    null,
    true,
    -1,
    1e308,
    0.5,
    13,
    50,
    'reset',
    '',
    [],
    {},
    [[[]]],
    { __proto__: 1 },
    { a: { b: [] } },
    '\u0000',
    'é'.repeat(1000),
    2 ** 53,
  ];
  const keys = [
    'type',
    'data',
    'number',
    'seed',
    'episode_id',
    '__proto__',
    'constructor',
    'toString',
    'metadata',
    'action',
    'jsonrpc',
    'method',
    'id',
    'params',
  ];
  const types = ['reset', 'step', 'state', 'mcp', 'reset', 'step', 'resett', 'toString', 5, null, '__proto__'];
  const data = (): unknown =>
    Object.fromEntries(Array.from({ length: Math.floor(random() * 4) }, () => [pick(keys), pick<unknown>(values)]));
  const message = (): string | Buffer => {
    const whole = JSON.stringify({
      type: pick<unknown>(types),
      ...(random() < 0.8 ? { data: random() < 0.7 ? data() : pick<unknown>(values) } : {}),
      ...(random() < 0.1 ? { extra: 1 } : {}),
    });
    const kind = random();
    if (kind < 0.6) return whole;
    if (kind < 0.7) return JSON.stringify(pick<unknown>(values));
    if (kind < 0.8) return whole.slice(0, Math.floor(random() * whole.length));
    const bytes = Buffer.from(whole);
    for (let i = 0; i < 3; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    return kind < 0.9 ? bytes : bytes.toString('latin1');
  };
  const other = await openenv(server.url);
  await other.reset({ secret: 500 });
  const socket = await connected(server.url);
  const seen = new Map<string, number>();
  for (let i = 0; i < 1000; i++) {
    const answer = await ask(socket, message());
    const kind = answer.type === 'error' ? answer.data.code : answer.type;
    assert.match(kind, /^(observation|state|mcp|INVALID_JSON|UNKNOWN_TYPE|VALIDATION_ERROR|EXECUTION_ERROR)$/);
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    if (i % 10 === 0) assert.equal((await other.step({ number: 14 + (i % 80) })).observation.hint, 'low');
  }
  for (const kind of ['observation', 'state', 'INVALID_JSON', 'UNKNOWN_TYPE', 'VALIDATION_ERROR', 'mcp'])
    assert.ok(seen.get(kind)! > 5, `${kind}: ${seen.get(kind)}`);
  assert.equal((await other.state()).step_count, 100);
  socket.terminate();
  await other.close();
});

test('bytes that are no WebSocket, connections that go at once, and a message that is too large do no harm', async () => {
  const { createConnection } = await import('node:net');
  const { port } = new URL(server.url);
  const other = await openenv(server.url);
  await other.reset({ secret: 500 });
  for (let i = 0; i < 20; i++) {
    const raw = createConnection(Number(port), '127.0.0.1').on('error', () => {});
    raw.write(
      i % 2
        ? 'GET /ws HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n\xff\xff'
        : Buffer.from([0, 255, 129, i]),
    );
    setTimeout(() => raw.destroy(), 10);
    (await connected(server.url)).terminate();
  }
  const frames = await connected(server.url);
  (frames as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
    Buffer.from([0xff, 0xff, 0xff, 0xff]),
  );
  await new Promise((resolve) => frames.once('close', resolve).on('error', () => {}));
  const large = await connected(server.url);
  large.send(Buffer.alloc(101 * 2 ** 20, 32));
  assert.equal(await new Promise((resolve) => large.once('close', resolve).on('error', () => {})), 1009);
  assert.equal((await other.step({ number: 20 })).observation.hint, 'low');
  await other.close();
});
