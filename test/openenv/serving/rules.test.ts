import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { OpenEnvClient, serve } from '../../../kernel';
import { acquireServer } from '../../../kernel/environments/atari/servers';
import { resolveAtariOptions } from '../../../kernel/environments/atari/options';
import { eventually } from '../../eventually';
import { GuessTheNumber } from './environments';

/*
 * All servers of ours are asked the same questions, and expected to give the
 * same answers: a class that is served, in TypeScript, and the Atari server, in Python.
 */

interface Asked {
  name: string;
  url: string;
  /** An action that is right, as JSON. */
  action: string;
  /** A session that plays all the time, to see that it lives. */
  other: OpenEnvClient;
}

const servers: Asked[] = [];
const stop: (() => Promise<void>)[] = [];

before(async () => {
  const served = await serve(GuessTheNumber);
  const acquired = await acquireServer(resolveAtariOptions({ game: 'breakout' }));
  for (const [name, url, action] of [
    ['a served class', served.url, '{"number":5}'],
    ['the Atari server', acquired.server.url, '{"action_id":1}'],
  ]) {
    const other = await OpenEnvClient.connect(url);
    await other.reset({ seed: 1 });
    servers.push({ name, url, action, other });
  }
  stop.push(
    () => served.close(),
    () => acquired.release(),
  );
});
after(async () => {
  for (const { other } of servers) await other.close();
  for (const end of stop) await end();
});

/** Asks all servers. Afterwards each answers as before, and the other session goes on. */
function testAll(title: string, ask: (server: Asked) => Promise<void>): void {
  test(title, async () => {
    for (const server of servers) {
      await ask(server).catch((error) => {
        throw new Error(`${server.name}: ${error.message}`, { cause: error });
      });
      assert.equal((await fetch(`${server.url}/health`)).status, 200, server.name);
      await server.other.step(JSON.parse(server.action)).catch(async (error) => {
        assert.match(error.message, /over|ended/, `${server.name}: ${error.message}`);
        await server.other.reset({ seed: 1 });
      });
    }
  });
}

/** The first line that answers some bytes; `end` where the connection ends without. */
function raw(url: string, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    const tell = (what: string): void => (socket.destroy(), resolve(what));
    socket
      .once('data', (data) => tell(String(data).split('\r\n')[0]))
      .once('close', () => tell('end'))
      .once('error', () => tell('end'));
    socket.setTimeout(15_000, () => tell('silence'));
  });
}

const request = (method: string, target: string, headers = 'Host: localhost\r\n') =>
  `${method} ${target} HTTP/1.1\r\n${headers}\r\n`;
const upgrade = (target: string, headers = 'Host: localhost\r\n') =>
  request(
    'GET',
    target,
    `${headers}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`,
  );

const deep = (levels: number, inner = '1') => '['.repeat(levels) + inner + ']'.repeat(levels);
const deepObject = (levels: number) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);

for (const [what, bytes, expected] of [
  ['GET //', request('GET', '//'), '404'],
  ['GET //evil/', request('GET', '//evil/'), '404'],
  ['GET /%', request('GET', '/%'), '404'],
  ['GET /%ff%00', request('GET', '/%ff%00'), '404'],
  ['POST //[', request('POST', '//[', 'Host: x\r\nContent-Length: 0\r\n'), '404'],
  ['a target with a question alone', request('GET', '/?'), '200|404'],
  ['an absolute target', request('GET', 'http://localhost/health'), '200'],
  ['an absolute target without a path', request('GET', 'http://localhost'), '200|404'],
  ['OPTIONS *', request('OPTIONS', '*'), '404|405'],
  ['CONNECT', request('CONNECT', 'evil.example:443'), '40[45]'],
  ['a method that nobody knows', request('FOO', '/health'), '40[05]'],
  ['DELETE', request('DELETE', '/step'), '405'],
  ['no HTTP at all', 'hello\r\n\r\n', '400'],
  ['what starts TLS', Buffer.from('16030100a5010000a1030300', 'hex'), '400'],
  ['a length that is none', request('POST', '/step', 'Host: x\r\nContent-Length: -5\r\n'), '400'],
  [
    'two lengths',
    request('POST', '/step', 'Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n') + '0\r\n\r\n',
    '4\\d\\d',
  ],
  ['a chunk that is none', request('POST', '/step', 'Host: x\r\nTransfer-Encoding: chunked\r\n') + 'zz\r\n', '400'],
  [
    'a body that is too large',
    request('POST', '/step', 'Host: x\r\nContent-Length: 999999999999\r\n') + '{'.repeat(2 ** 20 + 1),
    '413',
  ],
  ['headers that are too large', request('GET', '/health', `Host: x\r\nX: ${'x'.repeat(1_000_000)}\r\n`), '4(00|31)'],
  ['a WebSocket to no route', upgrade('/nothing'), '40[34]'],
  ['a WebSocket to //', upgrade('//['), '40[34]'],
  [
    'a WebSocket without a key',
    request('GET', '/ws', 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'),
    '400',
  ],
  ['a name of another site', request('GET', '/schema', 'Host: evil.example\r\n'), '403'],
  ['a WebSocket to a name of another site', upgrade('/ws', 'Host: evil.example:80\r\n'), '403'],
  ['a name that looks like this machine', request('GET', '/schema', 'Host: 127.0.0.1.evil.example\r\n'), '403'],
  ['localhost with a port', request('GET', '/schema', 'Host: LOCALHOST:123\r\n'), '200'],
  ['an address', request('GET', '/schema', 'Host: [::1]:8000\r\n'), '200'],
  ['a name of a local network', request('GET', '/schema', 'Host: host.docker.internal:8000\r\n'), '200'],
] as const) {
  testAll(`over HTTP: ${what} is answered with ${expected}`, async ({ url }) =>
    assert.match(await raw(url, bytes), new RegExp(`^HTTP/1\\.1 (${expected}) `)),
  );
}

testAll('pages of other sites may not play; programs, and pages of this machine, may', async ({ url }) => {
  const strangers = [
    'https://evil.example',
    'null',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://evil.example@localhost',
    'chrome-extension://abcd',
    '',
    'http://localhost, http://evil.example',
  ];
  for (const [origins, status] of [
    [[undefined, 'http://localhost:8888', 'http://127.0.0.1:1', 'https://[::1]:3000', 'http://app.localhost'], '101'],
    [strangers, '403'],
  ] as const) {
    for (const origin of origins) {
      const headers = `Host: localhost\r\n${origin === undefined ? '' : `Origin: ${origin}\r\n`}`;
      for (const route of ['/ws', '/mcp'])
        assert.match(
          await raw(url, upgrade(route, headers)),
          new RegExp(`^HTTP/1\\.1 ${status}`),
          `${route} for ${origin}`,
        );
      const post = await raw(
        url,
        `${request('POST', '/reset', `${headers}Content-Length: 2\r\nContent-Type: text/plain\r\n`)}{}`,
      );
      assert.match(post, status === '403' ? / 403 / : / 200 /, `POST for ${origin}`);
    }
  }
});

const post = async (url: string, body: string | Buffer) => {
  const response = await fetch(url, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
};

/** Bodies that are no message. */
const WRONG: [string, string | Buffer][] = [
  ['an action of 100,000 arrays', `{"action":{"x":${deep(100_000)}}}`],
  ['an action of 100,000 objects', `{"action":${deepObject(100_000)}}`],
  ['300,000 arrays that do not end', '['.repeat(300_000)],
  ['600 arrays', `{"action":{"x":${deep(600)}}}`],
  ['300 arrays in a field that is not known', `{"action":{"x":${deep(300)}}}`],
  ['a body that is no object', '[[1]]'],
  ['null', 'null'],
  ['no JSON', '{'],
  ['NaN', '{"action":{"number":NaN,"action_id":NaN}}'],
  ['Infinity', '{"action":{"number":Infinity,"action_id":Infinity}}'],
  ['1e400', '{"action":{"number":1e400,"action_id":1e400}}'],
  ['an integer of 400 digits', `{"action":{"number":${'9'.repeat(400)},"action_id":${'9'.repeat(400)}}}`],
  ['an integer of 5,000 digits', `{"action":{"number":${'9'.repeat(5000)},"action_id":${'9'.repeat(5000)}}}`],
  ['__proto__ and constructor', '{"action":{"__proto__":{"number":5,"action_id":1},"constructor":1}}'],
  ['a key twice', '{"action":{"number":"x","action_id":"x"},"action":{"number":"y","action_id":"y"}}'],
  ['what is not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
  [
    'a text of 500,000 characters',
    `{"action":{"number":"${'x'.repeat(500_000)}","action_id":"${'x'.repeat(500_000)}"}}`,
  ],
  [
    '20,000 fields that are not known',
    `{"action":{${Array.from({ length: 20_000 }, (_, i) => `"f${i}":"${'x'.repeat(20)}"`)}}}`,
  ],
];

for (const [what, body] of WRONG) {
  testAll(`POST /step of ${what}: 422, which does not quote it`, async ({ url }) => {
    const { status, text } = await post(`${url}/step`, body);
    assert.equal(status, 422, text.slice(0, 200));
    assert.equal(typeof JSON.parse(text).detail[0].msg, 'string');
    assert.ok(text.length < 10_000, `${text.length} characters`);
  });
}

testAll('a message with a byte order mark, and one without a content type, are read', async ({ url, action }) => {
  assert.equal((await post(`${url}/step`, `\ufeff{"action":${action}}`)).status, 200);
  assert.equal((await post(`${url}/step`, Buffer.from(`{"action":${action}}`))).status, 200);
});

for (const [what, body, code] of [
  ['100,000 arrays', deep(100_000), -32700],
  ['deep parameters', `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${deepObject(100_000)}}`, -32700],
  ['no JSON', '{', -32700],
  ['NaN', '{"jsonrpc":"2.0","id":NaN,"method":"tools/list"}', -32700],
  ['what is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), undefined],
  ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]', -32600],
  ['an empty batch', '[]', -32600],
  ['an empty body', '', -32700],
  ['a number', '5', -32600],
  ['no version', '{"id":1,"method":"tools/list"}', -32600],
  ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":["tools/list"]}', -32600],
  ['parameters that are a list', '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[1]}', -32602],
  ['a method that nobody knows', '{"jsonrpc":"2.0","id":1,"method":"constructor"}', -32601],
  [
    'a session that nobody knows',
    '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"session_id":"__proto__"}}',
    -32602,
  ],
  [
    'a session that is an object',
    '{"jsonrpc":"2.0","id":1,"method":"openenv/session/close","params":{"session_id":{"toString":1}}}',
    -32602,
  ],
] as const) {
  testAll(`JSON-RPC: ${what} is answered with an error, over HTTP and WebSocket`, async ({ url }) => {
    const { status, text } = await post(`${url}/mcp`, body);
    if (code === undefined)
      return assert.ok(status === 422 || (status === 200 && JSON.parse(text).error), `${status} ${text}`);
    assert.equal(JSON.parse(text).error.code, code, text.slice(0, 500));
    assert.ok(text.length < 2000);
    const [{ error }] = await said(`${url}/mcp`, [body]);
    // A connection has its own session, whatever it names; this one has no tools.
    assert.ok(error.code === code || (what.includes('session') && error.code === -32603), JSON.stringify(error));
  });
}

/** What a WebSocket says to messages, all sent at once. It has to stay open. */
async function said(url: string, messages: readonly (string | Buffer)[]): Promise<any[]> {
  const socket = new WebSocket(url.replace('http', 'ws'));
  const answers: any[] = [];
  let closed = '';
  socket
    .on('message', (text) => answers.push(JSON.parse(String(text))))
    .on('close', (code) => (closed = `closed (${code})`))
    .on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve));
  for (const message of messages) socket.send(message);
  await eventually(() => answers.length >= messages.length || closed !== '', 'the answers');
  assert.equal(closed, '', JSON.stringify(answers).slice(0, 500));
  socket.terminate();
  return answers;
}

for (const [what, message, code] of [
  ...WRONG.map(
    ([what, body]) =>
      [
        what,
        Buffer.isBuffer(body) ? body : body.replace(/^\{"action":(.*)\}$/s, '{"type":"step","data":$1}'),
        'INVALID_JSON|VALIDATION_ERROR',
      ] as const,
  ),
  ['an empty message', '', 'INVALID_JSON'],
  ['an empty object', '{}', 'UNKNOWN_TYPE'],
  ['a type that is no text', '{"type":{"toString":1}}', 'UNKNOWN_TYPE'],
  ['a type that is a list', `{"type":${deep(100)}}`, 'UNKNOWN_TYPE'],
  ['half of a surrogate pair', '{"type":"\\ud800"}', 'UNKNOWN_TYPE|VALIDATION_ERROR'],
  ['a binary frame that is not UTF-8', Buffer.from([0xff, 0x00]), 'INVALID_JSON'],
  ['data that are no object', '{"type":"reset","data":5}', 'VALIDATION_ERROR'],
  ['a seed that is a text', '{"type":"reset","data":{"seed":"x"}}', 'VALIDATION_ERROR|EXECUTION_ERROR'],
  ['a seed that is a fraction', '{"type":"reset","data":{"seed":0.5}}', 'VALIDATION_ERROR|EXECUTION_ERROR'],
  ['a field that is not known', '{"type":"state","more":1}', 'VALIDATION_ERROR'],
] as const) {
  testAll(`over WebSocket: ${what} is told as an error, and the session lives`, async ({ url, action }) => {
    const [reset, error, step] = await said(`${url}/ws`, [
      '{"type":"reset","data":{"seed":1}}',
      message,
      `{"type":"step","data":${action}}`,
    ]);
    assert.equal(reset.type, 'observation');
    assert.match(`${error.data?.code}`, new RegExp(`^(${code})$`), JSON.stringify(error).slice(0, 500));
    assert.ok(JSON.stringify(error).length < 25_000);
    assert.equal(step.type, 'observation', JSON.stringify(step).slice(0, 300));
  });
}

testAll('over WebSocket: text may come in binary frames, and with a byte order mark', async ({ url, action }) => {
  const answers = await said(`${url}/ws`, [
    Buffer.from('\ufeff{"type":"reset"}'),
    `\ufeff{"type":"step","data":${action}}`,
  ]);
  assert.deepEqual(
    answers.map(({ type }) => type),
    ['observation', 'observation'],
  );
});

/** The code with which a connection is closed that sends some frames after its handshake. */
function closing(url: string, frames: Buffer): Promise<number | string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(upgrade('/ws')));
    let received = Buffer.alloc(0);
    let sent = false;
    const tell = (what: number | string): void => (socket.destroy(), resolve(what));
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      const head = received.indexOf('\r\n\r\n');
      if (head >= 0 && !sent) (sent = true), socket.write(frames), (received = received.subarray(head + 4));
      if (sent && received[0] === 0x88) tell(received.readUInt16BE(2));
    });
    socket
      .on('close', () => tell('end'))
      .on('error', () => tell('end'))
      .setTimeout(15_000, () => tell('silence'));
  });
}

/** A frame of a client, masked with zeros. */
function frame(first: number, length: number, content = Buffer.alloc(0)): Buffer {
  const size =
    length < 126
      ? Buffer.from([0x80 | length])
      : Buffer.from([0x80 | 127, ...new Uint8Array(new BigUint64Array([BigInt(length)]).buffer).reverse()]);
  return Buffer.concat([Buffer.from([first]), size, Buffer.alloc(4), content]);
}

for (const [what, frames, codes] of [
  ['a frame of 10 GB', frame(0x81, 10 ** 10), [1009]],
  ['a compressed frame, which nobody agreed on', frame(0xc1, 4, Buffer.from('abcd')), [1002]],
  ['a frame that is not masked', Buffer.from([0x81, 0x02, 0x7b, 0x7d]), [1002]],
  ['a text that is not UTF-8', frame(0x81, 2, Buffer.from([0xff, 0xfe])), [1007]],
  ['a frame of a kind that is none', frame(0x83, 0), [1002]],
  ['a ping that is too long', frame(0x89, 300, Buffer.alloc(300)), [1002]],
  ['a continuation of nothing', frame(0x80, 0), [1002]],
] as const) {
  testAll(`over WebSocket: ${what} ends its connection with ${codes}`, async ({ url }) =>
    assert.ok((codes as readonly unknown[]).includes(await closing(url, frames))),
  );
}

testAll(
  'thousands of messages at once, whose answers nobody takes, are not all read; other clients play',
  async ({ url, action }) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(upgrade('/ws')));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    const text = Buffer.from(`{"type":"step","data":${action.replace('}', `,"x":"${'x'.repeat(100)}"}`)}`);
    const message = frame(0x81, text.length, text);
    const many = Buffer.concat(Array.from({ length: 1000 }, () => message));
    let written = 0;
    let stuck = false;
    while (!stuck && written < 500) {
      written++;
      stuck = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(resolve, 300, true);
        socket.write(many, () => (clearTimeout(timer), resolve(false)));
      });
    }
    assert.ok(stuck, `${written * 1000} messages were taken`);
    const [reset] = await said(`${url}/ws`, ['{"type":"reset"}']);
    assert.equal(reset.type, 'observation');
    socket.destroy();
  },
);

testAll('pings whose answers nobody takes end their connection', async ({ url }) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(upgrade('/ws')));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  const pings = Buffer.concat(Array.from({ length: 5000 }, () => frame(0x89, 125, Buffer.alloc(125))));
  let written = 0;
  const ended = new Promise<void>((resolve) => socket.on('error', resolve).on('close', () => resolve()));
  const more = (): void => {
    if (!socket.destroyed && written++ < 200) socket.write(pings, more);
  };
  more();
  await ended;
});
