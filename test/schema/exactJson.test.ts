import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExact, stringifyExact } from '../../kernel/common/exactJson';
import { NestingError } from '../../kernel/common/nesting';
import { jsonValue, type JsonValueError } from '../../kernel/schema/jsonValue';

const parse = (text: string): unknown => parseExact(text, 'The text');

test('integers that a number would change are bigints, all others are what JSON.parse gives', () => {
  const cases: Array<[text: string, value: unknown]> = [
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['9223372036854775809', 9223372036854775809n],
    ['18446744073709551616', 18446744073709551616n],
    ['100000000000000000000', 1e20], // as JSON.stringify(1e20) writes it
    ['1e20', 1e20],
    ['9007199254740993.0', 9007199254740992],
    ['0.30000000000000004', 0.1 + 0.2],
    // biome-ignore lint/correctness/noPrecisionLoss: what JSON.parse makes of it.
    ['12345678901234567890e3', 12345678901234567890e3],
    [`1${'0'.repeat(400)}1`, 10n ** 401n + 1n],
    ['1e400', Infinity],
    ['"9007199254740993"', '9007199254740993'],
    [
      '{"a\\"9007199254740993":"\\\\","b":[9007199254740993,"9007199254740993\\\\\\"",null]}',
      { 'a"9007199254740993': '\\', b: [9007199254740993n, '9007199254740993\\"', null] },
    ],
  ];
  for (const [text, value] of cases) assert.deepEqual(parse(text), value, text.slice(0, 40));
  const odd = parse('{"__proto__":{"x":9007199254740993},"constructor":1}') as object;
  assert.deepEqual(Object.keys(odd), ['__proto__', 'constructor']);
  assert.equal(Object.getPrototypeOf(odd), Object.prototype);
});

test('what is not JSON is an error, with large numbers in it or without', () => {
  for (const text of [
    '{9007199254740993:1}',
    '09007199254740993',
    '[9007199254740993,]',
    '-',
    'NaN',
    '{"a":Infinity}',
    '9007199254740993n',
    '"9007199254740993',
  ])
    assert.throws(() => parse(text), SyntaxError, text);
  assert.throws(() => parse(`${'['.repeat(600)}9007199254740993${']'.repeat(600)}`), NestingError);
});

test('bigints, and numbers beyond 2^53, are written digit by digit', () => {
  assert.equal(
    stringifyExact({
      a: 9007199254740993n,
      b: [2 ** 60, -(2n ** 64n)],
      c: 1e20,
      d: 0.1 + 0.2,
      e: 'x9007199254740993',
      f: undefined,
    }),
    '{"a":9007199254740993,"b":[1152921504606846976,-18446744073709551616],"c":100000000000000000000,"d":0.30000000000000004,"e":"x9007199254740993"}',
  );
  for (const value of [{ a: 1 }, [1e21, 1.5e300], 'text', null, true, [undefined]])
    assert.equal(stringifyExact(value), JSON.stringify(value));
  const text = '{"id":9223372036854775809,"big":1152921504606846976,"small":[1,0.5]}';
  assert.equal(stringifyExact(parse(text)), text);
});

test('a value becomes what JSON has; what JSON would lose is an error that names the place', () => {
  const value = {
    list: new Uint8Array([1, 2]),
    map: new Map([['a', new Set([1])]]),
    date: new Date(0),
    none: undefined,
    holes: [undefined, -0],
    big: 2n ** 64n,
    boxed: Object('x'),
    own: { toJSON: () => 'written' },
  };
  assert.deepEqual(jsonValue(value, 'The value'), {
    list: [1, 2],
    map: { a: [1] },
    date: '1970-01-01T00:00:00.000Z',
    holes: [null, 0],
    big: 2n ** 64n,
    boxed: 'x',
    own: 'written',
  });
  const shared = { x: 1 };
  assert.deepEqual(jsonValue([shared, shared], 'The value'), [shared, shared]);
  const lost: Array<[unknown, RegExp]> = [
    [NaN, /a\.0\.b is NaN: JSON has finite numbers only/],
    [-Infinity, /a\.0\.b is -Infinity/],
    [() => 1, /a\.0\.b is a function/],
    [Symbol('s'), /a\.0\.b is a symbol/],
    [Promise.resolve(1), /a\.0\.b is a Promise, which JSON does not have: await it/],
    [/x/, /a\.0\.b is a RegExp/],
    [new Error('x'), /a\.0\.b is a Error/],
    [new ArrayBuffer(1), /a\.0\.b is a ArrayBuffer/],
    [new Date(NaN), /a\.0\.b is a date that is none/],
    [new Map([[{}, 1]]), /a\.0\.b is a Map with a key that is a object/],
    [new Float32Array([1, NaN]), /a\.0\.b\.1 is NaN/],
  ];
  for (const [part, words] of lost)
    assert.throws(
      () => jsonValue({ a: [{ b: part }] }, 'The value'),
      (error: JsonValueError) => words.test(error.describe()),
      String(words),
    );
  const circle: any = { a: 1 };
  circle.circle = [circle];
  assert.throws(
    () => jsonValue(circle, 'The value'),
    /The value is nested more than 512 levels deep, or contains itself/,
  );
});
