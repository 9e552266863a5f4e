import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOperations, createLockedDownFunction, type CountOptions } from '../../kernel/strategy';

/** The operations of one call of a function of `x`. */
async function operations(body: string, x: unknown = 3, options?: CountOptions): Promise<number> {
  const [{ operations: count, failure }] = await countOperations(`function strategy(x) { ${body} }`, [[x]], options);
  assert.equal(failure, undefined, body);
  return count;
}

test('operators, accesses, calls, branches, turns of loops and elements count one', async () => {
  const cases: [body: string, operations: number][] = [
    ['return x;', 0],
    ['return x + 1;', 1],
    ['return -x * -2;', 2],
    ['let y = x; y += 2; return y;', 2],
    ['let y; return y;', 0],
    ['return Math.abs(x);', 2],
    ['if (x > 2) return 1; return x * x;', 2],
    ['if (x > 5) return 1; return x * x;', 3],
    ['if (x > 5) return 1; else if (x > 2) return 2; return 3;', 4],
    ['return x > 2 ? 1 : x * x;', 2],
    ['return x > 5 && x < 9 && x !== 7;', 3],
    ['return x ?? x * x * x;', 1],
    // The declaration, 4 comparisons with their branches, 3 turns of 2 operations.
    ['for (let i = 0; i < x; i++) x - i; return x;', 1 + 4 * 2 + 3 * 2],
    ['let i = 0; while (i < x) i++; return i;', 1 + 4 * 2 + 3],
    ['let i = 0; do { i++; } while (i < x); return i;', 1 + 3 + 3 * 2],
    ['for (;;) if (x-- < 1) return x;', 4 * 4],
    ['switch (x) { case 1: return x * x; case 3: return x + x + x; default: return 9; }', 1 + 2 + 2],
    ['return [x, x, x];', 4],
    ['return { x, y: x };', 3],
    ['return `${x} and ${x}`;', 3],
    ['const { a = x * x, b } = { b: 1 }; return a;', 2 + 3 + 1],
    ['const f = (y = 1 + 1) => y * 2; return f(x) + f();', 3 + 2 + 1],
    ['try { throw x + 1; } catch (e) { return e * 2; } finally { x++; }', 3],
    ['class Point { y = 1 + 1; double() { return this.y * 2; } } return new Point().double();', 1 + 1 + 2 + 2 + 1],
    // The outer array, 2 turns; the inner array each time, 1 + 2 turns with a comparison and a branch each.
    [
      'outer: for (const a of [1, 2]) for (const b of [1, 2]) { if (a === b) continue outer; } return x;',
      3 + 2 * (1 + 3) + 3 * (1 + 2),
    ],
  ];
  for (const [body, expected] of cases) assert.equal(await operations(body), expected, body);
});

test('built-in functions count the longest of what they get and give', async () => {
  const xs = [4, 2, 3, 1, 5, 9, 8, 7];
  const call = 2;
  for (const [body, expected] of [
    ['return x.indexOf(4);', call + 8],
    ['return x.slice(1);', call + 8],
    ['return x.map((y) => y * 2);', call + 8 + 8],
    ['return x.push(1);', call],
    ['return x.at(-1);', call],
    ['return [...x];', 2 + 1 + 8],
    ['return Math.max(...x);', call + 1 + 8 + 8],
    ['return new Array(100).length;', 1 + 1 + 1 + 100],
    ["return 'a'.repeat(50).length;", call + 1 + 50],
    ['return x.sort((a, b) => 0);', call + Math.ceil(8 * Math.log2(9))],
    ['return x.slice(0, 0).concat(x, x);', call + call + 8 + 16],
  ] as const)
    assert.equal(await operations(body, xs), expected, body);
  assert.ok((await operations('return JSON.stringify(x).length;', xs)) > 16);
});

test('a counted program answers as it does uncounted', async () => {
  const programs: [code: string, calls: unknown[][]][] = [
    [
      `type Matrix = number[][];
const add = (a: number, b: number): number => a + b
let calls = 0
function strategy(a: Matrix, b: Matrix): Matrix {
  calls++
  const columns = b[0].map((_, j) => b.map((row) => row[j]))
  return a.map((row) => columns.map((column) => row.map((x, i) => x * column[i]).reduce(add, 0) as number))
}`,
      [
        [
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
        ],
        [[[1]], [[2]]],
      ],
    ],
    [
      `'use strict'
const seen = new Map()
function* steps(n) { for (let i = 0; i < n; i++) yield i }
function strategy({ x, ...rest }, [first = 7, ...others] = []) {
  let key = typeof x
  ;[first, key] = [key, first]
  seen.set(key, (seen.get(key) ?? 0) + 1)
  label: for (const i of steps(5)) { if (i % 2) continue label; else if (i > 3) break; key += \`\${i}\` }
  do var n = others.length; while (false)
  rest.z ||= { deep: [first, key, n, ...others] }
  delete rest.y
  switch (true) { case x > 1: rest.big = true; default: rest.x = x }
  return rest?.z?.deep ? { rest, count: [...seen] } : null
}`,
      [[{ x: 1, y: 2 }], [{ x: 2 }, [1, 2, 3]], [{ x: 'a' }, []]],
    ],
    [
      `class Tree { static made = 0; #size = 1 + 1; get size() { return this.#size } set size(n) { this.#size = n } [\`me\${'thod'}\`](...xs) { return Math.max(...xs, this.size) } }
var strategy = function (n) { const tree = new Tree(); Tree.made++; tree.size = n; return [tree.method(1, 2), Tree.made, n > 2 ? strategy(n - 1) : 'end', /b+/.exec('abbb')?.[0], 'a-b'.split('-')] }`,
      [[4], [1]],
    ],
  ];
  for (const [code, calls] of programs) {
    const plain = await createLockedDownFunction(code);
    const expected = calls.map((args) => plain(...args));
    plain.dispose();
    const counted = await countOperations(code, calls, { fresh: false });
    assert.deepEqual(
      counted.map(({ answer }) => answer),
      expected,
    );
    assert.deepEqual(await countOperations(code, calls, { fresh: false }), counted, 'the same count again');
    assert.ok(counted.every(({ operations }) => operations > 5 && Number.isInteger(operations)));
  }
});

test('each call begins afresh, with what the top level does, unless the program may remember', async () => {
  const code = `let known;
const table = [1, 2, 3].map((x) => x * x);
function strategy(xs) { return (known ??= xs.map((x) => x * x)); }`;
  const fresh = await countOperations(code, [[[1, 2]], [[3, 4]]]);
  assert.deepEqual(
    fresh.map(({ answer }) => answer),
    [
      [1, 4],
      [9, 16],
    ],
  );
  assert.equal(fresh[0].operations, fresh[1].operations);
  const kept = await countOperations(code, [[[1, 2]], [[3, 4]]], { fresh: false });
  assert.deepEqual(kept[1], { answer: [1, 4], operations: 1 }, 'cached: cheap, and wrong');
});

test('the count cannot be changed, evaded or outrun by the program', async () => {
  const attempts = [
    'return eval("1 + 1")',
    'return new Function("return 1")()',
    'return (() => 1).constructor("return 1")()',
    'return (function* () {}).constructor("yield 1")',
    'for (;;) {}',
    'for (;;) { try { throw 1 } catch {} }',
    'while (true) [1, 2, 3].includes(4)',
    'return (function again() { return again() })()',
    'return x.y.z',
    'return globalThis.strategy(x)',
    'return (function () { return this.strategy(x) })()',
  ];
  for (const body of attempts) {
    const [{ operations: count, failure, answer }] = await countOperations(`function strategy(x) { ${body} }`, [[3]], {
      maxOperations: 10_000,
    });
    assert.ok(failure, body);
    assert.equal(count, Infinity, body);
    assert.equal(answer, undefined, body);
  }
  // Its own source tells the name of the counter: with that, too, it can only count more.
  const [{ answer: source }] = await countOperations('function strategy(x) { return String(strategy) + x; }', [[1]]);
  const [name] = /count_[0-9a-f]+/.exec(source)!;
  for (const body of [
    `${name}.add(-1000)`,
    `${name}.add(NaN)`,
    `try { ${name}.add = () => {} } catch {}`,
    `try { ${name} = null } catch {}`,
    `try { ${name}.counted(() => 1)() } catch {}`,
    `${name}.made({ length: -1000 })`,
  ])
    assert.ok((await operations(`let y = x; ${'y = y + x;'.repeat(20)} ${body}; return y;`)) > 40, body);
  // Changing built-in functions makes nothing cheaper.
  const patched = await operations(
    'Array.prototype.map = function (f) { const ys = []; for (const y of this) ys.push(f(y)); return ys; }; return x.map((y) => y);',
    [1, 2, 3],
  );
  assert.ok(patched > 12);
});

test('a typed array is an array, and limits and mistakes are told', async () => {
  const [{ answer }] = await countOperations('function strategy(n) { return new Float32Array(n).fill(2); }', [[3]]);
  assert.deepEqual(answer, [2, 2, 2]);
  const [{ failure }] = await countOperations('function strategy() {\n  while (true);\n}', [[]], {
    maxOperations: 1000,
  });
  assert.deepEqual(failure, { reason: 'error', message: 'RangeError: it took more than 1,000 operations', line: 2 });
  await assert.rejects(countOperations('function strategy( {', [[1]]), /SyntaxError/);
  await assert.rejects(countOperations('const x = 1;', [[1]]), /strategy/);
  await assert.rejects(
    countOperations('let n = 0; while (true) n++; function strategy() {}', [[]], { maxOperations: 99 }),
    {
      message: /it took more than 99 operations/,
    },
  );
  await assert.rejects(countOperations('function strategy() {}', [1] as never), /a list with a list of arguments/);
  await assert.rejects(countOperations('function strategy() {}', [[]], { maxOperations: 0 }), /maxOperations/);
  assert.deepEqual(await countOperations('function strategy() {}', []), []);
});
