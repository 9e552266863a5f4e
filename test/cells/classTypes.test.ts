import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run("import { executeWithTimeLimit, strategyPrompt } from 'joylab';");
});
after(() => kernel.stop());

/** Serves a class of these types; its client is `game`. */
const serve = (
  types: string,
  body = 'reset(): any { return { observation: {} }; }\n  step(action: any): any { return { observation: {}, reward: 1, done: true }; }',
  parent = 'Environment',
) => kernel.run(`/** @openenv client=game card=false */\nclass Game extends ${parent}<${types}> {\n  ${body}\n}`);

const schema = async () =>
  JSON.parse((await kernel.run('JSON.stringify(await game.schema())')).slice(1, -1).replace(/\\'/g, "'"));

/** Types of fields, and their JSON Schemas. */
const FIELDS: Array<[type: string, schema: object, optional?: 'optional']> = [
  ['null', { type: 'null' }],
  ['number | null', { type: ['number', 'null'] }],
  ['null | string', { type: ['string', 'null'] }],
  ['boolean | null', { type: ['boolean', 'null'] }],
  ['true | null', { anyOf: [{ type: 'boolean', enum: [true] }, { type: 'null' }] }],
  ["'a' | 'b' | null", { anyOf: [{ type: 'string', enum: ['a', 'b'] }, { type: 'null' }] }],
  ['1 | 2 | null', { anyOf: [{ type: 'number', enum: [1, 2] }, { type: 'null' }] }],
  ['Colour | null', { anyOf: [{ type: 'number', enum: [0, 1] }, { type: 'null' }] }],
  ['(number | null)[]', { type: 'array', items: { type: ['number', 'null'] } }],
  ['number[] | null', { anyOf: [{ type: 'array', items: { type: 'number' } }, { type: 'null' }] }],
  [
    '[number | null, string?]',
    { type: 'array', prefixItems: [{ type: ['number', 'null'] }, { type: 'string' }], minItems: 1, items: false },
  ],
  ['(number | undefined)[]', { type: 'array', items: { type: ['number', 'null'] } }],
  ['Record<string, number | null>', { type: 'object', additionalProperties: { type: ['number', 'null'] } }],
  [
    '{ [key: string]: Inner | null }',
    {
      type: 'object',
      additionalProperties: {
        anyOf: [{ type: 'object', properties: { x: { type: ['number', 'null'] } }, required: ['x'] }, { type: 'null' }],
      },
    },
  ],
  ['Inner', { type: 'object', properties: { x: { type: ['number', 'null'] } }, required: ['x'] }],
  ['Partial<Inner>', { type: 'object', properties: { x: { type: ['number', 'null'] } } }],
  [
    'Required<{ x?: number | null }>',
    { type: 'object', properties: { x: { type: ['number', 'null'] } }, required: ['x'] },
  ],
  [
    "Omit<Inner & { y: string }, 'y'>",
    { type: 'object', properties: { x: { type: ['number', 'null'] } }, required: ['x'] },
  ],
  [
    '{ [K in "a" | "b"]: K | null }',
    {
      type: 'object',
      properties: {
        a: { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }] },
        b: { anyOf: [{ type: 'string', enum: ['b'] }, { type: 'null' }] },
      },
      required: ['a', 'b'],
    },
  ],
  [
    'Inner & { y: boolean | null }',
    {
      type: 'object',
      properties: { x: { type: ['number', 'null'] }, y: { type: ['boolean', 'null'] } },
      required: ['x', 'y'],
    },
  ],
  ['Maybe<string>', { type: ['string', 'null'] }],
  ['Date | null', { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] }],
  ['number | undefined', { type: 'number' }, 'optional'],
  ['number | null | undefined', { type: ['number', 'null'] }, 'optional'],
  ['NonNullable<number | null>', { type: 'number' }],
  ['any', {}],
  ['unknown', {}],
  [
    '{ a: string } | { b: number | null }',
    {
      anyOf: [
        { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
        { type: 'object', properties: { b: { type: ['number', 'null'] } }, required: ['b'] },
      ],
    },
  ],
  ['Uint8Array | null', { anyOf: [{ type: 'array', items: { type: 'integer' } }, { type: 'null' }] }],
  ['number | bigint', { type: 'number', format: 'bigint' }],
  ['number | bigint | null', { anyOf: [{ type: 'number', format: 'bigint' }, { type: 'null' }] }],
  ['`v${number}` | null', { type: ['string', 'null'] }],
  ['readonly (string | null)[]', { type: 'array', items: { type: ['string', 'null'] } }],
];

/** A schema of objects that may have no other fields. */
function closed(schema: any): any {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return schema.properties && schema.type === 'object' && !('additionalProperties' in schema)
    ? { ...inner, additionalProperties: false }
    : inner;
}

test('null is in the schemas of action, observation and state wherever the types say so, though cells are not strict', async () => {
  await kernel.run('enum Colour { red, green }\ntype Maybe<T> = T | null;\ninterface Inner { x: Maybe<number> }');
  await kernel.run(
    `type Fields = {\n${FIELDS.map(([type], i) => `  f${i}: ${type};`).join('\n')}\n  gone?: undefined; never?: never;\n};`,
  );
  await serve('Fields, Fields, Fields');
  const { action, observation, state } = await schema();
  FIELDS.forEach(([type, expected, optional], i) => {
    assert.deepEqual(action.properties[`f${i}`], closed(expected), `action: ${type}`);
    assert.deepEqual(observation.properties[`f${i}`], expected, `observation: ${type}`);
    assert.deepEqual(state.properties[`f${i}`], expected, `state: ${type}`);
    assert.equal(action.required.includes(`f${i}`), !optional, `required: ${type}`);
  });
  assert.ok(!('gone' in action.properties) && !('never' in action.properties), 'what can only be absent is no field');
});

test('tags leave null what it is; types that contain themselves, and two of one name, keep it', async () => {
  await kernel.run(`interface Tree<T> { value: T | null; next?: Tree<T> | null }
type Tagged = {
  /** @integer
   * @minimum 1 */
  by: number | null;
  /** @maximum 5 */
  at: number[] | null;
  /** @pattern ^a */
  name?: string | null;
  numbers: Tree<number> | null;
  texts: Tree<string>;
};`);
  await serve('Tagged');
  const { action } = await schema();
  const { by, at, name, numbers, texts } = action.properties;
  assert.deepEqual(by, { type: ['integer', 'null'], minimum: 1 });
  assert.deepEqual(at, { anyOf: [{ type: 'array', items: { type: 'number', maximum: 5 } }, { type: 'null' }] });
  assert.deepEqual(name, { type: ['string', 'null'], pattern: '^a' });
  assert.deepEqual(
    [numbers, texts],
    [{ anyOf: [{ $ref: '#/$defs/Tree' }, { type: 'null' }] }, { $ref: '#/$defs/Tree2' }],
  );
  assert.deepEqual(action.$defs.Tree.properties.value, { type: ['number', 'null'] });
  assert.deepEqual(action.$defs.Tree2.properties, {
    value: { type: ['string', 'null'] },
    next: { anyOf: [{ $ref: '#/$defs/Tree2' }, { type: 'null' }] },
  });
});

test('null is played: by the client, by a strategy as an action or as its one field; it is in card and prompt', async () => {
  await kernel.run('type Guess = { pick: number | null };');
  await serve(
    'Guess, { note: string | null }',
    `reset() { return { observation: { note: null } }; }
  step({ pick }: Guess) { return { observation: { note: pick === null ? 'passed' : null }, reward: pick === null ? 1 : 0, done: true }; }`,
  );
  assert.equal(
    await kernel.run(
      '(await game.reset()).observation.note === null && (await game.step({ pick: null })).observation.note',
    ),
    "'passed'",
  );
  assert.match(
    await kernel.fail('await game.reset(); await game.step({ pick: "x" as any })'),
    /pick: Input should be a valid number or null/,
  );
  for (const answer of ['{ pick: null }', 'null']) {
    assert.match(
      await kernel.run(`(await executeWithTimeLimit('function strategy() { return ${answer}; }', game)).return`),
      /1$/,
      answer,
    );
  }
  assert.match(await kernel.run('strategyPrompt(game)'), /state\.note, string or null[^]*\(pick\), number or null/);
  assert.match(await kernel.run('(await game.card())["text/plain"]'), /pick +number \| null[^]*note +string \| null/);
});

test('a client has the types that the class declares, whatever its methods return', async () => {
  const first = '(await game.reset()).observation';
  await serve(
    '{ x: number }, { y: number; z?: string }',
    `reset() { return { observation: { y: 1 } }; }
  async step({ x }) { return { observation: { y: x }, reward: 1, done: true }; }`,
  );
  await kernel.run(`(${first}).z`);
  assert.match(await kernel.fail(`(${first}).w`), /'w' does not exist on type '\{ y: number; z\?: string; \}'/);
  await serve(
    '{ x: number }, { y: number }',
    'reset(): any { return { observation: { y: 1 } }; }\n  step(action): any { return { observation: { y: action.x } }; }',
  );
  assert.equal(await kernel.run(`(${first}).y`), '1');
  assert.match(await kernel.fail(`(${first}).z`), /'z' does not exist on type '\{ y: number; \}'/);
  assert.match(await kernel.fail('await game.step({ x: "1" })'), /Type 'string' is not assignable to type 'number'/);
});

test('the declared types come through classes in between, generic ones and ones with types by default', async () => {
  await kernel.run(`interface Seen<T> { y: T; z?: string }
abstract class Base<T, Kept extends object = { kept: T | null }> extends Environment<{ x: T | null }, Seen<T>, Kept> {
  reset(): any { return { observation: { y: 1 } }; }
  step({ x }): any { return { observation: { y: x } }; }
  get state(): any { return { kept: null }; }
}
class Middle extends Base<number> {}`);
  for (const parent of ['Base<number>', 'Middle']) {
    await kernel.run(`/** @openenv client=game card=false */\nclass Game extends ${parent} {}`);
    const { action, observation, state } = await schema();
    assert.deepEqual(action.properties, { x: { type: ['number', 'null'] } });
    assert.deepEqual(observation.properties.y, { type: 'number' });
    assert.deepEqual(state.properties.kept, { type: ['number', 'null'] });
    assert.equal(
      await kernel.run(
        'await game.reset(); (await game.step({ x: 2 })).observation.y.toFixed(1) + (await game.state()).kept',
      ),
      "'2.0null'",
    );
    assert.match(
      await kernel.fail('(await game.step({ x: 2 })).observation.w'),
      /'w' does not exist on type 'Seen<number>'/,
    );
  }
});

test('what a method returns against the declared types is a type error of the class', async () => {
  const wrong = (body: string) =>
    kernel.fail(
      `/** @openenv */\nclass Wrong extends Environment<{ x: number }, { y: number; z?: string }> {\n  ${body}\n}`,
    );
  assert.match(
    await wrong('reset() { return { observation: { y: "1" } }; }\n  step() { return { observation: { y: 1 } }; }'),
    /Property 'reset'[^]*'string' is not assignable to type 'number'/,
  );
  assert.match(
    await wrong('reset() { return { observation: { y: 1 } }; }\n  step() { return { observation: { z: "1" } }; }'),
    /Property 'step'[^]*Property 'y' is missing/,
  );
});
