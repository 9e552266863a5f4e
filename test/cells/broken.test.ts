import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { text, TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

/** What a cell breaks, and what is put back after it. */
const BROKEN: Array<[code: string, restored: string]> = [
  ['(globalThis as any).Promise = null;', 'Promise'],
  [
    '(globalThis as any).JSON = undefined; delete (globalThis as any).Map; (globalThis as any).Symbol = 3;',
    'Symbol, Map, JSON',
  ],
  ['(globalThis as any).console = null;', 'console'],
  ['delete (globalThis as any).console; undefined', 'console'],
  ['(globalThis as any).process = null;', 'process'],
  ['(process.stdout as any).write = null;', 'process.stdout.write'],
  [
    '(globalThis as any).setTimeout = null; (globalThis as any).queueMicrotask = null; (process as any).nextTick = null; (Buffer as any).from = null;',
    'setTimeout, queueMicrotask, process.nextTick, Buffer.from',
  ],
  ['(Function.prototype as any).call = null; (Reflect as any).apply = null;', 'Function.prototype.call, Reflect.apply'],
  ['(Array.prototype as any)[Symbol.iterator] = null;', 'Array.prototype.Symbol(Symbol.iterator)'],
  ['delete (Array.prototype as any)[Symbol.iterator]; undefined', 'Array.prototype.Symbol(Symbol.iterator)'],
  ['(Object.getPrototypeOf([][Symbol.iterator]()) as any).next = 1;', 'ArrayIterator.prototype.next'],
  [
    '(String.prototype as any).split = 0; (RegExp.prototype as any).exec = null; (Map.prototype as any).get = null;',
    'String.prototype.split, Map.prototype.get, RegExp.prototype.exec',
  ],
  ['Object.defineProperty(Map.prototype, "size", { value: 3 }); undefined', 'Map.prototype.size'],
  ['(Object.prototype as any).then = function () {};', 'Object.prototype[then]'],
  [
    'await 1; (Object.prototype as any).then = function () {}; (Object.prototype as any).toJSON = () => 1; (Object.prototype as any).get = 5;',
    'Object.prototype[then], Object.prototype[toJSON], Object.prototype[get]',
  ],
  ['Object.defineProperty(Array.prototype, 0, { set() {}, configurable: true }); undefined', 'Array.prototype[0]'],
  ["(require('node:events').prototype as any).emit = null;", 'EventEmitter.prototype.emit'],
  [
    "(require('node:vm') as any).runInThisContext = null; (require('node:module') as any)._load = null;",
    'Module._load, vm.runInThisContext',
  ],
];

test('what the kernel needs is put back after a cell that breaks it, with a line that says so', async () => {
  for (const [code, restored] of BROKEN) {
    const { reply, outputs } = await kernel.execute(code);
    assert.equal(reply.content.status, 'ok', code);
    assert.equal(text(outputs), `Put back, since the kernel needs it: ${restored}.\n`, code);
    assert.equal(
      await kernel.run(
        "console.log([...'ab'].map((it) => it + 1)); await new Promise((resolve) => setTimeout(resolve)); new Map([[1, { a: 2 }]])",
      ),
      "[ 'a1', 'b1' ]\nMap(1) { 1 => { a: 2 } }",
      code,
    );
  }
});

test('what breaks after its cell is put back before the next one', async () => {
  await kernel.run(
    "setTimeout(() => { (Promise.prototype as any).then = null; (String.prototype as any).startsWith = null; require('node:events').prototype.emit = null; console.log('broken'); }, 20); undefined",
  );
  await kernel.published((it) => it.content.text === 'broken\n', 'the end of the timer');
  assert.equal(
    await kernel.run('await 1; 6 * 7'),
    'Put back, since the kernel needs it: String.prototype.startsWith, Promise.prototype.then, EventEmitter.prototype.emit.\n42',
  );
});

test('what is replaced by a function stays the user’s, and the kernel works without it', async () => {
  await kernel.run(
    'const real = { map: Array.prototype.map, split: String.prototype.split, Promise, log: console.log, setTimeout, stringify: JSON.stringify, now: Date.now }; undefined',
  );
  await kernel.run(
    "Array.prototype.map = (() => ['mine']) as any; String.prototype.split = () => { throw new Error('split'); }; globalThis.Promise = class extends Promise<any> {} as any; (globalThis as any).setTimeout = () => 1; JSON.stringify = () => 'mine'; Date.now = () => 0; Error.prepareStackTrace = () => { throw 1; }; undefined",
  );
  assert.equal(
    await kernel.run(
      '[[1].map(() => 2), JSON.stringify(1), Date.now(), Promise === real.Promise, setTimeout(() => {})]',
    ),
    "[ [ 'mine' ], 'mine', 0, false, 1 ]",
  );
  assert.match(
    await kernel.fail("const x: number = 'a';"),
    /line 1, column 7: error TS2322: Type 'string' is not assignable/,
  );
  assert.match(
    await kernel.fail("function fails() { throw new Error('told'); }\nfails()"),
    /^Error: told\n\n> 1 \|[^]*at fails \(Cell \[\d+\], line 1, column 26\)/,
  );
  await kernel.run(
    'Array.prototype.map = real.map; String.prototype.split = real.split; globalThis.Promise = real.Promise; globalThis.setTimeout = real.setTimeout; JSON.stringify = real.stringify; Date.now = real.now; undefined',
  );
  assert.equal(await kernel.run('[1].map((it) => it + 1)'), '[ 2 ]');
});

test('frozen prototypes, an emptied require.cache, an emptied process: cells go on', async () => {
  await kernel.run(
    'for (const prototype of [Object, Array, Function, String, Promise, Map].flatMap((it) => [it, it.prototype])) Object.freeze(prototype); undefined',
  );
  await kernel.run(
    'for (const key of Object.keys(require.cache)) delete require.cache[key]; process.removeAllListeners(); process.removeAllListeners("uncaughtException"); undefined',
  );
  assert.equal(
    await kernel.run(
      "class Named { toString() { return 'named'; } }\nimport { html } from 'joylab';\n[String(new Named()), String(html`<b>x</b>`)]",
    ),
    "[ 'named', '<b>x</b>' ]",
  );
  const { reply } = await kernel.execute("setTimeout(() => { throw new Error('late'); }, 5); undefined");
  await kernel.published(
    (it) => it.parentHeader.msg_id === reply.parentHeader.msg_id && /late/.test(it.content.text),
    'the error',
  );
  assert.equal(await kernel.run('6 * 7'), '42');
  kernel.process.kill('SIGTERM');
  await new Promise((resolve) => kernel.process.once('exit', resolve));
});

test('a kernel that cannot run cells any more says so, and can be shut down', async () => {
  const lost = await TestKernel.start();
  await lost
    .run("Object.defineProperty(Array.prototype, 'map', { value: null, configurable: false, writable: false }); 1")
    .catch(() => {});
  const { reply, outputs } = await lost.execute('2');
  assert.equal(reply.content.status, 'error');
  assert.match(
    text(outputs),
    /The kernel needs what was replaced for good: Array\.prototype\.map\. Restart the kernel/,
  );
  lost.send('control', 'shutdown_request', {});
  await new Promise((resolve) => lost.process.once('exit', resolve));
  await lost.stop();
});
