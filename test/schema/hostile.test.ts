import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import * as ts from 'typescript';
import { WebSocketServer } from 'ws';
import { executeWithTimeLimit, OpenEnvClient, openenv, strategyPrompt } from '../../kernel';
import { TYPING, type EnvironmentTyping } from '../../kernel/environments/typing';
import { code } from '../openenv/faultyServer';

/** What the server says, by route; and its answer to reset and step. */
const documents: Record<string, string> = {};
let answer = '';
const plain = '{"type":"observation","data":{"observation":{"y":1},"reward":1,"done":false}}';
const http = createServer(({ url }, response) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(documents[url!] ?? '{"status":"healthy"}'),
);
let address = '';
before(async () => {
  new WebSocketServer({ server: http }).on('connection', (socket) =>
    socket.on('message', (text) =>
      socket.send(String(text).includes('"state"') ? '{"type":"state","data":{}}' : answer),
    ),
  );
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
after(() => (http.close(), http.closeAllConnections()));

const object = (properties: object, more: object = {}) => ({ type: 'object', title: 'A', properties, ...more });
const ofX = (x: object, more: object = {}) => object({ x }, more);
const many = (count: number, make: (i: number) => unknown) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, make(i)]));
const list = (count: number, make: (i: number) => unknown) => Array.from({ length: count }, (_, i) => make(i));
const tower = (keyword: string) =>
  ofX(
    { $ref: '#/$defs/f0' },
    {
      $defs: many(30, (i) =>
        i === 29 ? { type: 'number' } : { [keyword]: [{ $ref: `#/$defs/f${i + 1}` }, { $ref: `#/$defs/f${i + 1}` }] },
      ),
    },
  );
const nested = (depth: number) => `${'{"type":"object","properties":{"a":'.repeat(depth)}{}${'}}'.repeat(depth)}`;
const deepValue = list(30, String).reduce((value) => ({ n: value }), {});
const slow = 'a'.repeat(32) + '!';

/** Schemas of actions, an action, and what comes of it: nothing is said, or something is. */
const HOSTILE: Array<[name: string, schema: unknown, action: object, refused?: RegExp]> = [
  [
    'a pattern that takes for ever',
    ofX({ type: 'string', pattern: '^(a+)+$' }),
    { x: slow },
    /x: Input must match pattern/,
  ],
  [
    'a pattern in Python terms',
    ofX({ type: 'string', pattern: '^(?P<x>a)\\Z' }),
    { x: 'b' },
    /x: Input must match pattern/,
  ],
  ['a lookahead that takes for ever', ofX({ type: 'string', pattern: '^(?=(a+)+$)' }), { x: slow }],
  ['a back-reference that takes for ever', ofX({ type: 'string', pattern: '^(a*)*\\1$' }), { x: slow }],
  ['patterns of names', { ...object({}), patternProperties: { '^(a+)+$': { type: 'number' } } }, { [slow]: 1 }],
  [
    'a pattern of names',
    { ...object({}), additionalProperties: true, propertyNames: { pattern: '^(a+)+$' } },
    { [slow]: 1 },
    /must match pattern/,
  ],
  ['a pattern that is a program', ofX({ pattern: '(((a{1,100}){1,100}){1,100})' }), { x: 'aaa' }],
  [
    'a pattern of 60,000 characters',
    ofX({ pattern: 'a?'.repeat(20_000) + 'a'.repeat(20_000) }),
    { x: 'a'.repeat(20_000) },
  ],
  ['50,000 fields', object(many(50_000, () => ({ type: 'integer', description: 'one' }))), { f1: 1 }],
  [
    '50,000 definitions',
    { ...ofX({ $ref: '#/$defs/f0' }), $defs: many(50_000, (i) => ofX({ $ref: `#/$defs/f${i + 1}` })) },
    { x: {} },
  ],
  ['a schema that is itself', { $ref: '#' }, { x: 1 }],
  [
    'references in a circle',
    ofX({ $ref: '#/$defs/a' }, { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }),
    { x: 1 },
  ],
  [
    'a part that is twice itself',
    ofX({ $ref: '#/$defs/a' }, { $defs: { a: { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] } } }),
    { x: 1 },
  ],
  ['a reference elsewhere', ofX({ $ref: 'http://127.0.0.1:1/x.json' }), { x: 1 }],
  [
    'references that are none',
    object({ a: { $ref: 5 }, b: { $ref: '#/%E0%A4%A' }, c: { $dynamicRef: '#x' } }),
    { a: 1 },
  ],
  [
    'IDs of others',
    ofX(
      { $id: 'http://a/b', type: 'number' },
      { $id: 'https://json-schema.org/draft/2020-12/schema', $schema: 'http://json-schema.org/draft-07/schema#' },
    ),
    { x: 'a' },
    /x: Input should be a valid number/,
  ],
  ['allOf that doubles', tower('allOf'), { x: 1 }],
  ['anyOf that doubles', tower('anyOf'), { x: 'a' }],
  [
    'doubling along the value',
    ofX(
      { $ref: '#/$defs/t' },
      { $defs: { t: { allOf: list(2, () => ({ properties: { n: { $ref: '#/$defs/t' } } })) } } },
    ),
    { x: deepValue },
  ],
  ['a million values', ofX({ enum: list(1e6, (i) => `v${i}`) }), { x: 'no' }],
  ['100,000 members of a union', ofX({ anyOf: list(1e5, (i) => ({ const: `v${i}` })) }), { x: 'no' }],
  ['10,000 actions', { oneOf: list(1e4, (i) => object({ kind: { const: `k${i}` } })) }, { kind: 'k1' }],
  ['400 levels', nested(200), { a: 1 }, /a: Input should be an object/],
  ['100,000 levels', nested(50_000), { a: 1 }],
  [
    'items that are compared with each other',
    ofX({ type: 'array', uniqueItems: true }),
    { x: list(20_000, (i) => ({ a: i })) },
  ],
  [
    'a description of ten million characters',
    ofX({ type: 'number', description: 'y'.repeat(1e7), default: 'z'.repeat(1e6) }),
    { x: 1 },
  ],
  [
    'descriptions that are none',
    { ...object({ x: { type: 'number', description: { a: 1 }, title: [] } }), description: 5, title: {} },
    { x: 1 },
  ],
  [
    'keywords of other types',
    object(
      {
        a: null,
        b: [],
        c: 5,
        f: 'x',
        g: { type: 5 },
        i: { type: [null] },
        j: { enum: 5 },
        l: { anyOf: 5 },
        m: { allOf: {} },
        n: { oneOf: [null, 5] },
        o: { items: 5, type: 'array' },
        s: { required: 5, properties: 5 },
      },
      { required: 5 },
    ),
    { x: 1 },
  ],
  [
    'limits that nothing meets',
    object({
      x: { type: 'integer', multipleOf: 0 },
      y: { type: 'integer', minimum: 5, maximum: 1 },
      z: { minLength: -1 },
      v: { type: 'integer', minimum: -1e300, maximum: 1e300 },
    }),
    { x: 1 },
  ],
  [
    'names of methods',
    object(
      { constructor: { type: 'string' }, toString: { type: 'string' }, valueOf: { type: 'number' } },
      { required: ['hasOwnProperty'] },
    ),
    { toString: 'a' },
    /^[^:]*:\n {2}hasOwnProperty: Field required$/,
  ],
  ['no schema', true, { x: 1 }],
  ['null', null, { x: 1 }],
  ['a list', [], { x: 1 }],
];

for (const [name, schema, action, refused] of HOSTILE) {
  test(`a server whose schema of actions has ${name}`, async (t) => {
    t.mock.method(console, 'warn', () => {});
    answer = plain;
    const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
    documents['/schema'] = `{"action":${text},"observation":${JSON.stringify(ofX({ type: 'number' }))},"state":{}}`;
    const start = process.cpuUsage().user;
    const env = await openenv(address);
    const typing = env[TYPING]() as EnvironmentTyping | null;
    const made = [JSON.stringify(await env.card()), strategyPrompt(env), typing?.declarations ?? ''];
    assert.ok(
      made.every((it) => it.length < 400_000),
      `${made.map((it) => it.length)} characters`,
    );
    assert.deepEqual(syntaxErrors(typing?.declarations ?? ''), []);
    await env.reset();
    if (refused) await assert.rejects(env.step(action), code('VALIDATION_ERROR', refused));
    else assert.equal((await env.step(action)).reward, 1);
    await env.close();
    assert.ok(process.cpuUsage().user - start < 4e6, `${(process.cpuUsage().user - start) / 1e6} s`);
  });
}

function syntaxErrors(declarations: string): string[] {
  const file = ts.createSourceFile(
    'types.ts',
    `declare namespace E {\n${declarations}\n}`,
    ts.ScriptTarget.Latest,
  ) as ts.SourceFile & { parseDiagnostics: ts.Diagnostic[] };
  return file.parseDiagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test('strategies play, and are refused, by a pattern that takes for ever', async () => {
  answer = plain;
  documents['/schema'] = JSON.stringify({ action: ofX({ type: 'string', pattern: '^(a+)+$' }) });
  const env = await openenv(address);
  const play = async (text: string) =>
    (await executeWithTimeLimit(`function strategy() { return { x: ${JSON.stringify(text)} }; }`, env, { maxSteps: 1 }))
      .end;
  assert.equal((await play('aaa')).reason, 'truncated');
  assert.match((await play(slow)).message!, /x: Input must match pattern/);
  await env.close();
});

test('what was left out of a schema is told; texts of a server steer no terminal and break out of nothing', async (t) => {
  const warned = t.mock.method(console, 'warn', () => {});
  const field = (description: string) => ({ type: 'number', description });
  documents['/schema'] = JSON.stringify({
    action: object(many(3000, () => ({ type: 'integer' }))),
    observation: object({
      'a\nb': field('x */ export const evil = 1; /*'),
      'q"\'`*/ }; evil': field('\x1b[31mred'),
      ['__proto__']: field('p'),
    }),
  });
  documents['/metadata'] = JSON.stringify({
    name: `\x1b]0;evil\x07<script>alert(1)</script>\n${'n'.repeat(1e6)}`,
    description: `d\x07${'d'.repeat(1e6)}`,
    version: 'v'.repeat(1e6),
  });
  const env = await openenv(address);
  assert.match(
    String(warned.mock.calls[0].arguments[0]),
    /too large to be told and checked here as a whole\. Left to the server are action: 1,000 of 3,000 fields\./,
  );
  const card = await env.card();
  const { declarations } = env[TYPING]() as EnvironmentTyping;
  const shown = `${card['text/plain']}${card['text/html']}${declarations}${strategyPrompt(env)}${env.name}`;
  assert.doesNotMatch(shown, /[\x00-\x08\x0b-\x1f\x7f]/);
  assert.doesNotMatch(String(card['text/html']), /<script/);
  assert.ok(env.name.length <= 200 && env.description.length <= 5000);
  assert.deepEqual(syntaxErrors(declarations), []);
  assert.match(declarations, /"a\\nb"\?: number;/);
  assert.match(strategyPrompt(env), /state\["a\\nb"\], number: x/);
  await env.close();
  delete documents['/metadata'];
  delete documents['/schema'];
});

test('answers that no client can read are errors that say why', async () => {
  const answers: Array<[data: string, words: RegExp]> = [
    [
      `{"observation":{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}},"reward":1,"done":false}`,
      /nested more than 512 levels deep/,
    ],
    [
      '{"observation":{"x":[1,1e400]},"reward":1,"done":false}',
      /number that is too large: observation\.x\.1 is Infinity/,
    ],
    ['{"observation":{"x":NaN},"reward":1,"done":false}', /has NaN, which JSON does not have/],
    ['{"observation":{"x":[-Infinity]},"reward":1,"done":false}', /has -Infinity, which JSON does not have/],
  ];
  answer = plain;
  const client = await OpenEnvClient.connect(address);
  for (const [data, words] of answers) {
    answer = `{"type":"observation","data":${data}}`;
    await assert.rejects(client.reset(), code('PROTOCOL_ERROR', words));
  }
  answer =
    '{"type":"observation","data":{"observation":{"id":9223372036854775809,"x":[0.1,1e20,-18446744073709551617]},"reward":9007199254740993,"done":false}}';
  assert.deepEqual(await client.step({}), {
    observation: { id: 9223372036854775809n, x: [0.1, 1e20, -18446744073709551617n] },
    reward: 9007199254740992,
    done: false,
  });
  await client.close();
});
