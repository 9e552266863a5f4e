import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../../kernel/strategy/compile';
import { DEFAULT_LIMITS, type Outcome } from '../../kernel/strategy/outcome';
import { Sandbox } from '../../kernel/strategy/sandbox';

const RAM = Uint8Array.from({ length: 128 }, (_, i) => (i * 37) % 256);

async function sandboxOf(code: string): Promise<Sandbox> {
  return new Sandbox(await Sandbox.engine(DEFAULT_LIMITS), compile(code).program, DEFAULT_LIMITS);
}

/** What calls come to with states as text, then as numbers. */
async function bothWays(
  code: string,
  states: Record<string, number>[],
  ram?: Uint8Array,
): Promise<[Outcome[], Outcome[]]> {
  const [text, numbers] = [await sandboxOf(code), await sandboxOf(code)];
  const outcomes: [Outcome[], Outcome[]] = [
    states.map((state) => text.call(JSON.stringify([ram ? { ...state, ram: Array.from(ram) } : state]))),
    states.map((state) => numbers.callWith(state, ram && { ram })),
  ];
  text.dispose();
  numbers.dispose();
  return outcomes;
}

const STATES = [0, 1, -3, 2.5, 2 ** 31, -(2 ** 40), 1e300].map((x, i) => ({
  x,
  'a "strange" name\n': i,
  __proto: 1,
  ['__proto__']: 7,
}));

test('a state of numbers is what its JSON is', async () => {
  const codes = [
    'function strategy(state) { return state.x; }',
    'function strategy(state) { return JSON.stringify([state, Object.keys(state), Object.getPrototypeOf(state) === Object.prototype]); }',
    'const strategy = (...args) => [args.length, args[0]];',
    'let last; function strategy(state) { const same = last === state; last = state; state.x = "mine"; return same; }',
    'function strategy(state) { "use strict"; return this === undefined ? state : 0; }',
    'Array.prototype[Symbol.iterator] = null; JSON.parse = JSON.stringify = null; Object.defineProperty(Object.prototype, "x", { set() { throw 1; } }); function strategy(state) { return state; }',
  ];
  for (const code of codes) {
    const [text, numbers] = await bothWays(code, STATES);
    assert.deepEqual(numbers, text, code);
    assert.ok(
      numbers.every(({ kind }) => kind !== 'failure'),
      code,
    );
  }
});

test('ram is an array of numbers, a new one for each call', async () => {
  const codes = [
    'function strategy(state) { return [Array.isArray(state.ram), state.ram.length, state.ram, Object.keys(state)]; }',
    'function strategy({ ram }) { const first = ram[5]; ram[5] = 0; ram.push(1); return [first, ram.filter((byte) => byte > 100).length]; }',
    'globalThis.Uint8Array = null; Array.prototype.push = null; function strategy({ ram }) { return ram; }',
  ];
  for (const code of codes) {
    const [text, numbers] = await bothWays(code, STATES, RAM);
    assert.deepEqual(numbers, text, code);
  }
});

test('errors keep their line, and limits hold', async () => {
  const [text, numbers] = await bothWays(
    'function strategy(state) {\n  if (state.x === 1) throw new TypeError("no one");\n  if (state.x === -3) for (;;) {}\n  return "ok";\n}',
    STATES,
  );
  assert.deepEqual(numbers, text);
  assert.deepEqual(numbers[1], {
    kind: 'failure',
    failure: { reason: 'error', message: 'TypeError: no one', line: 2 },
  });
  assert.equal(numbers[2].kind === 'failure' && numbers[2].failure.reason, 'timeout');
  const [, full] = await bothWays(
    'const kept = []; function strategy() { for (;;) kept.push(new Array(1000).fill(kept.length)); }',
    STATES.slice(0, 2),
    RAM,
  );
  for (const outcome of full) assert.equal(outcome.kind === 'failure' && outcome.failure.reason, 'memory');
  const [, broken] = await bothWays('function strategy() {', STATES.slice(0, 1));
  assert.equal(broken[0].kind, 'failure');
});

test('answers that come again are what they were: also many, long and strange ones', async () => {
  const strange = [
    '',
    'LEFT',
    '__proto__',
    'constructor',
    '0',
    'k"x"',
    'n5',
    'a\u0000b',
    '\ud800',
    '"quoted"\\',
    'ü€😀',
    'x'.repeat(64),
    'x'.repeat(65),
    'y'.repeat(70_000),
  ];
  const code = `const answers = [...${JSON.stringify(strange)}, ...Array.from({ length: 200 }, (_, i) => 'answer ' + i)];
let call = 0;
function strategy() { return answers[call++ % answers.length]; }`;
  const sandbox = await sandboxOf(code);
  const expected = [...strange, ...Array.from({ length: 200 }, (_, i) => `answer ${i}`)].map((value) => ({
    kind: 'json',
    value: value.slice(0, 65_536),
  }));
  for (let round = 0; round < 3; round++)
    assert.deepEqual(
      expected.map(() => sandbox.callWith({ x: 1 })),
      expected,
    );
  sandbox.dispose();
});
