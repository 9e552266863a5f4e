import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Environment, OpenEnvClient, openenv, serve } from '../../../kernel';
import { LocalEnvironment } from '../../../kernel/environments';
import { code } from '../faultyServer';

const number = { type: 'number' };
const schema = {
  action: {
    type: 'object',
    properties: {
      by: number,
      big: { type: 'number', format: 'bigint' },
      any: {},
      name: { type: 'string', pattern: '^(a+)+$' },
      odd: { type: 'string', pattern: '^(?=(b+)+$)' },
    },
  },
  observation: {
    type: 'object',
    title: 'Seen',
    properties: {
      y: number,
      note: { type: ['string', 'null'] },
      list: { type: 'array', items: number },
      id: { type: 'number', format: 'bigint' },
    },
    required: ['y'],
  },
  state: { type: 'object', properties: { kept: number } },
};

/** Gives what it is told to give. */
class Careless extends Environment {
  static override schema = schema;
  static give: any;
  static kept: any = 1;
  static got: any;
  override tools = {
    odd: {
      description: 'odd',
      inputSchema: { type: 'object', properties: { n: { type: ['integer', 'null'] } } },
      call: ({ n }: any) => (n === null ? { n } : { x: [NaN] }),
    },
  };
  reset({ level }: any) {
    Careless.got = level;
    return { observation: { y: 0 } };
  }
  step(action: any): any {
    Careless.got = action;
    return { reward: 1, ...Careless.give };
  }
  override get state(): any {
    return { kept: Careless.kept };
  }
}

/** What an environment gives as observation, and what is said of it; what arrives, where nothing is. */
const GIVEN: Array<[observation: unknown, expected: RegExp | object]> = [
  [
    { y: 1, note: null, more: true },
    { y: 1, note: null, more: true },
  ],
  [{}, /observation of step\(\) is not what its type, or its schema, says:\n {2}y: Field required/],
  [{ y: '1' }, /y: Input should be a valid number \(given: "1"\)/],
  [{ y: null }, /y: Input should be a valid number \(given: null\)/],
  [{ y: undefined }, /y: Field required/],
  [{ y: NaN }, /observation of step\(\) cannot be sent: y is NaN: JSON has finite numbers only/],
  [{ y: 1, more: { deep: [Infinity] } }, /more\.deep\.0 is Infinity/],
  [{ y: 1, list: [1, 'x'] }, /list\.1: Input should be a valid number \(given: "x"\)/],
  [
    { y: 1, list: new Float32Array([1, 2]) },
    { y: 1, list: [1, 2] },
  ],
  [{ y: 1, list: new Float32Array([NaN]) }, /list\.0 is NaN/],
  [
    { y: 1, list: new Set([1]), more: new Map([['a', new Date(0)]]), gone: undefined },
    { y: 1, list: [1], more: { a: '1970-01-01T00:00:00.000Z' } },
  ],
  [{ y: 1, note: () => 1 }, /note is a function/],
  [{ y: 1, more: Symbol('x') }, /more is a symbol/],
  [{ y: 1, more: Promise.resolve(1) }, /more is a Promise, which JSON does not have: await it/],
  [
    { y: 1, id: 2n ** 64n + 1n, more: [2n ** 63n] },
    { y: 1, id: 2n ** 64n + 1n, more: [2n ** 63n] },
  ],
  [
    { y: 1, id: 5n },
    { y: 1, id: 5 },
  ],
  [{ y: 5n }, { y: 5 }],
  [{ y: 1, more: { n: 5n } }, /more\.n is a BigInt of a size that a number has/],
  [[1], /object as observation; it returned/],
  [
    new (class Board {
      y = 1;
      protected hidden = 2;
      move() {}
    })(),
    { y: 1, hidden: 2 },
  ],
  [{ y: 1, __proto__: { z: 1 } }, { y: 1 }],
  [
    JSON.parse('{"y":1,"__proto__":{"a":1},"constructor":2}'),
    JSON.parse('{"y":1,"__proto__":{"a":1},"constructor":2}'),
  ],
  [
    (() => {
      const circle: any = { y: 1 };
      circle.more = circle;
      return circle;
    })(),
    /nested more than 512 levels deep, or contains itself/,
  ],
];

test('what a class gives is checked by its own schema, over the network and in this process', async () => {
  const server = await serve(Careless);
  const client = await OpenEnvClient.connect(server.url);
  const local = await LocalEnvironment.open(Careless, {
    environment: 'careless',
    actions: [],
    stateVariables: [],
    module: '',
  });
  await Promise.all([client.reset(), local.reset()]);
  for (const [observation, expected] of GIVEN) {
    Careless.give = { observation };
    for (const env of [client, local]) {
      if (expected instanceof RegExp)
        await assert.rejects(
          env.step({}),
          (error: Error) => expected.test(error.message) || assert.fail(`${expected}: ${error.message}`),
        );
      else assert.deepEqual((await env.step({})).observation, expected);
    }
  }
  for (const [give, words] of [
    [{ reward: NaN }, /the reward NaN/],
    [{ reward: 2n }, /the reward 2: it has to be a finite number/],
    [{ done: 1 }, /returned 1 as done/],
    [{ metadata: 'x' }, /returned "x" as metadata/],
    [{ metadata: { a: NaN } }, /metadata of step\(\) cannot be sent: a is NaN/],
  ] as const) {
    Careless.give = { observation: { y: 1 }, ...give };
    for (const env of [client, local]) await assert.rejects(env.step({}), words);
  }
  for (const [kept, words] of [
    ['x', /state is not what its type, or its schema, says:\n {2}kept: Input should be a valid number/],
    [NaN, /state cannot be sent: kept is NaN/],
  ] as const) {
    Careless.kept = kept;
    for (const env of [client, local]) await assert.rejects(env.state() as Promise<unknown>, words);
  }
  Careless.kept = 1;
  assert.deepEqual(await client.callTool('odd', { n: null }), { n: null });
  await assert.rejects(client.callTool('odd', { n: 1 }), /result cannot be sent: x\.0 is NaN/);
  await client.reset({ level: null });
  assert.equal(Careless.got, null);
  await client.close();
  await server.close();
});

test('actions arrive exactly, or are refused by field: large integers, numbers beyond all, patterns that take for ever', async () => {
  const server = await serve(Careless);
  const env = await openenv(server.url);
  await env.reset();
  Careless.give = { observation: { y: 1 } };
  const arrives = async (action: object): Promise<any> => (await env.step(action), Careless.got);
  assert.deepEqual(await arrives({ by: 2 ** 60, big: 2n ** 64n + 1n, any: 2n ** 63n + 1n }), {
    by: 2 ** 60,
    big: 2n ** 64n + 1n,
    any: 2n ** 63n + 1n,
  });
  assert.deepEqual(await arrives({ by: 5n, big: 5n, any: [1e20, -0] }), { by: 5, big: 5, any: [1e20, 0] });
  await assert.rejects(
    env.step({ by: 2n ** 64n + 1n }),
    code('VALIDATION_ERROR', /by: Input should be a number that TypeScript holds exactly.*18446744073709551617/),
  );
  await assert.rejects(
    env.step({ any: { x: NaN } }),
    code('VALIDATION_ERROR', /The action cannot be sent: any\.x is NaN/),
  );
  await assert.rejects(
    env.reset({ level: Infinity }),
    code('VALIDATION_ERROR', /arguments of reset cannot be sent: level is Infinity/),
  );
  await assert.rejects(env.reset({ seed: (2n ** 60n) as any }), code('VALIDATION_ERROR', /seed/));
  await env.reset();
  const raw = async (text: string) => {
    const response = await fetch(`${server.url}/step`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: text,
    });
    return `${response.status} ${await response.text()}`;
  };
  for (const field of ['by', 'any'])
    assert.match(
      await raw(`{"action":{"${field}":1e400}}`),
      new RegExp(`^422 .*"loc":\\["body","${field}"\\].*finite number`),
    );
  const before = process.cpuUsage().user;
  await assert.rejects(
    env.step({ name: `${'a'.repeat(5000)}!` }),
    code('VALIDATION_ERROR', /name: Input must match pattern/),
  );
  await env.step({ name: 'aaa', odd: 'bbb' });
  assert.match(
    await raw(JSON.stringify({ action: { odd: `${'b'.repeat(40)}!` } })),
    /^422 .*could not be checked within/,
  );
  assert.ok(process.cpuUsage().user - before < 5e6, 'no pattern holds up the process');
  await env.close();
  await server.close();
});
