import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../../kernel/strategy/compile';
import { DEFAULT_LIMITS, type Outcome } from '../../kernel/strategy/outcome';
import { Sandbox } from '../../kernel/strategy/sandbox';

async function sandboxOf(code: string): Promise<Sandbox> {
  return new Sandbox(await Sandbox.engine(DEFAULT_LIMITS), compile(code).program, DEFAULT_LIMITS);
}

/** What a few calls of a strategy come to, in an engine that is given back afterwards. */
async function outcomesOf(code: string, calls = 3): Promise<Outcome[]> {
  const sandbox = await sandboxOf(code);
  const outcomes = Array.from({ length: calls }, () => sandbox.call('[{"x":1}]'));
  sandbox.dispose();
  return outcomes;
}

const WITNESS = `
let calls = 0;
const left = Object.getOwnPropertyNames(globalThis).length;
function strategy(state) {
  calls++;
  return { calls, left, random: Math.random(), sum: [1, 2].map((n) => n + state.x).join(), own: Object.keys(Object.prototype), text: String(Object) };
}`;

test('an engine that had a strategy before is like a new one, whatever that strategy did', async () => {
  const fresh = await outcomesOf(WITNESS);
  const deeds = [
    'Array.prototype.map = () => ["mine"]; Object.prototype.evil = 1; String.prototype.slice = () => "LEFT"; JSON.parse = () => ({ x: 9 });',
    'globalThis.Math = undefined; globalThis.left = "behind"; this.calls = 100; globalThis.undefinedNames = new Map();',
    'globalThis.kept = Array.from({ length: 20000 }, (_, i) => ({ i, text: "x".repeat(i % 50) }));',
    'Math.random(); Math.random = () => 4; delete globalThis.Object;',
    'const deep = () => deep(); deep();',
    'for (;;) {}',
    'throw new Error("at once");',
    'const bytes = new Uint8Array(1 << 20).fill(255); globalThis.bytes = bytes;',
    'const list = []; for (;;) list.push(new Array(1000).fill(list.length));',
    'Promise.resolve().then(() => { globalThis.late = 1; });',
  ];
  for (const deed of deeds) {
    for (const code of [`${deed}\nfunction strategy() { return 1; }`, `function strategy() { ${deed} }`]) {
      await outcomesOf(code, 2);
      assert.deepEqual(await outcomesOf(WITNESS), fresh, deed);
    }
  }
});

test('several engines are in use at a time, and none is given away twice', async () => {
  const one = await sandboxOf('let n = 0; function strategy() { return ++n; }');
  const two = await sandboxOf('let n = 10; function strategy() { return ++n; }');
  assert.deepEqual(
    [one, two, one, two].map((sandbox) => sandbox.call('[]')),
    [1, 11, 2, 12].map((value) => ({ kind: 'number', value })),
  );
  one.dispose();
  one.dispose();
  const [three, four] = [
    await sandboxOf('function strategy() { return 3; }'),
    await sandboxOf('function strategy() { return 4; }'),
  ];
  assert.deepEqual(
    [three, four].map((sandbox) => sandbox.call('[]')),
    [3, 4].map((value) => ({ kind: 'number', value })),
  );
  assert.equal(one.call('[]').kind, 'failure', 'a disposed sandbox has no engine any more');
  for (const sandbox of [two, three, four]) sandbox.dispose();
});
