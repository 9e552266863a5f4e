import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenEnvError } from '../../kernel/openenv';
import { actionCheck, meantError } from '../../kernel/openenv/actionCheck';
import { serverError } from '../../kernel/openenv/errors';

const $defs = {
  Move: {
    type: 'object',
    title: 'Move',
    properties: {
      kind: { const: 'move', default: 'move', type: 'string' },
      dx: { type: 'integer', minimum: -3, maximum: 3 },
    },
    required: ['dx'],
  },
  Say: {
    type: 'object',
    title: 'Say',
    properties: {
      kind: { const: 'say', default: 'say', type: 'string' },
      text: { type: 'string', pattern: '^[a-z ]+$' },
      then: { anyOf: [{ $ref: '#/$defs/Command' }, { type: 'null' }] },
    },
    required: ['text'],
  },
  Command: {
    oneOf: [{ $ref: '#/$defs/Move' }, { $ref: '#/$defs/Say' }],
    discriminator: { propertyName: 'kind', mapping: { move: '#/$defs/Move', say: '#/$defs/Say' } },
  },
  Circle: {
    type: 'object',
    title: 'Circle',
    properties: { r: { type: 'number' } },
    required: ['r'],
    additionalProperties: false,
  },
  Box: {
    type: 'object',
    title: 'Box',
    properties: { w: { type: 'number' }, h: { type: 'number' } },
    required: ['w', 'h'],
    additionalProperties: false,
  },
};
const schema = {
  type: 'object',
  title: 'Action',
  additionalProperties: false,
  properties: {
    command: { $ref: '#/$defs/Command' },
    commands: { type: 'array', items: { $ref: '#/$defs/Command' } },
    byName: { type: 'object', additionalProperties: { $ref: '#/$defs/Command' } },
    plain: { anyOf: [{ $ref: '#/$defs/Move' }, { $ref: '#/$defs/Say' }, { type: 'null' }] },
    shape: { anyOf: [{ $ref: '#/$defs/Circle' }, { $ref: '#/$defs/Box' }] },
    mixed: {
      anyOf: [{ type: 'integer', maximum: 5 }, { type: 'array', items: { type: 'integer' } }, { $ref: '#/$defs/Box' }],
    },
    deep: {
      anyOf: [
        { type: 'object', properties: { type: { enum: ['a'] }, inner: { $ref: '#/$defs/Command' } } },
        { type: 'object', properties: { type: { enum: ['b', 'c'] }, inner: { type: 'string' } } },
      ],
    },
  },
  $defs,
};

/** What is said of an action, line by line. */
function said(action: object): string[] {
  try {
    actionCheck(schema)(action);
  } catch (error) {
    return (error as OpenEnvError).message.split('\n  ').slice(1);
  }
  assert.fail(`${JSON.stringify(action)} passes`);
}

test('of a union, only the member that is meant is told of: by its tag, its type or its fields', () => {
  const dx = 'Input should be less than or equal to 3 (given: 9)';
  const text = 'Input must match pattern "^[a-z ]+$" (given: "A")';
  const cases: Array<[action: object, lines: string[]]> = [
    [{ command: { kind: 'move', dx: 9 } }, [`command.dx: ${dx}`]],
    [{ command: { kind: 'say', text: 'A' } }, [`command.text: ${text}`]],
    [{ command: { kind: 'say' } }, ['command.text: Field required']],
    [{ command: { kind: 'jump', dx: 1 } }, [`command.kind: Input should be 'move' or 'say' (given: "jump")`]],
    [{ command: { dx: 9 } }, ['command.kind: Field required']],
    [
      { command: { kind: 'move', dx: 2n ** 64n } },
      ['command.dx: Input should be less than or equal to 3 (given: 18446744073709551616)'],
    ],
    [
      {
        commands: [
          { kind: 'move', dx: 1 },
          { kind: 'say', text: 'A' },
          { kind: 'move', dx: 9 },
        ],
      },
      [`commands.1.text: ${text}`, `commands.2.dx: ${dx}`],
    ],
    [{ byName: { a: { kind: 'move', dx: 9 } } }, [`byName.a.dx: ${dx}`]],
    [{ plain: { kind: 'move', dx: 9 } }, [`plain.dx: ${dx}`]],
    [
      { plain: { kind: 'say', text: 'a', then: { kind: 'say', text: 'a', then: { kind: 'move', dx: 9 } } } },
      [`plain.then.then.dx: ${dx}`],
    ],
    [{ mixed: 7 }, ['mixed: Input should be less than or equal to 5 (given: 7)']],
    [{ mixed: ['x'] }, ['mixed.0: Input should be a valid integer (given: "x")']],
    [{ mixed: { w: 1 } }, ['mixed.h: Field required']],
    [{ deep: { type: 'a', inner: { kind: 'move', dx: 9 } } }, [`deep.inner.dx: ${dx}`]],
    [{ deep: { type: 'c', inner: 1 } }, ['deep.inner: Input should be a valid string (given: 1)']],
    [{ deep: { type: 'd' } }, [`deep.type: Input should be 'a', 'b' or 'c' (given: "d")`]],
    [{ mixed: 'x' }, ['mixed: Input should be a valid integer or an array or an object (given: "x")']],
  ];
  for (const [action, lines] of cases) assert.deepEqual(said(action), lines, JSON.stringify(lines));
  assert.equal(
    said({ shape: { w: 1 } })[0],
    'shape.h: Field required',
    'of members that nothing tells apart, the closest comes first',
  );
  assert.equal(said({ shape: { r: 'x' } })[0], 'shape.r: Input should be a valid number (given: "x")');
});

test("a server's errors are shown for the member that is meant, too", () => {
  const problem = (loc: (string | number)[], msg: string) => ({ type: 'x', loc, msg, input: 1 });
  const shown = (action: object, ...errors: object[]) =>
    meantError(serverError({ code: 'VALIDATION_ERROR', message: 'Invalid message', errors }), schema, action)
      .message.split('\n  ')
      .slice(1);
  const ofPlain = [
    problem(['plain', 'Move', 'dx'], 'too large'),
    problem(['plain', 'Say', 'kind'], "Input should be 'say'"),
    problem(['plain', 'Say', 'text'], 'Field required'),
  ];
  assert.deepEqual(shown({ plain: { kind: 'move', dx: 9 } }, ...ofPlain), ['plain.Move.dx: too large (given: 1)']);
  assert.deepEqual(shown({ plain: { kind: 'say' } }, ...ofPlain).length, 2);
  assert.deepEqual(
    shown({ mixed: [] }, problem(['mixed', 'int'], 'no integer'), problem(['mixed', 'list[int]', 0], 'no')),
    ['mixed.list[int].0: no (given: 1)'],
  );
  assert.deepEqual(shown({ command: { kind: 'move' } }, problem(['command', 'move', 'dx'], 'own rule')), [
    'command.move.dx: own rule (given: 1)',
  ]);
  assert.deepEqual(
    shown({ commands: [{ kind: 'say' }] }, problem(['commands', 0, 'move', 'dx'], 'x')).length,
    1,
    'the last problem is never left out',
  );
});
