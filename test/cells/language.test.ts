import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { text, TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

/** Runs cells one after another; returns what the last one showed. */
async function run(...cells: string[]): Promise<string> {
  let shown = '';
  for (const cell of cells) shown = await kernel.run(cell);
  return shown;
}

test('await everywhere at the top level', async () => {
  assert.equal(await run('const [one, { two }] = await Promise.all([1, Promise.resolve({ two: 2 })]); one + two'), '3');
  assert.equal(
    await run('const list: number[] = []; for (const x of await Promise.resolve([1, 2])) list.push(x); list'),
    '[ 1, 2 ]',
  );
  assert.equal(
    await run(
      'async function* count() { yield 1; yield 2; }\nlet total = 0; for await (const x of count()) total += x; total',
    ),
    '3',
  );
  assert.equal(await run('class Later extends (await Promise.resolve(Array)) {} new Later().length'), '0');
  assert.equal(await run('`${await Promise.resolve(4)}`'), "'4'");
});

test('using and await using end with their cell, in reverse order, also when it fails', async () => {
  await run(`
    const resource = (name: string) => ({ name, [Symbol.dispose]() { console.log('closed', name); } });
    const later = (name: string) => ({ name, async [Symbol.asyncDispose]() { console.log('closed', name); } });`);
  assert.equal(
    await run("using a = resource('a'), b = resource('b'); const kept = a.name + b.name; console.log('body'); kept"),
    "body\nclosed b\nclosed a\n'ab'",
  );
  assert.equal(await run('kept'), "'ab'");
  assert.equal(await run("await using c = later('c'); using d = resource('d'); null"), 'closed d\nclosed c\n');
  const { outputs, reply } = await kernel.execute("using e = resource('e'); throw new Error('stop')");
  assert.equal(text(outputs.slice(0, 1)), 'closed e\n');
  assert.equal(reply.content.evalue, 'stop');
  assert.match(
    await kernel.fail('using n = { name: 1 } as any'),
    /using needs an object with the method Symbol\.dispose/,
  );
});

test('decorators as ECMAScript has them', async () => {
  await run(`function logged(method: any, context: ClassMethodDecoratorContext) {
    return function (this: any, ...args: any[]) { console.log('call', String(context.name)); return method.apply(this, args); };
  }`);
  assert.equal(
    await run(
      'class Greeter { static shared = new Greeter(); @logged greet() { return "hi"; } }\nGreeter.shared.greet()',
    ),
    "call greet\n'hi'",
  );
  assert.equal(await run('new Greeter().greet()'), "call greet\n'hi'");
});

test('enums and namespaces, also from earlier cells', async () => {
  const declare =
    'enum Color { Red, Green }\nconst enum Size { Small = 3 }\nnamespace Shapes { export const sides = 4; export function area() { return sides ** 2; } }\n';
  assert.equal(await run(`${declare}[Color.Green, Size.Small, Shapes.area()]`), '[ 1, 3, 16 ]');
  assert.equal(await run('[Color[0], Size.Small + 1, Shapes.sides, Shapes.area()]'), "[ 'Red', 4, 4, 16 ]");
  assert.equal(await run('enum Color { Blue = 7 } Color.Blue'), '7');
  assert.match(await kernel.fail('Color.Red'), /Property 'Red' does not exist/);
});

test('declare global, private names, accessors, satisfies, const type parameters, overloads', async () => {
  assert.equal(
    await run(
      'declare global { interface Array<T> { lastOne(): T } }\nArray.prototype.lastOne = function () { return this[this.length - 1]; };',
      '[1, 2].lastOne() + 1',
    ),
    '3',
  );
  assert.equal(
    await run(
      'class Secret { #value = 1; static #count = 0; static { Secret.#count++; } accessor extra = 4; sum() { return this.#value + Secret.#count + this.extra; } }',
      'new Secret().sum()',
    ),
    '6',
  );
  assert.equal(
    await run(
      'const shape = { sides: 4 } satisfies Record<string, number>;\nfunction literal<const T>(x: T) { return x; }\nconst pair = literal(["a", "b"]);',
      'const first: "a" = pair[0]; [shape.sides, first]',
    ),
    "[ 4, 'a' ]",
  );
  await run(
    'function same(x: number): number;\nfunction same(x: string): string;\nfunction same(x: any) { return x; }',
  );
  assert.equal(await run("same('a').length + same(1)"), '2');
  assert.match(await kernel.fail('same(true)'), /No overload matches this call/);
});

test('destructuring, several variables of one declaration, var in blocks', async () => {
  assert.equal(
    await run('const { p, q: [r = p, ...s], ...t } = { p: 1, q: [undefined, 2, 3] as any[], u: 4 };', '[p, r, s, t]'),
    '[ 1, 1, [ 2, 3 ], { u: 4 } ]',
  );
  assert.equal(await run('const m = 1, n = m + 1, o = () => n; [n, o()]'), '[ 2, 2 ]');
  assert.equal(await run('for (var i = 0; i < 3; i++);\nif (true) { var inner = i; }', '[i, inner]'), '[ 3, 3 ]');
  assert.equal(await run('let x = 1, y = 2; [x, y] = [y, x]; ({ x } = { x: 5 });', 'x++; `${x}${y}`'), "'61'");
});

test('regular expressions with sets, well-formed strings', async () => {
  assert.equal(await kernel.run("[/[\\p{L}--[a-z]]/v.test('A'), 'a'.isWellFormed()]"), '[ true, true ]');
});

test('var has one value, wherever it is declared', async () => {
  assert.equal(await kernel.run('var i9 = 7; for (var i9 = 0; i9 < 3; i9++) {}\ni9'), '3');
  assert.equal(await kernel.run('var v9 = 1; { var v9 = 2 } v9'), '2');
  assert.equal(await kernel.run('var t9 = 1; try { throw 1 } catch { var t9 = 2 }\nt9'), '2');
  assert.equal(await kernel.run('x9 = 3; var x9: number; x9'), '3');
  assert.equal(await kernel.run('[i9, v9, t9, x9]'), '[ 3, 2, 2, 3 ]');
  assert.equal(await kernel.run('var x9: number; x9'), '');
});

test('functions see what later cells declare', async () => {
  await run('function helper() { return "old"; }\nfunction uses() { return helper(); }\nconst counter = { n: 0 };');
  assert.equal(await run('function helper() { return "new"; }', 'uses()'), "'new'");
  assert.equal(await run('const object = { helper, counter }; object.helper() + object.counter.n'), "'new0'");
});

test('a function is called without this, and a class means itself', async () => {
  assert.equal(await run('function self(this: any) { return this; }', 'String(self())'), "'undefined'");
  assert.equal(
    await run(
      'class Node1 { static root = new Node1(); clone() { return new Node1(); } }',
      'Node1.root.clone() instanceof Node1',
    ),
    'true',
  );
});

test('types and documentation of earlier cells are whole', async () => {
  await run(
    'interface Point { x: number }\ntype Pair<T> = [T, T];\nabstract class Shape { abstract area(): number; protected tag = 1; }',
  );
  assert.equal(
    await run(
      'const pair: Pair<Point> = [{ x: 1 }, { x: 2 }]; class Square extends Shape { area() { return this.tag; } } new Square().area() + pair[1].x',
    ),
    '3',
  );
  await run('interface Point { y: number }');
  assert.match(await kernel.fail('const point: Point = { x: 1 };'), /'x' does not exist in type 'Point'/);
});

test('globals can be hidden, and names that the kernel uses can be declared', async () => {
  assert.equal(
    await run('const Map = 5; const exports = 6; const require = 7; [Map, exports, require]'),
    '[ 5, 6, 7 ]',
  );
  assert.equal(await run('Map + exports + require'), '18');
});

test('the last expression is shown, whatever stands around it', async () => {
  assert.equal(await run('1 + 1 // a comment\n// another'), '2');
  assert.equal(await run("/* before */ 'text' /* after */;"), "'text'");
  assert.equal(await run('(Number(1), 2)'), '2');
  assert.equal(await run('async () => 1 // a function'), '[AsyncFunction (anonymous)]');
  assert.equal(await run('{ a: 1, b: [2] }'), '{ a: 1, b: [ 2 ] }');
  assert.equal(await run('{ a: 1 }'), '{ a: 1 }');
  assert.equal(await run('{ const block = 1; }'), '');
  assert.match(await kernel.fail('{ a: 1, b: nothing }'), /line 1, column 12: error TS2304/);
  assert.match(await kernel.fail("export * from 'node:fs'"), /Import the names/);
});

test('export in a cell is no error: the name is shared anyway', async () => {
  assert.equal(
    await run(
      'export const shared = 1;\nexport type Id = string;\nexport default function named() { return 3; }',
      "const id: Id = 'a'; [shared, named(), id]",
    ),
    "[ 1, 3, 'a' ]",
  );
});

test('import.meta and __dirname speak of the notebook', async () => {
  assert.equal(
    await run(
      "import * as path from 'node:path'; [import.meta.dirname === process.cwd(), __dirname === process.cwd(), import.meta.url.startsWith('file:'), path.dirname(import.meta.filename) === process.cwd()].join()",
    ),
    "'true,true,true,true'",
  );
});

test('a long cell, and the same cell many times', async () => {
  const long = Array.from({ length: 2000 }, (_, i) => `const v${i} = ${i};`).join('\n');
  assert.equal(await run(`${long}\nv1999`), '1999');
  for (let i = 0; i < 100; i++) await run(`const again = ${i}; function useAgain() { return again; }`);
  assert.equal(await run('useAgain() + v7'), '106');
});

test("strict and other settings come from a tsconfig.json in the notebook's folder", async () => {
  const other = await TestKernel.start({
    'tsconfig.json':
      '{ "compilerOptions": { "strict": true, "experimentalDecorators": true, "noUnusedLocals": true } } // a comment',
  });
  assert.match(await other.fail('const x: number = null;'), /Type 'null' is not assignable/);
  assert.equal(
    await other.run(
      'function mark(target: any, key: string) { target.marked = key; }\nclass Old { @mark method() {} }\n(new Old() as any).marked',
    ),
    "'method'",
  );
  await other.stop();
});
