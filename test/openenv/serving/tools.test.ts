import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { serve, type EnvironmentServer } from '../../../kernel/openenv';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';
import { eventually } from '../../eventually';
import { Calculator } from './environments';

/** A calculator that keeps notes, which tell sessions apart. */
class Notebook extends Calculator {
  static closed = 0;
  private readonly notes: string[] = [];

  constructor() {
    super();
    const note = {
      description: 'Keeps a note, and gives all.',
      call: ({ text }: { text: string }) => [...this.notes, this.notes.push(text) && text],
    };
    Object.assign(this.tools, { note });
  }

  override step() {
    return { observation: { notes: this.notes } };
  }

  override close() {
    Notebook.closed++;
  }
}

let server: EnvironmentServer;
before(async () => (server = await serve(Notebook, { capacity: 2 })));
after(() => server.close());

/** Asks over HTTP. */
async function rpc(method: string, params?: object, url = server.url): Promise<any> {
  return (
    await fetch(`${url}/mcp`, { method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })
  ).json();
}

/** A WebSocket that asks, and tells what the server says. */
async function connected(
  session: string,
  url = server.url,
): Promise<{ socket: WebSocket; ask(message: object): Promise<any> }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?session_id=${session}`);
  const answers: any[] = [];
  socket.on('message', (text) => answers.push(JSON.parse(String(text))));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const ask = async (message: object): Promise<any> => {
    socket.send(JSON.stringify(message));
    await eventually(() => answers.length > 0, 'an answer');
    return answers.shift();
  };
  return { socket, ask };
}

test("OpenEnv's own tool client plays: tools and steps in one session", async () => {
  const { stdout } = await promisify(execFile)(
    pythonPath(),
    [join(packageRoot, 'test', 'openenv', 'serving', 'official_tools.py'), server.url],
    { timeout: 300_000 },
  );
  assert.deepEqual(JSON.parse(stdout), {
    tools: ['add', 'note'],
    add: 5,
    noted: [['mine'], ['mine', 'mine, too'], ['other']],
    steps: 0,
    missing: "Tool 'missing' failed: Tool not found: missing. Valid: add, note.",
  });
  await eventually(() => server.sessions === 0, 'the sessions were closed');
});

test('a session that is made over HTTP: has a place, takes one WebSocket at a time, and lives until it is closed', async () => {
  const before = Notebook.closed;
  const [first, second] = [await rpc('openenv/session/create'), await rpc('openenv/session/create')].map(
    ({ result }) => result.session_id,
  );
  const third = await rpc('openenv/session/create');
  assert.deepEqual(third.error, {
    code: -32000,
    message: 'Server at capacity: 2/2 sessions active',
    data: { active_sessions: 2, max_sessions: 2 },
  });
  assert.equal(server.sessions, 2);

  const { socket, ask } = await connected(first);
  assert.equal((await ask({ type: 'reset' })).type, 'observation');
  assert.deepEqual(
    (await rpc('tools/call', { name: 'note', arguments: { text: 'over HTTP' }, session_id: first })).result.data,
    ['over HTTP'],
  );
  assert.deepEqual((await ask({ type: 'step', data: {} })).data.observation, { notes: ['over HTTP'] });
  assert.equal(
    (await ask({ type: 'mcp', data: { jsonrpc: '2.0', id: 1, method: 'openenv/session/create' } })).data.result
      .session_id,
    first,
  );
  assert.match(
    (
      await ask({
        type: 'mcp',
        data: { jsonrpc: '2.0', id: 1, method: 'openenv/session/close', params: { session_id: first } },
      })
    ).data.error.message,
    /Cannot close active WebSocket-managed session/,
  );
  assert.match((await (await connected(first)).ask({})).data.message, /already has an attached WebSocket/);

  socket.terminate();
  const again = await reattached(first);
  assert.deepEqual(
    (await again.ask({ type: 'step', data: {} })).data.observation,
    { notes: ['over HTTP'] },
    'the session outlived its connection',
  );
  assert.deepEqual((await rpc('openenv/session/close', { session_id: first })).result, {
    session_id: first,
    closed: false,
    closing: true,
  });
  again.socket.terminate();
  await eventually(() => server.sessions === 1, 'it is closed when its WebSocket is gone');
  assert.deepEqual((await rpc('openenv/session/close', { session_id: second })).result, {
    session_id: second,
    closed: true,
  });
  assert.equal(server.sessions, 0);
  await eventually(() => Notebook.closed === before + 2, 'their environments are closed');

  assert.match((await rpc('openenv/session/close', { session_id: second })).error.message, /Unknown session_id/);
  assert.match((await rpc('openenv/session/close')).error.message, /'session_id' is required/);
  assert.match((await rpc('tools/list', { session_id: 'none' })).error.message, /Unknown session_id: none/);
  const { ask: lost } = await connected('none');
  assert.deepEqual((await lost({})).data, { message: 'Unknown session_id: none', code: 'SESSION_ERROR' });
});

/** The server learns of a connection's end in its own time. */
async function reattached(session: string): ReturnType<typeof connected> {
  for (;;) {
    const tried = await connected(session);
    const { type, data } = await tried.ask({ type: 'state' });
    if (type === 'state') return tried;
    assert.match(data.message, /already has an attached WebSocket/);
  }
}

test('a session that is made over HTTP and left alone is closed', async () => {
  const quick = await serve(Notebook, { idleTimeout: 200 });
  const { result } = await rpc('openenv/session/create', {}, quick.url);
  await eventually(() => quick.sessions === 0, 'it is closed');
  assert.match(
    (await rpc('tools/list', { session_id: result.session_id }, quick.url)).error.message,
    /Unknown session_id/,
  );
  await rpc('openenv/session/create', {}, quick.url);
  const before = Notebook.closed;
  await quick.close();
  assert.equal(Notebook.closed, before + 1, 'the end of the server closes the others');
});
