import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { test } from 'node:test';
import * as ts from 'typescript';
import { OpenEnvError } from '../../kernel/openenv';
import { actionCheck } from '../../kernel/openenv/actionCheck';
import { environmentTypes } from '../../kernel/openenv/environmentTypes';
import { typeScriptText } from '../../kernel/schema/types';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';

type Judged = Array<[value: unknown, valid: boolean]>;
interface Case {
  name: string;
  schema: Record<string, any>;
  values: Judged;
  beyond: Judged;
}

const written = JSON.parse(
  execFileSync(pythonPath(), [path.join(packageRoot, 'test/schema/pydantic_schemas.py')]).toString(),
);
const cases: Case[] = written.cases;
const any = { type: 'object', additionalProperties: true };
const typesOf = (action: object, observation: object = any, state: object = any) =>
  environmentTypes({ action, observation, state });

/** The strict type checker's messages about a program. */
function problems(text: string): string[] {
  const options: ts.CompilerOptions = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, types: [] };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (name, version) =>
    name === 'test.ts' ? ts.createSourceFile(name, text, version) : read(name, version);
  const program = ts.createProgram(['test.ts'], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ start, messageText }) =>
        `line ${text.slice(0, start).split('\n').length}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
}

test('a value fits the type exactly when pydantic takes it, limits aside', () => {
  const lines: string[] = [];
  const wrong: number[] = [];
  cases.forEach(({ schema, values, beyond }, c) => {
    const { declarations, action } = typesOf(schema);
    lines.push(...`namespace Case${c} {\n${declarations}\n}`.split('\n'));
    values.concat(beyond.map(([value]) => [value, true])).forEach(([value, valid], v) => {
      lines.push(`const value_${c}_${v}: Case${c}.${action} = ${JSON.stringify(value)};`);
      if (!valid) wrong.push(lines.length);
    });
  });
  const found = problems(lines.join('\n'));
  const told = new Set(found.map((it) => Number(/\d+/.exec(it)![0])));
  assert.deepEqual(
    [...told].sort((a, b) => a - b),
    wrong,
    found.join('\n'),
  );
});

test('a value passes the check exactly when pydantic takes it, limits included', () => {
  for (const { name, schema, values, beyond } of cases.filter(
    ({ name }) => !['scalar', 'list', 'optional'].includes(name),
  )) {
    const check = actionCheck(schema);
    for (const [value, valid] of [...values, ...beyond]) {
      if (valid) assert.doesNotThrow(() => check(value), `${name}: ${JSON.stringify(value)}`);
      // Texts that are no dates are left to the server.
      else assert.throws(() => check(value), OpenEnvError, `${name}: ${JSON.stringify(value)}`);
    }
  }
});

test('types are named after the models; descriptions and limits are their documentation', () => {
  const { declarations, action, observation, state } = environmentTypes(written.environment);
  assert.deepEqual([action, observation, state], ['Move', 'Seen', 'Kept']);
  assert.match(
    declarations,
    /export interface Move \{[^]*\/\*\*\n   \* Where to \*\\\/ go\n   \*\/\n  direction: Direction;/,
  );
  assert.match(declarations, /\/\*\* *\n \* Where to go\.\n \*\/\nexport type Direction = "up" \| "down";/);
  assert.match(
    declarations,
    /Column, from the left\n   \* @integer\n   \* @minimum 0\n   \* @exclusiveMaximum 10\n   \*\/\n  x: number;/,
  );
  assert.match(declarations, /@maxLength 20\n   \*\/\n  note\?: string \| null;/);
  assert.match(declarations, /@default 1\n   \*\/\n  steps\?: number;/);
});

test('an observation lacks what travels beside it; fields with a default are there; states are open', () => {
  const { declarations } = environmentTypes(written.environment);
  const seen = /export interface Seen \{[^]*?\n\}/.exec(declarations)![0];
  assert.doesNotMatch(seen, /done|reward/);
  assert.match(seen, /legal: /);
  assert.match(seen, /hint: string \| null/);
  assert.match(
    /export interface Kept \{[^]*?\n\}/.exec(declarations)![0],
    /secret: number;\n {2}\[field: string\]: any;/,
  );
});

test('odd and hostile schemas give types that TypeScript takes', () => {
  const schemas: any[] = [
    true,
    null,
    {},
    [],
    { $ref: '#' },
    { $ref: 'http://elsewhere/schema' },
    { $ref: '#/$defs/missing' },
    { $ref: '#/%zz' },
    { type: ['string', 'null', 'array'] },
    { title: 'string', type: 'object', properties: { '': { type: 'wrong' }, 'a"b\\': false, __proto__: {} } },
    {
      title: '1 + 1; */ } evil()',
      description: '*/ } evil(); /*',
      type: 'object',
      properties: { a: { enum: [] }, b: { enum: [{ c: 1 }, null] } },
    },
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] },
        { properties: { b: { oneOf: [{ const: 1 }, { const: 'x' }] } } },
      ],
    },
    { type: 'array', items: [{ type: 'number' }, { type: 'string' }], minItems: 1 },
    { type: 'object', patternProperties: { '^a': { type: 'number' } } },
    {
      type: 'object',
      properties: { a: { $ref: '#/properties/b' }, b: { type: 'object', properties: { a: { $ref: '#' } } } },
    },
    {
      definitions: { Record: { enum: ['a', 1, true] }, class: { $ref: '#/definitions/Record' } },
      properties: { r: { $ref: '#/definitions/Record' }, c: { $ref: '#/definitions/class' } },
    },
    Array.from({ length: 100 }).reduce((inner: any) => ({ type: 'object', properties: { inner } }), {}),
  ];
  const text = schemas.map((schema, i) => {
    const { declarations, action } = typesOf(schema, schema, schema);
    return `namespace Odd${i} {\n${declarations}\ntype Whole = ${action};\n}`;
  });
  assert.deepEqual(problems(text.join('\n')), []);
  assert.deepEqual(
    typesOf({
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`field ${i}`, { type: 'string' }])),
    }).action,
    'any',
  );
});

test('a type in a few words, for tables', () => {
  assert.equal(
    typeScriptText({ type: 'array', items: { anyOf: [{ type: 'integer' }, { type: 'null' }] } }),
    '(integer | null)[]',
  );
  assert.equal(typeScriptText({ $ref: '#/$defs/Point' }, { $defs: { Point: { type: 'object' } } }), 'Point');
  assert.equal(typeScriptText({ enum: ['up', 'down'] }), '"up" | "down"');
});

test('an action that does not fit: field, value and what is valid', () => {
  const check = actionCheck(written.environment.action);
  const message = (action: unknown) => {
    try {
      check(action);
    } catch (error) {
      return (error as Error).message;
    }
    return 'fits';
  };
  assert.equal(message({ direction: 'up' }), 'fits');
  assert.match(message({ direction: 'left' }), /direction: Input should be 'up' or 'down' \(given: "left"\)/);
  assert.match(
    message({ direction: 'up', stepps: 3 }),
    /There is no field 'stepps'\. Valid: direction, steps, note, at, path\./,
  );
  assert.match(message({ direction: 'up', steps: 6 }), /steps: Input should be less than or equal to 5 \(given: 6\)/);
  assert.match(message({ direction: 'up', note: 5 }), /note: Input should be a valid string or null \(given: 5\)/);
  assert.match(
    message({ direction: 'up', path: [{ x: 1 }, { x: 'a' }] }),
    /path\.1\.x: Input should be a valid integer \(given: "a"\)/,
  );
  assert.match(message({}), /direction: Field required/);
  assert.match(message('up'), /An action is an object such as \{ direction: … \}, not "up"/);
});

test('what cannot be checked here is left to the server', () => {
  assert.doesNotThrow(() => actionCheck({ type: 'object', properties: { a: { pattern: '(?P<x>a)' } } })({ a: 1 }));
  assert.doesNotThrow(() => actionCheck({ $schema: 'http://elsewhere/', $ref: 'http://elsewhere/' })({ a: 1 }));
  assert.doesNotThrow(() =>
    actionCheck(cases.find(({ name }) => name === 'call tool')!.schema)({ type: 'list_tools' }),
  );
});
