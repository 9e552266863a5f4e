import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCode } from '../../kernel/strategy';

const body = (text: string): string => `function strategy(state) {\n  ${text}\n  return "LEFT";\n}`;

test('clean code has no problems', () => {
  const clean = [
    body('if (state.ball_x > state.paddle_x + 4) return "RIGHT";'),
    body('const near = (a, b) => Math.abs(a - b) < 3; if (near(state.x, 2)) return 1;'),
    'let last = 0;\nfunction strategy(state: { x: number }): string {\n  last = state.x as number;\n  return last! > 3 ? "A" : "B";\n}',
    'interface State { x: number }\nenum Side { Left, Right }\nconst strategy = (state: State) => Side.Left;',
    body('console.log(state); Math.random(); new Map(); /a+/.test("a"); JSON.stringify(state);'),
    // The names of properties, labels and variables of its own reach nothing.
    body('const process = 1; state.process; state.eval; ({ fetch: 1 }); window: for (;;) break window; void process;'),
    'type F = Function; let d: Date | Promise<void>; function strategy(self) { return self; }',
  ];
  for (const code of clean) assert.deepEqual(checkCode(code), [], code);
});

test('syntax errors have their line and column', () => {
  assert.deepEqual(checkCode('function strategy(state) {\n  return 1 +* 2;\n}'), [
    { kind: 'syntax', line: 2, column: 13, reason: 'Expression expected.' },
  ]);
  const [twice] = checkCode('function strategy(state) {\n  let a;\n  let a;\n}');
  assert.deepEqual([twice.kind, twice.line, twice.column], ['syntax', 3, 7]);
  const [typed] = checkCode('interface S { x: number }\nfunction strategy(state: S) {\n  let a: number;\n  let a;\n}');
  assert.deepEqual([typed.kind, typed.line], ['syntax', 4], 'after the types were removed, too');
});

test('code without the function has a problem', () => {
  for (const code of ['', 'function other() {}', 'function f() { function strategy() {} }', 'strategy = 1']) {
    assert.deepEqual(
      checkCode(code),
      [{ kind: 'syntax', line: 1, column: 1, reason: 'no function named "strategy"' }],
      code,
    );
  }
});

const FORBIDDEN: Record<string, string> = {
  'require("fs");': 'require',
  'import("fs");': 'import',
  'import.meta.url;': 'import.meta',
  'process.exit();': 'process',
  'const { env } = process;': 'process',
  'globalThis.x = 1;': 'globalThis',
  'global.x;': 'global',
  'eval("1");': 'eval',
  'new Function("return 1");': 'Function',
  'state.constructor;': 'constructor',
  'state["constructor"];': 'constructor',
  'state[`__proto__`];': '__proto__',
  'const { constructor: c } = state;': 'constructor',
  'Array.prototype.map = 1;': 'prototype',
  'Object.setPrototypeOf(state, null);': 'setPrototypeOf',
  'new Proxy({}, {});': 'Proxy',
  'Reflect.ownKeys(state);': 'Reflect',
  'fetch("http://x");': 'fetch',
  'new WebSocket("ws://x");': 'WebSocket',
  'setTimeout(() => {}, 1);': 'setTimeout',
  'Promise.resolve(1);': 'Promise',
  'Date.now();': 'Date',
  'performance.now();': 'performance',
  'new Worker("x");': 'Worker',
  'new SharedArrayBuffer(1);': 'SharedArrayBuffer',
  'const f = async () => 1;': 'async',
};

test('forbidden constructs have their line and reason', () => {
  for (const [text, name] of Object.entries(FORBIDDEN)) {
    const problem = checkCode(body(text)).find(({ kind }) => kind === 'forbidden');
    assert.equal(problem?.line, 2, text);
    assert.ok(problem.reason.startsWith(`"${name}": `), `${text} → ${problem.reason}`);
  }
});

test('modules and asynchronous strategies are forbidden, each once', () => {
  const kinds = (code: string): string[] =>
    checkCode(code).map(({ kind, line, reason }) => `${line} ${kind} ${reason.split(':')[0]}`);
  assert.deepEqual(kinds('import fs from "fs";\n' + body('')), ['1 forbidden "import"']);
  assert.deepEqual(kinds('export ' + body('')), ['1 forbidden "export"']);
  assert.deepEqual(kinds('async ' + body('await state;')), ['1 forbidden "async"', '2 forbidden "await"']);
  assert.deepEqual(kinds(body('with (state) x;')), ['2 forbidden "with"']);
});

test('all problems are told, in the order of the text', () => {
  const code = 'function strategy(state) {\n  fetch(process.env.X);\n  return eval("1");\n}';
  assert.deepEqual(
    checkCode(code).map(({ line, column }) => [line, column]),
    [
      [2, 3],
      [2, 9],
      [3, 10],
    ],
  );
});

test('text that no parser likes has a problem, and nothing worse', () => {
  for (const code of [
    '('.repeat(50_000),
    '['.repeat(99_999),
    'a'.repeat(100_001),
    '\0',
    '\u2028`${',
    '/*',
    '"'.repeat(999),
    '<a><b>',
  ]) {
    assert.ok(checkCode(code).length > 0, code.slice(0, 10));
  }
});

test('32 checks of new programs take less than 100 ms of processor time once warm', () => {
  const programs = (salt: number): string[] =>
    Array.from({ length: 32 }, (_, i) =>
      body(`if (state.ball_x > ${salt + i}) return "RIGHT"; else if (state.ball_y < 3) return "LEFT";`),
    );
  programs(0).forEach((code) => checkCode(code));
  // Of all threads of the process, the one that parses among them.
  const fastest = Math.min(
    ...[100, 200, 300, 400, 500].map((salt) => {
      const before = process.cpuUsage();
      programs(salt).forEach((code) => checkCode(code));
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    }),
  );
  assert.ok(fastest < 100, `${fastest.toFixed(0)} ms`);
});

test('what is no source is refused', () => {
  assert.throws(() => checkCode(null as never), /a string, not null\. extractFunction gives null/);
  assert.throws(() => checkCode(3 as never), /a string, not number/);
});
