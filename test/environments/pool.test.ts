import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { openenv, OpenEnvClient, serve, type EnvironmentServer } from '../../kernel';
import { code } from '../openenv/faultyServer';
import { Calculator, GuessTheNumber } from '../openenv/serving/environments';

/** An address where nobody answers. */
async function nowhere(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const closeAll = (...servers: EnvironmentServer[]) => Promise.all(servers.map((server) => server.close()));

test('servers of different environments are no pool', async () => {
  const wider = {
    action: {
      type: 'object',
      properties: { number: { type: 'integer', minimum: 1, maximum: 1000 } },
      required: ['number'],
    },
  };
  class Wider extends GuessTheNumber {
    static override schema = wider;
  }
  const [guess, other, calculator] = [await serve(GuessTheNumber), await serve(Wider), await serve(Calculator)];
  await assert.rejects(
    openenv([guess.url, calculator.url]),
    code('INVALID_ARGUMENT', /have to serve the same environment: \S+ serves 'guess_the_number', \S+ 'Calculator'/),
  );
  await assert.rejects(
    openenv([guess.url, other.url]),
    code('INVALID_ARGUMENT', /the actions of \S+ have other fields than those of/),
  );
  await assert.rejects(
    openenv(guess.url, { servers: [calculator.url] }),
    code('INVALID_ARGUMENT', /serves 'guess_the_number'/),
  );
  assert.equal(guess.sessions, 0);
  await closeAll(guess, other, calculator);
});

test('a pool opens with the servers that answer, and says in one line which do not', async (t) => {
  const warned = t.mock.method(console, 'warn', () => {});
  const [one, two] = [await serve(GuessTheNumber), await serve(GuessTheNumber)];
  const [dead, other] = [await nowhere(), await nowhere()];
  const env = await openenv([dead, one.url, two.url]);
  assert.equal(env.url, one.url);
  assert.deepEqual((await env.vectorSources(1))[0].servers, [one.url, two.url]);
  assert.deepEqual(
    warned.mock.calls.map(({ arguments: [line] }) => line),
    [`${dead} does not answer: the pool has the other 2 servers. Open it again once all run.`],
  );
  assert.equal((await env.reset({ seed: 1 })).observation.hint, 'start');
  await env.close();
  await assert.rejects(
    openenv([dead, other]),
    code('CONNECTION_FAILED', /None of the servers answers\. Nobody answers at/),
  );
  await closeAll(one, two);
});

test('what is wrong with an address or an option is said before anything is opened', async () => {
  await assert.rejects(
    openenv('http://localhost:99999'),
    code('INVALID_ARGUMENT', /'http:\/\/localhost:99999' is no address of a server: .* a port up to 65535/),
  );
  await assert.rejects(openenv('http://local host:1'), code('INVALID_ARGUMENT', /is no address/));
  await assert.rejects(
    OpenEnvClient.connect('localhost:1'),
    code('INVALID_ARGUMENT', /has to be http:\/\/ or https:\/\//),
  );
  await assert.rejects(openenv('http://127.0.0.1:1', null as never), code('CONNECTION_FAILED'));
  await assert.rejects(
    openenv('http://127.0.0.1:1', 'x' as never),
    code('INVALID_ARGUMENT', /options of openenv are an object/),
  );
  for (const maxSessions of [0, -1, 1.5, NaN])
    await assert.rejects(
      openenv('http://127.0.0.1:1', { maxSessions }),
      code('INVALID_ARGUMENT', /maxSessions is \S+: it has to be a whole number ≥ 1/),
    );
  await assert.rejects(
    openenv('http://127.0.0.1:1', { headers: { 'bad header\n': 'x' } }),
    code('INVALID_ARGUMENT', /headers has "bad header\\n".*letters, digits and hyphens/),
  );
  await assert.rejects(
    openenv('http://127.0.0.1:1', { headers: { Authorization: 'Bearer secret\nx' } }),
    (error: Error) => /one line/.test(error.message) && !error.message.includes('secret'),
  );
  await assert.rejects(
    openenv('http://127.0.0.1:1', { servers: 'http://127.0.0.1:2' as never }),
    code('INVALID_ARGUMENT', /servers has to be a list/),
  );
});

test("'myhost:8000' is a server where one answers, else an image", async (t) => {
  const name = hostname();
  if (!/^[\w-]+$/.test(name)) return t.skip('this machine has a name with dots');
  const server = await serve(GuessTheNumber, { host: '0.0.0.0' });
  const env = await openenv(`${name}:${new URL(server.url).port}`);
  assert.equal(env.name, 'guess_the_number');
  await env.close();
  await server.close();
  const { PATH } = process.env;
  process.env.PATH = '';
  t.after(() => (process.env.PATH = PATH));
  await assert.rejects(
    openenv(`${name}:${new URL(server.url).port}`),
    code('LAUNCH_FAILED', /Docker is not available.* If a server is meant: none answers at http:\/\//),
  );
});
