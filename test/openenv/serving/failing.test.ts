import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { after, before, test } from 'node:test';
import { Environment, OpenEnvClient, serve, type EnvironmentServer } from '../../../kernel';

/** Objects in objects. */
function deep(levels: number): object {
  let value: object = {};
  for (let i = 0; i < levels; i++) value = { value };
  return value;
}

function cyclic(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}

/** Something that throws whenever it is looked at. */
const untouchable = (): object =>
  new Proxy(
    () => {},
    Object.fromEntries(
      ['get', 'has', 'getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor'].map((trap) => [
        trap,
        () => {
          throw new Error('do not touch');
        },
      ]),
    ),
  );

const withMessage = (message: unknown): Error =>
  Object.defineProperty(
    new Error(),
    'message',
    typeof message === 'function' ? { get: message as () => string } : { value: message },
  );

/** What an environment may throw, and what its client is told. */
const THROWN: Record<string, [() => unknown, RegExp]> = {
  'an error': [() => new RangeError('too far'), /^RangeError: too far$/],
  'an error without a message': [() => new Error(), /^$/],
  undefined: [() => undefined, /^undefined$/],
  null: [() => null, /^null$/],
  'a symbol': [() => Symbol('s'), /^Symbol\(s\)$/],
  'a bigint': [() => 5n, /^5$/],
  'an object without a text': [() => Object.create(null), /cannot be read/],
  'an object whose text throws': [
    () => ({
      toString() {
        throw new Error('no');
      },
    }),
    /cannot be read/,
  ],
  'what throws whenever it is looked at': [untouchable, /cannot be read/],
  'a message that throws': [
    () =>
      withMessage(() => {
        throw new Error('no');
      }),
    /cannot be read/,
  ],
  'a message that is deep': [() => withMessage(deep(100_000)), /\[object Object\]/],
  'a message that is an object without a text': [() => withMessage(Object.create(null)), /cannot be read/],
  'a message of 50 MB': [() => new Error('x'.repeat(50_000_000)), /^x{10000} …$/],
  'a name that throws': [
    () =>
      Object.defineProperty(new Error('m'), 'name', {
        get() {
          throw new Error('no');
        },
      }),
    /cannot be read/,
  ],
  'an error that inspect cannot print': [
    () =>
      Object.assign(new Error('m'), {
        [inspect.custom]() {
          throw new Error('no');
        },
      }),
    /^m$/,
  ],
  'a stack overflow': [
    () => {
      const recurse = (): number => 1 + recurse();
      try {
        recurse();
      } catch (error) {
        return error;
      }
      return null;
    },
    /call stack/,
  ],
};

/** What an environment may give that cannot be sent. */
const GIVEN: Record<string, [() => unknown, RegExp]> = {
  '600 levels': [() => deep(600), /nested more than 512 levels/],
  '100,000 levels': [() => deep(100_000), /nested more than 512 levels/],
  'an observation that contains itself': [cyclic, /contains itself|circular/i],
  'a toJSON that throws': [
    () => ({
      toJSON() {
        throw new Error('no');
      },
    }),
    /no/,
  ],
  'a toJSON that throws what has no text': [
    () => ({
      toJSON() {
        throw Object.create(null);
      },
    }),
    /cannot be read/,
  ],
  'a toJSON without an end': [
    () => {
      class Endless {
        toJSON() {
          return { more: new Endless() };
        }
      }
      return new Endless();
    },
    /nested more than 512 levels/,
  ],
  'a getter that throws': [
    () => ({
      get it() {
        throw new Error('no');
      },
    }),
    /no/,
  ],
  'what throws when it is listed': [
    () =>
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('do not touch');
          },
        },
      ),
    /do not touch/,
  ],
  'a text of 110 MB': [() => ({ text: 'x'.repeat(110_000_000) }), /has 11000\d{4} bytes; a message may have 104857600/],
};

class Failing extends Environment {
  override tools = {
    fail: {
      description: 'Throws.',
      call: ({ what }: { what: string }) => {
        throw THROWN[what][0]();
      },
    },
    give: { description: 'Gives.', call: ({ what }: { what: string }) => GIVEN[what][0]() },
  };
  private what = '';

  reset() {
    return { observation: {} };
  }

  step({ thrown, given, state = '' }: { thrown?: string; given?: string; state?: string }) {
    this.what = state;
    if (thrown !== undefined) throw THROWN[thrown][0]();
    return { observation: { given: given === undefined ? 0 : GIVEN[given][0]() } };
  }

  override get state() {
    if (this.what in THROWN) throw THROWN[this.what][0]();
    return { given: this.what in GIVEN ? GIVEN[this.what][0]() : 0 };
  }
}

let server: EnvironmentServer;
let client: OpenEnvClient;
before(async () => {
  server = await serve(Failing);
  client = await OpenEnvClient.connect(server.url);
  await client.reset();
});
after(async () => {
  await client.close();
  await server.close();
});

const failure = (words: RegExp) => (error: any) => {
  assert.equal(error.code, 'EXECUTION_ERROR', error.message.slice(0, 200));
  assert.match(error.message, words);
  return true;
};

async function posted(route: string, body: object): Promise<{ status: number; body: any }> {
  const response = await fetch(server.url + route, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

const call = (name: string, what: string) =>
  posted('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { what } } });

for (const [what, [, words]] of Object.entries(THROWN)) {
  test(`an environment that throws ${what}: its client is told, over WebSocket, HTTP and MCP, and the session lives`, async () => {
    await assert.rejects(client.step({ thrown: what }), failure(words));
    await client.step({ state: what });
    await assert.rejects(client.state(), failure(words));
    const { status, body } = await posted('/step', { action: { thrown: what } });
    assert.equal(status, 500);
    assert.match(body.detail, words);
    const { result } = (await call('fail', what)).body;
    assert.ok(result.isError && typeof result.content[0].text === 'string' && result.content[0].text.length < 11_000);
    assert.equal((await client.step({})).done, false);
  });
}

for (const [what, [, words]] of Object.entries(GIVEN)) {
  test(`an environment that gives ${what}: its client is told, over WebSocket, HTTP and MCP, and the session lives`, async () => {
    await assert.rejects(client.step({ given: what }), failure(words));
    await client.step({ state: what });
    await assert.rejects(client.state(), failure(words));
    const { status, body } = await posted('/step', { action: { given: what } });
    assert.equal(status, 500);
    assert.match(body.detail, words);
    const { result } = (await call('give', what)).body;
    assert.ok(result.isError && words.test(result.content[0].text), JSON.stringify(result).slice(0, 300));
    assert.equal((await client.step({})).done, false);
  });
}
