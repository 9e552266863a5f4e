import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start({
    'shapes.ts':
      "import { scale } from './scale';\nexport const area = (side: number): number => side * side * scale;\nexport default class Shape { #sides = 4; get sides() { return this.#sides; } }\n",
    'scale.ts': 'export const scale = 1;\n',
    'state.ts':
      'export let count = 0;\nexport function increase() { count++; }\nexport const folder = import.meta.dirname;\n',
    'lib/index.ts': "export * from '../shapes.js';\n",
    'plain.mjs': 'export const plain = 1;',
    'data.json': '{ "numbers": [1, 2, 3] }',
    ...packaged(
      'esm-only',
      { type: 'module', exports: { import: './index.mjs' } },
      { 'index.mjs': 'export const a = 1; export default function hello() { return "hello"; }' },
    ),
    ...packaged(
      'esm-await',
      { type: 'module', main: 'index.js' },
      { 'index.js': 'export const value = await Promise.resolve(7);' },
    ),
    ...packaged(
      'cjs',
      { main: 'index.js' },
      { 'index.js': 'module.exports = function f() { return "called"; }; module.exports.extra = 3;' },
    ),
    ...packaged(
      'typed',
      {
        exports: {
          '.': { types: './types.d.ts', default: './index.js' },
          './sub': { types: './sub.d.ts', default: './sub.js' },
        },
      },
      {
        'index.js': 'exports.double = (x) => 2 * x;',
        'types.d.ts': 'export declare function double(x: number): number;',
        'sub.js': 'exports.half = (x) => x / 2;',
        'sub.d.ts': 'export declare function half(x: number): number;',
      },
    ),
  });
});
after(() => kernel.stop());

function packaged(name: string, manifest: object, files: Record<string, string>): Record<string, string> {
  const all = { 'package.json': JSON.stringify({ name, version: '1.0.0', ...manifest }), ...files };
  return Object.fromEntries(Object.entries(all).map(([file, text]) => [`node_modules/${name}/${file}`, text]));
}

/** Writes a file so that its time of change differs. */
function write(name: string, text: string, seconds = 5): void {
  const file = path.join(kernel.folder, name);
  fs.writeFileSync(file, text);
  const time = new Date(Date.now() + 1000 * seconds);
  fs.utimesSync(file, time, time);
}

test('packages: ESM alone, with top-level await, CommonJS, subpaths with types', async () => {
  assert.equal(await kernel.run("import hello, { a } from 'esm-only'; [hello(), a]"), "[ 'hello', 1 ]");
  assert.equal(await kernel.run("import { value } from 'esm-await'; value"), '7');
  assert.equal(
    await kernel.run("import f, { extra } from 'cjs'; import * as all from 'cjs'; [f(), extra, all.extra]"),
    "[ 'called', 3, 3 ]",
  );
  assert.equal(
    await kernel.run("import { double } from 'typed'; import { half } from 'typed/sub'; double(half(3))"),
    '3',
  );
  assert.match(
    await kernel.fail("import { half } from 'typed/sub'; half('x')"),
    /not assignable to parameter of type 'number'/,
  );
  assert.match(await kernel.fail("import 'typed/other'"), /Cannot find module 'typed\/other'/);
});

test('what is imported is there in later cells, also what the first did not use', async () => {
  await kernel.run(
    "import { readFileSync, existsSync } from 'node:fs'; import os from 'node:os'; import type { Stats } from 'fs';",
  );
  assert.equal(await kernel.run('const stats: Stats | null = null; existsSync(os.tmpdir())'), 'true');
  assert.equal(await kernel.run("const existsSync = 'mine'; existsSync"), "'mine'");
  assert.equal(await kernel.run('existsSync'), "'mine'");
});

test('dynamic import of packages and files', async () => {
  assert.equal(
    await kernel.run(
      "const [e, t, p] = await Promise.all([import('esm-await'), import('./shapes.ts'), import('./plain.mjs')]); [e.value, t.area(2), p.plain]",
    ),
    '[ 7, 4, 1 ]',
  );
});

test('JSON with and without attributes', async () => {
  assert.equal(
    await kernel.run(
      "import data from './data.json' with { type: 'json' }; import { numbers } from './data.json'; data.numbers.length + numbers[0]",
    ),
    '4',
  );
});

test("files of the notebook's folder: TypeScript, folders, .js for .ts", async () => {
  assert.equal(await kernel.run("import Shape, { area } from './shapes'; [new Shape().sides, area(2)]"), '[ 4, 4 ]');
  assert.equal(await kernel.run("import { area as other } from './lib'; other(3)"), '9');
  assert.equal(
    await kernel.run(
      "import { count, increase, folder } from './state'; increase(); [count, folder === process.cwd()]",
    ),
    '[ 1, true ]',
  );
});

test('a file that changes is loaded again, with those that import it', async () => {
  assert.equal(await kernel.run("import { area } from './shapes'; area(2)"), '4');
  write('scale.ts', 'export const scale = 10;\n');
  assert.equal(await kernel.run('area(2)'), '40');
  write('shapes.ts', 'export const area = (side: number, unit: string): string => `${side} ${unit}`;\n');
  assert.match(await kernel.fail('area(2)'), /Expected 2 arguments, but got 1/);
  assert.equal(await kernel.run("area(2, 'm')"), "'2 m'");
});

test('a file that breaks fails where it is used, says so, and is taken up again when it is mended', async () => {
  write('fragile.ts', 'export const v = 1;\n');
  assert.equal(await kernel.run("import { v } from './fragile'; v"), '1');
  write('fragile.ts', 'export const v = ;\n', 10);
  assert.equal(await kernel.run('1 + 1'), '2');
  assert.match(await kernel.fail('v'), /fragile\.ts, line 1, column 18: Expression expected/);
  assert.match(await kernel.fail("import { v } from './fragile'; v"), /fragile\.ts.*1.*Expression expected/s);
  write('fragile.ts', 'export const v = 9;\n', 15);
  assert.equal(await kernel.run('v'), '9');
  write('fragile.ts', "export const v = 9;\nthrow new Error('at its start');\n", 20);
  assert.match(await kernel.fail('v'), /at its start/);
  fs.rmSync(path.join(kernel.folder, 'fragile.ts'));
  assert.equal(await kernel.run('1 + 1'), '2');
  assert.match(await kernel.fail('v'), /fragile/);
  write('fragile.ts', 'export const v = 11;\n', 25);
  assert.equal(await kernel.run('v'), '11');
});

test('ECMAScript modules of the folder are loaded again, too, and so are files that await', async () => {
  assert.equal(await kernel.run("import { plain } from './plain.mjs'; plain"), '1');
  write('plain.mjs', 'export const plain = await Promise.resolve(2);\n');
  assert.equal(await kernel.run('plain'), '2');
  write('slow.ts', 'export const slow: number = await Promise.resolve(3);\n');
  write('uses.ts', "import { slow } from './slow';\nexport const twice = 2 * slow;\n");
  assert.equal(
    await kernel.run("import { twice } from './uses'; import { slow } from './slow.ts'; [twice, slow]"),
    '[ 6, 3 ]',
  );
  write(
    'slow.ts',
    'export const slow: number = await Promise.resolve(4);\nexport const fail = () => { throw new Error("here"); };\n',
    10,
  );
  assert.equal(await kernel.run('[twice, slow]'), '[ 8, 4 ]');
  assert.match(await kernel.fail("import { fail } from './slow'; fail()"), /slow\.ts, line 2, column 35/);
});

test('a file that appears later is found', async () => {
  assert.match(await kernel.fail("import { late } from './late';"), /Cannot find module '\.\/late'/);
  write('late.ts', 'export const late = 1;\n');
  assert.equal(await kernel.run("import { late } from './late'; late"), '1');
});

test('a loop in a file can be interrupted', async () => {
  write('loops.ts', 'export function forever() { for (;;) {} }\n');
  const id = kernel.send('shell', 'execute_request', {
    code: "import { forever } from './loops';\nconsole.log('go'); await null; forever();",
  });
  await kernel.published((it) => it.content.text === 'go\n', 'the start');
  await kernel.request('control', 'interrupt_request');
  assert.equal((await kernel.finish(id)).reply.content.ename, 'KeyboardInterrupt');
});

test("tslab's modules: a cell with @module is a file", async () => {
  await kernel.run('/** @module greetings */\nexport const greet = (name: string) => `Hello, ${name}`;');
  assert.equal(await kernel.run("import { greet } from './greetings'; greet('you')"), "'Hello, you'");
});

test("Joylab's packages are there where the notebook has none", async () => {
  assert.equal(await kernel.run("import { parse } from 'yaml'; parse('a: 1')"), '{ a: 1 }');
});
