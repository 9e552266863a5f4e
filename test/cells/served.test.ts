import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

const counter = (step: number) => `/**
 * Counts up to a goal.
 * @openenv
 */
class CountUp extends Environment<Move, { count: number }, { goal: number }> {
  count = 0;
  reset() { this.count = 0; return { observation: { count: 0 } }; }
  step({ by }: Move) { this.count += by * ${step}; return { observation: { count: this.count }, reward: by, done: this.count >= 10 }; }
  get state() { return { goal: 10 }; }
}`;

const MOVE = `type Move = {
  /**
   * How far.
   * @integer
   * @minimum 1
   */
  by: number;
  how?: 'fast' | 'slow' | 3;
  path?: { x: number; on: boolean }[];
  next?: Move;
};`;

test('a class becomes a server; its schema comes from its types', async () => {
  await kernel.run(MOVE);
  const { outputs } = await kernel.execute(counter(1));
  assert.match(JSON.stringify(outputs.map(({ content }) => content.data)), /CountUp[^]*Counts up to a goal\./);
  const schema = JSON.parse((await kernel.run('JSON.stringify(await countUp.schema())')).slice(1, -1));
  const move = {
    type: 'object',
    properties: {
      by: { type: 'integer', description: 'How far.', minimum: 1 },
      how: { enum: ['fast', 'slow', 3] },
      path: {
        type: 'array',
        items: {
          type: 'object',
          properties: { x: { type: 'number' }, on: { type: 'boolean' } },
          required: ['x', 'on'],
          additionalProperties: false,
        },
      },
      next: { $ref: '#/$defs/Move' },
    },
    required: ['by'],
    additionalProperties: false,
  };
  assert.deepEqual(schema.action, { title: 'Move', $ref: '#/$defs/Move', $defs: { Move: move } });
  assert.deepEqual(Object.keys(schema.observation.properties), ['done', 'reward', 'metadata', 'count']);
  assert.deepEqual(Object.keys(schema.state.properties), ['episode_id', 'step_count', 'goal']);
});

test('the client is typed: a wrong field is a type error, and values are checked', async () => {
  await kernel.run('await countUp.reset({ seed: 1 });');
  assert.equal(await kernel.run('(await countUp.step({ by: 2, how: "fast" })).observation.count'), '2');
  assert.equal(await kernel.run('(await countUp.state()).goal'), '10');
  assert.match(
    await kernel.fail('await countUp.step({ byy: 2 })'),
    /error TS\d+:[^]*'byy' does not exist in type 'Move'/,
  );
  assert.match(
    await kernel.fail('await countUp.step({ by: 0, next: { by: 0.5 } })'),
    /by: Input should be greater than or equal to 1[^]*next\.by: Input should be a valid integer/,
  );
});

test('running the cell again replaces the server; the old client says so', async () => {
  await kernel.run('const old = countUp; const oldUrl = old.environment;');
  await kernel.execute(counter(5));
  assert.match(
    await kernel.fail('await old.step({ by: 1 })'),
    /The cell of CountUp was run again, and its server was replaced/,
  );
  await kernel.run('await countUp.reset();');
  assert.equal(await kernel.run('(await countUp.step({ by: 1 })).observation.count'), '5');
  assert.match(await kernel.fail('/** @openenv */ const again = await openenv(oldUrl)'), /No OpenEnv server answers/);
});

test('the client has the name that the cell asks for', async () => {
  await kernel.run(
    '/** @openenv client=game card=false */\nclass Tiny extends Environment<{ a: 1 | 2 }> {\n  reset() { return { observation: {} }; }\n  step() { return { observation: {}, done: true }; }\n}',
  );
  await kernel.run('await game.reset();');
  assert.match(await kernel.fail('await (game as any).step({ a: 3 })'), /a: Input should be 1 or 2 \(given: 3\)/);
});

test('types that JSON does not have are named', async () => {
  const cell = (type: string) =>
    `/** @openenv */\nclass Odd extends Environment<{ a: { b: ${type} } }> {\n  reset() { return { observation: {} }; }\n  step() { return { observation: {} }; }\n}`;
  assert.match(await kernel.fail(cell('() => void')), /Action\.a\.b is of type \(\) => void, which JSON does not have/);
  assert.match(await kernel.fail(cell('bigint')), /Action\.a\.b is of type bigint/);
});

test('a class that is no environment is refused', async () => {
  assert.match(await kernel.fail('/** @openenv */\nclass Wrong extends Map {}'), /extends Environment/);
});

test('the client of a class whose name is nearly a reserved word gets another name', async () => {
  await kernel.run(`/** @openenv */
class Catch extends Environment<{ by: number }, { x: number }> {
  reset() { return { observation: { x: 0 } }; }
  step({ by }) { return { observation: { x: by } }; }
}`);
  assert.equal(await kernel.run('await catchClient.reset(); (await catchClient.step({ by: 4 })).observation.x'), '4');
});
