import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import {
  createLockedDownFunction,
  StrategyError,
  type LockedDownFunction,
  type LockedDownOptions,
} from '../../kernel/strategy';

const opened: LockedDownFunction[] = [];
after(() => opened.forEach((locked) => locked.dispose()));

async function lock(code: string, options?: LockedDownOptions): Promise<LockedDownFunction> {
  const locked = await createLockedDownFunction(code, options);
  opened.push(locked);
  return locked;
}

const body = (text: string): Promise<LockedDownFunction> => lock(`function strategy(state) {\n  ${text}\n}`);

/** How the call of a strategy with this body fails. */
async function failure(text: string): Promise<StrategyError> {
  const locked = await body(text);
  try {
    const value = locked({ x: 1 });
    return assert.fail(`returned ${JSON.stringify(value)}`);
  } catch (error) {
    if (!(error instanceof StrategyError)) throw error;
    return error;
  }
}

test('is called like a function, with JSON in and out', async () => {
  const locked = await lock(
    'function strategy(state, n = 1) { return { sum: state.list[0] + state.list[1] + n, back: state }; }',
  );
  assert.deepEqual(locked({ list: [1, 2] }), { sum: 4, back: { list: [1, 2] } });
  assert.deepEqual(locked({ list: [1, 2] }, 10), { sum: 13, back: { list: [1, 2] } });
  const values: unknown[] = ['LEFT', 'a\0b', '', 3, -1.5, true, null, [1, [2]]];
  for (const value of values) assert.deepEqual((await body(`return ${JSON.stringify(value)};`))({}), value);
  for (const text of ['NaN', 'Infinity', '-Infinity']) assert.equal((await body(`return ${text};`))({}), Number(text));
  assert.equal((await body('return;'))({}), undefined);
});

test('takes TypeScript', async () => {
  const locked = await lock(
    'interface State { x: number }\nenum Side { Left = 4 }\nconst strategy = (state: State): number => (state.x as number) + Side.Left;',
  );
  assert.equal(locked({ x: 1 }), 5);
});

test('what is nested too deeply goes neither in nor out', async () => {
  const deep = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  const locked = await body('return state;');
  assert.deepEqual(locked(deep(512)), deep(512));
  assert.throws(() => locked(deep(513)), {
    name: 'NestingError',
    message: /^The argument of a strategy is nested more than 512 levels deep/,
  });
  assert.match(
    (await failure('let o = "x"; for (let i = 0; i < 4000; i++) o = [o]; return o;')).message,
    /^What it returned is nested more than 512 levels/,
  );
});

test("arguments are copies: the caller's objects cannot be changed", async () => {
  const state = { x: 1, inner: { y: 2 } };
  (await body('state.x = 9; state.inner.y = 9; delete state.inner;'))(state);
  assert.deepEqual(state, { x: 1, inner: { y: 2 } });
});

test('remembers its own variables until it is started again', async () => {
  const locked = await lock('let n = 0; function strategy() { return ++n; }');
  assert.deepEqual([locked(), locked()], [1, 2]);
  locked.restart();
  assert.equal(locked(), 1);
});

test('the same seed draws the same numbers; there is no clock', async () => {
  const draw = async (seed?: number): Promise<unknown> => {
    const locked = await lock('function strategy() { return [Math.random(), Math.random(), Math.random()]; }', {
      seed,
    });
    return locked();
  };
  const numbers = (await draw(7)) as number[];
  assert.deepEqual(await draw(7), numbers);
  assert.notDeepEqual(await draw(8), numbers);
  assert.ok(numbers.every((x) => x >= 0 && x < 1) && new Set(numbers).size === 3);
  assert.equal((await body('return typeof Date + typeof performance + typeof setTimeout;'))({}), 'undefined'.repeat(3));
});

test('what takes too long is stopped, and the next call goes on', async () => {
  const loops = [
    'for (;;);',
    'for (;;) try { for (;;); } catch {} finally { continue; }',
    'return /^(a+)+$/.test("a".repeat(40) + "b");',
    'return { get a() { for (;;); } };',
    'return { toJSON() { for (;;); } };',
    'const e = new Error("x"); Object.defineProperty(e, "stack", { get() { for (;;); } }); throw e;',
  ];
  for (const text of loops) {
    const locked = await body(`if (state.go) return "LEFT"; ${text}`);
    const start = performance.now();
    assert.throws(
      () => locked({}),
      { reason: 'timeout', name: 'StrategyError', message: /took more than 0\.1 s \(callTimeLimit\)/ },
      text,
    );
    assert.ok(performance.now() - start < 30_000);
    assert.equal(locked({ go: true }), 'LEFT', text);
  }
});

test('what QuickJS itself cannot stop ends with its thread, and the code starts afresh', async () => {
  const locked = await lock(
    'let n = 0;\nfunction strategy(hang) {\n  n++;\n  return hang ? [].indexOf.call({ length: 2 ** 53 }, 1) : n;\n}',
  );
  assert.deepEqual([locked(false), locked(false)], [1, 2]);
  assert.throws(() => locked(true), { reason: 'timeout' });
  assert.deepEqual([locked(false), locked(false)], [1, 2]);
});

/** A process that runs a program with `createLockedDownFunction`. */
function spawnProgram(program: string): ChildProcess {
  const names = `const fs = require('node:fs'); const { createLockedDownFunction } = require(${JSON.stringify(path.join(__dirname, '..', '..', 'kernel', 'strategy'))});`;
  return spawn(process.execPath, ['-e', names + program], { stdio: ['ignore', 'pipe', 'inherit'] });
}

test('a process that stands still for a while has not used up the time of a call', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-locked-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const sign = path.join(folder, 'enough');
  const child = spawnProgram(`
    createLockedDownFunction('function strategy() { for (let i = 0; i < 1e5; i++); return 7; }', { callTimeLimit: 0.4 }).then((locked) => {
      console.log('calling');
      while (!fs.existsSync(${JSON.stringify(sign)})) if (locked() !== 7) process.exit(1);
      console.log('done');
    });`);
  let output = '';
  child.stdout!.on('data', (chunk) => {
    output += chunk;
    if (output !== 'calling\n') return;
    child.kill('SIGSTOP');
    setTimeout(() => {
      fs.writeFileSync(sign, '');
      child.kill('SIGCONT');
    }, 1000);
  });
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.equal(output, 'calling\ndone\n');
});

test('memory is limited', async () => {
  const bombs: [string, RegExp][] = [
    ['let a = []; for (;;) a.push({ a });', /^memory: used more than 16 MiB/],
    ['let s = "ab"; for (;;) s += s + s;', /^error: InternalError: string too long/],
    ['return "a".repeat(3e8);', /^memory: used more than 16 MiB/],
    ['return new Array(3e7).fill(0).length;', /^memory: used more than 16 MiB/],
    ['return new Uint8Array(1e9).length;', /^memory: used more than 16 MiB/],
    ['let f = () => 1; for (let i = 0; i < 1e6; i++) f = f.bind(null); return f();', /^memory: used more than 16 MiB/],
  ];
  // With time enough, the memory is what ends them; in a process that has nothing else in its memory.
  const child = spawnProgram(`(async () => {
    const before = process.memoryUsage().rss;
    const failures = [];
    for (const text of ${JSON.stringify(bombs.map(([text]) => text))}) {
      const locked = await createLockedDownFunction('function strategy() {' + text + '}', { callTimeLimit: 60 });
      try {
        failures.push('returned ' + locked());
      } catch ({ reason, message }) {
        failures.push(reason + ': ' + message);
      }
      locked.dispose();
    }
    console.log(JSON.stringify({ failures, used: process.memoryUsage().rss - before }));
  })();`);
  let output = '';
  child.stdout!.on('data', (chunk) => (output += chunk));
  assert.deepEqual(await once(child, 'close'), [0, null]);
  const { failures, used } = JSON.parse(output) as { failures: string[]; used: number };
  for (const [i, [text, expected]] of bombs.entries()) assert.match(failures[i], expected, text);
  assert.ok(used < 400 * 2 ** 20, `${used} bytes`);
});

test('recursion without end is an error', async () => {
  const errors = [
    'const f = (n) => f(n + 1) + 1; return f(0);',
    'return JSON.parse("[".repeat(100000));',
    'return eval("(".repeat(100000) + "1" + ")".repeat(100000));',
    'const a = [1]; a[0] = a; return a.flat(Infinity);',
    'const a = []; a[0] = a; return a;',
  ];
  for (const text of errors) assert.equal((await failure(text)).reason, 'error', text);
});

test('exceptions have their message and line', async () => {
  const locked = await lock(
    'function helper(state) {\n  return state.missing.name;\n}\n\nfunction strategy(state) {\n  return helper(state);\n}',
  );
  assert.throws(() => locked({}), {
    reason: 'error',
    line: 2,
    message: "TypeError: cannot read property 'name' of undefined (line 2)",
  });
  const typed = await lock(
    'interface State {\n  x: number;\n}\n\nfunction strategy(\n  state: State,\n): string {\n  throw new RangeError("no");\n}',
  );
  assert.throws(() => typed({}), { line: 8, message: 'RangeError: no (line 8)' });
});

test('whatever is thrown can be told', async () => {
  const messages: [string, RegExp][] = [
    ['throw null;', /threw null/],
    ['throw undefined;', /undefined/],
    ['throw "text";', /text/],
    ['throw { code: 1 };', /"code":1/],
    ['throw { message: { toString() { throw 1; } } };', /cannot be shown/],
    ['throw { get message() { throw 1; } };', /cannot be shown/],
    ['Error.prepareStackTrace = () => { throw 1; }; throw new Error("m");', /Error: m/],
    ['throw new Error("x".repeat(1e6));', /^Error: x+/],
  ];
  for (const [text, message] of messages) {
    const error = await failure(text);
    assert.match(error.message, message, text);
    assert.ok(error.message.length < 70_000);
  }
});

test('values that are no JSON do not leave', async () => {
  for (const text of ['return strategy;', 'return Symbol();', 'return 5n;', 'return Array(1e5).fill(1);']) {
    assert.match((await failure(text)).message, /cannot leave the sandbox/, text);
  }
  assert.equal((await body('return "a".repeat(1e6);'))({}).length, 65_536);
});

test('there is no way out', async () => {
  const probes = [
    'return strategy.constructor("return typeof process + typeof require + typeof global")();',
    'return (async () => {}).constructor("return 1")().constructor.constructor("return typeof process + typeof require + typeof global")();',
    'return (function () { return typeof this.process + typeof this.require + typeof this.global; }).call(undefined);',
    'return ({}).__proto__.constructor.constructor("return typeof process + typeof require + typeof global")();',
    'return eval("typeof process + typeof require + typeof global");',
  ];
  for (const text of probes) assert.equal((await body(text))({}), 'undefined'.repeat(3), text);
  assert.deepEqual((await body('let r = 0; import("node:fs").then(() => { r = 1; }); return r;'))({}), 0);
  assert.match((await failure('return require("fs");')).message, /'require' is not defined/);
});

test('what it does to built-ins stays inside', async () => {
  const locked = await body(`
    Object.prototype.polluted = 1; Array.prototype.push = null; String.prototype.slice = () => { throw 1; };
    JSON.stringify = () => '{'; JSON.parse = () => 'no'; Math.imul = null; Function.prototype.call = null; Reflect.apply = null;
    Object.defineProperty(Object.prototype, 'x', { configurable: true, set() { throw 1; }, get() { return 'fake'; } });
    return state.x;`);
  assert.deepEqual([locked({ x: 'LEFT' }), locked({ x: 'RIGHT' })], ['LEFT', 'RIGHT']);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
  assert.equal([].push.length, 1);
});

test('code that cannot start is refused, with its line', async () => {
  const refused: [string, object][] = [
    ['function strategy( {', { reason: 'error', message: /SyntaxError/ }],
    ['\nfunction strategy() {\n  let a; let a;\n}', { line: 3, message: /already been declared/ }],
    ['function other() {}', { message: /declares no function named "strategy"/ }],
    ['const strategy = 1;', { message: /declares no function named "strategy"/ }],
    ['\nthrow new Error("no");\nfunction strategy() {}', { line: 2, message: 'Error: no (line 2)' }],
    ['for (;;);\nfunction strategy() {}', { reason: 'timeout' }],
    ['[].indexOf.call({ length: 2 ** 53 }, 1);\nfunction strategy() {}', { reason: 'timeout' }],
  ];
  for (const [code, error] of refused)
    await assert.rejects(lock(code, { callTimeLimit: 0.05 }), { name: 'StrategyError', ...error }, code);
});

test('limits are checked', async () => {
  await assert.rejects(
    lock('', { memoryLimit: 5 }),
    /memoryLimit must be a whole number from 1048576 to 1073741824 \(bytes/,
  );
  await assert.rejects(lock('', { callTimeLimit: 0 }), /callTimeLimit must be a number above 0 to 3600 \(seconds\)/);
  await assert.rejects(
    lock('', { timeout: 1 } as object),
    /createLockedDownFunction has no option timeout\. The options are: callTimeLimit, memoryLimit, seed/,
  );
});

test('a longer limit is kept, and a disposed function says so', async () => {
  const slow = await lock('function strategy() { for (let i = 0; i < 3e6; i++); return 1; }', { callTimeLimit: 20 });
  assert.equal(slow(), 1);
  slow.dispose();
  assert.throws(() => slow(), /disposed/);
});
