import assert from 'node:assert/strict';
import childProcess from 'node:child_process';
import fs from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Interface } from 'node:readline';
import { test } from 'node:test';
import threads from 'node:worker_threads';
import ts from 'typescript';
import { createInterpreter } from '../../kernel/cells';
import { CellCompiler } from '../../kernel/cells/compile/compiler';
import { typescript } from '../../kernel/cells/compile/typescript';
import { LocalModules } from '../../kernel/cells/modules/localModules';
import { PROCESS_PATCHES, SESSION_PATCHES, type Patch } from '../../kernel/cells/patches';
import { untried, versionsHere } from '../../kernel/cells/patches/versions';
import { createInterruptFlag } from '../../kernel/jupyter/interrupt/flag';
import { packageRoot } from '../../kernel/common/packagePaths';

const folder = fs.mkdtempSync(join(tmpdir(), 'joylab-patches-'));
const TSLAB = ['@tslab/typescript-for-tslab', 'tslab/dist/jupyter'].map((name) => require.resolve(name));
const [timeout, immediate] = [setTimeout(() => {}, 0), setImmediate(() => {})];

/** What patches change things in. */
const OBJECTS: Record<string, object> = {
  globalThis,
  process,
  'process.stdout': process.stdout,
  'process.stderr': process.stderr,
  console,
  fs,
  'fs.promises': fs.promises,
  'node:child_process': childProcess,
  'ChildProcess.prototype': childProcess.ChildProcess.prototype,
  'node:worker_threads': threads,
  'Interface of readline': Object.getPrototypeOf(Interface.prototype),
  Module,
  'Module._extensions': (Module as unknown as { _extensions: object })._extensions,
  Error,
  Atomics,
  'Function.prototype': Function.prototype,
  'Promise.prototype': Promise.prototype,
  'Timeout.prototype': Object.getPrototypeOf(timeout),
  'Immediate.prototype': Object.getPrototypeOf(immediate),
};

// Node.js makes some properties what they are when they are first read.
for (const object of [globalThis, fs]) for (const key of Object.getOwnPropertyNames(object)) Reflect.get(object, key);

type State = Map<string, unknown>;

/** All properties of these objects, the listeners of the process, and tslab's modules. */
function state(): State {
  const found: State = new Map();
  for (const [name, object] of Object.entries(OBJECTS))
    for (const key of Reflect.ownKeys(object)) {
      // Node.js counts and keeps listeners there, which are compared below.
      if (String(key).startsWith('_event')) continue;
      for (const [part, value] of Object.entries(Object.getOwnPropertyDescriptor(object, key)!))
        found.set(`${name}.${String(key)} (${part})`, value);
    }
  for (const event of process.eventNames())
    process.listeners(event as 'exit').forEach((it, i) => found.set(`${String(event)} listener ${i}`, it));
  for (const path of TSLAB) found.set(path, require.cache[path]);
  return found;
}

function differences(before: State, after: State): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (key) => before.has(key) !== after.has(key) || !Object.is(before.get(key), after.get(key)),
  );
}

function assertTakenBack<Parts>(patches: ReadonlyArray<Patch<Parts>>, parts: Parts): void {
  for (const { name, install } of patches) {
    const before = state();
    const undo = install(parts);
    const installed = differences(before, state());
    undo();
    assert.notDeepEqual(installed, [], `${name} changes nothing that is looked at`);
    assert.deepEqual(differences(before, state()), [], `${name} is not taken back`);
  }
}

test('every patch changes something and is taken back', () => {
  typescript();
  assertTakenBack(PROCESS_PATCHES, createInterruptFlag());
  const modules = new LocalModules(() => ({}));
  const compiler = new CellCompiler(
    { folder, packageRoot },
    () => {},
    () => {},
  );
  assertTakenBack(SESSION_PATCHES, { compiler, modules, folder, packageRoot, reportUncaught: () => {} });
  compiler.close();
});

test('an interpreter that is closed leaves the process as it was', () => {
  const before = state();
  const comms = { open: () => assert.fail('no cell opens one'), registerTarget: () => {} };
  const interpreter = createInterpreter({ comms, interruptFlag: createInterruptFlag(), folder });
  const opened = differences(before, state());
  interpreter.close();
  assert.ok(opened.length > 50);
  assert.deepEqual(differences(before, state()), []);
});

test('the patches were tried with the versions that run here', () => {
  assert.deepEqual(untried(versionsHere()), []);
});

test('a version that was not tried is named', () => {
  const [sentence, ...others] = untried({ ...versionsHere(), 'Node.js': '99' });
  assert.match(sentence, /^Node\.js 99 was not tried with what the kernel changes in it/);
  assert.deepEqual(others, []);
});

test('TypeScript has what the kernel uses of its internals, and one file uses them', () => {
  const compiler = ts as unknown as Record<string, unknown>;
  const options = { noLib: true, types: [] };
  const host = ts.createCompilerHost(options);
  const text = '/** @deprecated */ export const x = 1;';
  const program = ts.createProgram(['a.ts'], options, {
    ...host,
    getSourceFile: (path) => (path === 'a.ts' ? ts.createSourceFile(path, text, 99) : undefined),
  });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile('a.ts')!;
  const owners: Array<[owner: object, names: string[]]> = [
    [compiler, ['bindSourceFile', 'parseIsolatedJSDocComment', 'objectAllocator']],
    [program, ['getResolvedModule']],
    [checker, ['getTypeOnlyAliasDeclaration', 'getDiagnostics', 'resolveName']],
    [file, ['parseDiagnostics', 'locals', 'symbol', 'imports', 'path', 'resolvedPath', 'jsDocParsingMode']],
    [file, ['originalFileName', 'moduleAugmentations', 'ambientModuleNames', 'externalModuleIndicator']],
    [file.statements[0], ['jsDoc']],
  ];
  for (const [owner, names] of owners)
    for (const name of names)
      assert.ok((owner as Record<string, unknown>)[name] !== undefined, `TypeScript has no ${name}`);
  assert.equal((ts.NodeFlags as unknown as Record<string, number>).Deprecated, 1 << 29);

  const internal =
    /\b(bindSourceFile|objectAllocator|parseIsolatedJSDocComment|getResolvedModule|getTypeOnlyAlias\w+|parseDiagnostics|resolvedPath|externalModuleIndicator)\b/;
  assert.deepEqual(filesWith(internal), [join('cells', 'patches', 'typescript.ts')]);
});

test("in the process of cells, one folder alone uses Node.js's and tslab's internals", () => {
  const internal =
    /\b(_resolveFilename|_extensions|_nodeModulePaths|_compile|reallyExit|kQuestionCancel)\b|tslab\/dist/;
  // The server of an environment in a file is a process of its own.
  const allowed = [join('cells', 'patches'), join('openenv', 'serving', 'command', 'file.ts')];
  assert.deepEqual(
    filesWith(internal).filter((file) => !allowed.some((it) => file.startsWith(it))),
    [],
  );
});

/** The files of the kernel whose text has something, from `kernel/`. */
function filesWith(pattern: RegExp): string[] {
  const root = join(packageRoot, 'kernel');
  return (fs.readdirSync(root, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts') && pattern.test(fs.readFileSync(join(root, file), 'utf8')))
    .map((file) => relative(root, join(root, file)))
    .sort();
}
