/** Globals and the modules of Node.js are read when a cell names them, and mean what they mean when all is read. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { complete } from '../../kernel/cells/assist/complete';
import { NotebookProgram } from '../../kernel/cells/compile/program/notebook';
import { typescript } from '../../kernel/cells/compile/typescript';
import { packageRoot } from '../../kernel/common/packagePaths';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-globals-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const open = () => new NotebookProgram({ folder, packageRoot });

function problems(notebook: NotebookProgram, text: string): string[] {
  const cell = notebook.read(text);
  const found = notebook
    .diagnostics(cell)
    .map(({ messageText }) => typescript().flattenDiagnosticMessageText(messageText, ' '));
  if (found.length === 0) notebook.keep(text, () => true);
  return found;
}

/** How much has been read: nodes of syntax. */
function nodes(notebook: NotebookProgram): number {
  return notebook.sources.reduce((sum, file) => sum + (file as unknown as { nodeCount: number }).nodeCount, 0);
}

test('a cell reads what it names; so do a wrong name, globalThis and a completion', () => {
  const notebook = open();
  assert.deepEqual(problems(notebook, '1 + 1'), []);
  assert.ok(nodes(notebook) < 5000, `${nodes(notebook)} nodes for a number`);
  assert.deepEqual(problems(notebook, "console.log(1); Buffer.from('a'); new URL('http://a'); typeof fetch;"), []);
  assert.deepEqual(problems(notebook, "globalThis.Math.floor('1')"), [
    "Argument of type 'string' is not assignable to parameter of type 'number'.",
  ]);
  assert.deepEqual(problems(notebook, 'Mat.floor(1)'), ["Cannot find name 'Mat'. Did you mean 'Math'?"]);
  assert.deepEqual(complete(notebook, 'Mat', 3)?.matches, ['Math']);
  assert.ok(complete(notebook, "import 'node:f", 14)?.matches.includes('node:fs/promises'));
  assert.ok(nodes(notebook) < 25_000, `${nodes(notebook)} nodes`);
});

test('cells add to globals and to modules of Node.js, and a file beside the notebook does', () => {
  fs.writeFileSync(path.join(folder, 'own.d.ts'), 'interface String { shout(): string }\ndeclare var own: number;\n');
  const notebook = open();
  const cells = [
    'declare global { interface Array<T> { second(): T } var extra: number }',
    "import type { Stats } from 'fs';\ndeclare module 'fs' { interface Stats { joy: number } function joylab(): void }",
    "/// <reference path='./own.d.ts' />\nconst shouted: string = 'a'.shout() + own.toFixed();",
    "import { joylab, statSync } from 'node:fs';\njoylab();\nconst joy: number = statSync('a').joy + [1].second() + extra;",
  ];
  for (const cell of cells) assert.deepEqual(problems(notebook, cell), [], cell);
  assert.deepEqual(problems(notebook, 'const one: string = [1].second();'), [
    "Type 'number' is not assignable to type 'string'.",
  ]);
});

test('a library that a cell or a package refers to comes before what Node.js adds', () => {
  const notebook = open();
  assert.deepEqual(problems(notebook, '/// <reference lib="dom" />\nnew Blob().x; new URL("a").x; document.body.x;'), [
    "Property 'x' does not exist on type 'Blob'.",
    "Property 'x' does not exist on type 'URL'.",
    "Property 'x' does not exist on type 'HTMLElement'.",
  ]);
});

test('an index of files that have changed is made anew', () => {
  // Each file of tests is a process of its own.
  process.env.JOYLAB_CACHE = path.join(folder, 'cache');
  assert.deepEqual(problems(open(), 'Math.floor(1)'), []);
  const kept = path.join(folder, 'cache', 'declarations');
  const [name] = fs.readdirSync(kept);
  const file = path.join(kept, name);
  const made = fs.readFileSync(file);
  const index = JSON.parse(made.subarray(4).toString());
  index.files[0].size++;
  const stale = Buffer.from(JSON.stringify({ ...index, names: {} }));
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(stale));
  fs.writeFileSync(file, Buffer.concat([sum, stale]));
  assert.deepEqual(problems(open(), 'Math.floor(1)'), []);
  assert.deepEqual(fs.readFileSync(file), made);
});
