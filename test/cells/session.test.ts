import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { text, TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start({
    'helper.ts':
      'export const shout = (text: string): string => text.toUpperCase();\nexport function fails(): never { throw new Error("in the helper"); }\n',
    'data.json': '{ "numbers": [1, 2, 3] }',
    'node_modules/tiny/package.json':
      '{ "name": "tiny", "version": "1.0.0", "main": "index.js", "types": "index.d.ts" }',
    'node_modules/tiny/index.js': 'exports.double = (x) => 2 * x;',
    'node_modules/tiny/index.d.ts': 'export declare function double(x: number): number;',
  });
});
after(() => kernel.stop());

test('TypeScript with types; the last expression is the result', async () => {
  assert.equal(
    await kernel.run('interface Point { x: number; y: number }\nconst p: Point = { x: 1, y: 2 };\np'),
    '{ x: 1, y: 2 }',
  );
  assert.equal(await kernel.run('p.x + p.y'), '3');
  assert.equal(await kernel.run('const nothing = undefined; nothing'), '');
  assert.equal(await kernel.run('let assigned = 1; assigned = 2;'), '');
  assert.equal(await kernel.run('// only a comment'), '');
  assert.equal(await kernel.run(''), '');
});

test('top-level await', async () => {
  assert.equal(
    await kernel.run(
      'const later = await new Promise<number>((resolve) => setTimeout(() => resolve(5), 5)); later * 2',
    ),
    '10',
  );
  assert.equal(await kernel.run('let sum = 0; for (const n of [1, 2]) { sum += await Promise.resolve(n); } sum'), '3');
});

test('names can be declared again, with another type', async () => {
  await kernel.run('const again = 1; function twice(x: number) { return 2 * x; } class Box { a = 1 }');
  await kernel.run("const again = 'text'; function twice(x: string) { return x + x; } class Box { b = 2 }");
  assert.equal(await kernel.run('twice(again) + new Box().b'), "'texttext2'");
});

test('functions see the newest value of a variable', async () => {
  await kernel.run('let shared = 1; const read = () => shared;');
  await kernel.run('shared = 2;');
  assert.equal(await kernel.run('read()'), '2');
  await kernel.run('let turns = 0; let { a, b } = { a: 1, b: 2 }; function turn() { b++; return ++turns; } turn();');
  await kernel.run('turns = 10; b = 20;');
  assert.equal(await kernel.run('[turn(), turns, b]'), '[ 11, 11, 21 ]');
});

test('a variable declared again without a value is empty', async () => {
  await kernel.run('let best: number | undefined; best = 5;');
  await kernel.run('let best: number | undefined;');
  assert.equal(await kernel.run('[best]'), '[ undefined ]');
});

test('type errors come before running, all of them, with line, source and caret', async () => {
  const error = await kernel.fail("console.log('ran');\nconst a: number = 'text';\n\nconst b = a.missing;");
  assert.match(error, /line 2, column 7: error TS2322: Type 'string' is not assignable to type 'number'\./);
  assert.match(error, /> 2 \| const a: number = 'text';\n {4}\| {7}\^\n/);
  assert.match(error, /line 4, column 13: error TS2339: Property 'missing' does not exist on type 'number'\./);
  assert.ok(!kernel.iopub.some(({ content }) => content.text === 'ran\n'));
  assert.match(await kernel.fail('const c = ;'), /line 1, column 11: error TS1109: Expression expected/);
});

test('an explanation of several lines is one problem', async () => {
  const { reply } = await kernel.execute('const f: (x: number) => void = (x: string) => {};');
  assert.equal(reply.content.traceback.length, 1);
  assert.match(reply.content.traceback[0], /\n {2}Types of parameters 'x' and 'x' are incompatible\./);
});

test("tracebacks have the cells' own lines and only the user's frames", async () => {
  await kernel.run(
    'interface Padding {}\n\nfunction inner(o: any) {\n  return o.a.b;\n}\nfunction outer() { return inner({}); }',
  );
  const error = await kernel.fail('// a comment\nconst list = [1].map(() =>\n  outer());');
  const frames = error.split('\n').filter((line) => line.startsWith('    at '));
  assert.match(error, /^TypeError: Cannot read properties of undefined \(reading 'b'\)/);
  assert.match(error, /> 4 \| {3}return o\.a\.b;\n {4}\| {14}\^/);
  assert.deepEqual(
    frames.map((frame) => /line \d+, column \d+/.exec(frame)![0]),
    ['line 4, column 14', 'line 6, column 27', 'line 3, column 3', 'line 2, column 18'],
  );
  assert.match(frames[0], /at inner \(Cell \[\d+\]/);
});

test('tracebacks after an await, and with causes and details', async () => {
  const error = await kernel.fail(
    "await Promise.resolve();\nthrow Object.assign(new RangeError('deep', { cause: new Error('root') }), { code: 'E1' });",
  );
  assert.match(error, /> 2 \| throw/);
  assert.match(error, /code: 'E1'/);
  assert.match(error, /Caused by:\nError: root/);
});

test('anything can be thrown', async () => {
  assert.match(await kernel.fail("throw 'a string'"), /'a string'/);
  assert.match(await kernel.fail('throw null'), /null/);
  assert.match(await kernel.fail('await Promise.reject(undefined)'), /undefined/);
  assert.match(await kernel.fail("throw { message: 'odd', stack: 5 }"), /odd/);
});

test('a failed cell keeps what it assigned, and does not lose older values', async () => {
  await kernel.run('const survivor = 1; let replaced = 1;');
  await kernel.fail(
    "const fresh = { n: 1 };\nconst replaced = (() => { throw new Error('x'); })();\nconst missing = 1;",
  );
  assert.equal(await kernel.run('[survivor, replaced, fresh.n]'), '[ 1, 1, 1 ]');
  assert.match(await kernel.fail('missing'), /Cannot find name 'missing'/);
});

test('values say how they are displayed', async () => {
  const shown = async (code: string) => (await kernel.execute(code)).outputs.map(({ content }) => content.data);
  assert.deepEqual(await shown("({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<i>x</i>' }) })"), [
    { 'text/html': '<i>x</i>' },
  ]);
  assert.deepEqual(await shown("({ [Symbol.for('Jupyter.display')]: async () => ({ 'text/html': '<i>y</i>' }) })"), [
    { 'text/html': '<i>y</i>' },
  ]);
  assert.deepEqual(await shown("({ 'image/svg+xml': '<svg/>' })"), [{ 'image/svg+xml': '<svg/>' }]);
  assert.deepEqual(await shown("'text'"), [{ 'text/plain': "'text'" }]);
  assert.match(
    await kernel.fail("({ [Symbol.for('Jupyter.display')]() { throw new Error('no picture'); } })"),
    /no picture/,
  );
});

test("packages, local files and JSON resolve from the notebook's folder", async () => {
  assert.equal(await kernel.run("import { double } from 'tiny'; double(21)"), '42');
  assert.match(
    await kernel.fail("import { double } from 'tiny'; double('x')"),
    /not assignable to parameter of type 'number'/,
  );
  assert.equal(await kernel.run("import { shout } from './helper'; shout('hi')"), "'HI'");
  assert.equal(await kernel.run("import { numbers } from './data.json'; numbers.length"), '3');
  assert.match(await kernel.fail("import { x } from 'no-such-package'"), /Cannot find module 'no-such-package'/);
});

test('joylab imports with types from a folder without node_modules', async () => {
  assert.equal(
    await kernel.run("import { rewardRegistry, type Sample } from 'joylab';\nrewardRegistry.list().length"),
    '0',
  );
  assert.match(
    await kernel.fail("import { rewardRegistry } from 'joylab';\nrewardRegistry.register(5, () => 1);"),
    /line 2, column 25: error TS2345/,
  );
  assert.match(await kernel.fail("import { noSuchThing } from 'joylab';"), /has no exported member 'noSuchThing'/);
});

test("a function's text is what the user wrote", async () => {
  await kernel.run(
    'function looping() { for (let i = 0; i < 2; i++) { } while (false) await0(); }\nfunction await0() {}',
  );
  assert.doesNotMatch(await kernel.run('looping.toString()'), /joylab/);
  assert.equal(
    await kernel
      .run('new Function(`return (${looping})`)()()')
      .catch((error) => /await0 is not defined/.test(error.message) || error),
    '',
  );
});

test('loops of every kind run as written', async () => {
  assert.equal(
    await kernel.run(`
    const seen: unknown[] = [];
    outer: for (let i = 0; i < 3; i++) for (const j of [0, 1]) { if (j) continue outer; if (i === 2) break outer; seen.push(i); }
    for (const key in { a: 1 }) seen.push(key);
    let n = 0;
    do n++; while (n < 3);
    while (n-- > 0) seen.push(n);
    async function* numbers() { yield 7; }
    await (async () => { for await (const x of numbers()) seen.push(x); })();
    for await (const x of numbers()) seen.push(x);
    JSON.stringify(seen)`),
    `'[0,1,"a",2,1,0,7,7]'`,
  );
});

test('completion knows types, imports and earlier cells', async () => {
  await kernel.run('const settings = { learningRate: 1, maxSteps: 2 };');
  const complete = async (code: string) =>
    (await kernel.request('shell', 'complete_request', { code, cursor_pos: code.length })).content;
  assert.deepEqual((await complete('settings.')).matches, ['learningRate', 'maxSteps']);
  const { matches, cursor_start, cursor_end, metadata } = await complete('settings.max');
  assert.deepEqual([matches, cursor_start, cursor_end], [['maxSteps'], 9, 12]);
  assert.equal(metadata._jupyter_types_experimental[0].type, 'property');
  assert.deepEqual((await complete('const x: string = 1 +')).status, 'ok');
});

test('inspection shows types and documentation', async () => {
  await kernel.run('/** Adds two numbers. */\nfunction add(a: number, b: number) { return a + b; }');
  const code = 'add(1, 2)';
  const { content } = await kernel.request('shell', 'inspect_request', { code, cursor_pos: 2, detail_level: 0 });
  assert.match(content.data['text/plain'], /function add\(a: number, b: number\): number\n+Adds two numbers\./);
  assert.equal(
    (await kernel.request('shell', 'inspect_request', { code: '   ', cursor_pos: 1, detail_level: 0 })).content.found,
    false,
  );
});

test('console output: formats, errors', async () => {
  const { outputs } = await kernel.execute(
    "console.log('%d %s', 1, 'a', { b: 2 }); console.warn('w'); process.stdout.write('raw'); null",
  );
  assert.match(text(outputs), /^1 a \{ b: 2 \}\n/);
  assert.match(text(outputs), /w\nraw$/);
});
