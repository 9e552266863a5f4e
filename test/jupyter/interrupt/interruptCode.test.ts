import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../../eventually';
import { TestKernel } from '../client';
import { interruptCell } from './interruptCell';

/** See interrupt.test.ts. */
const PROMPT = 10_000;

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(`
    const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const fib = (n: number): number => n < 2 ? n : fib(n - 1) + fib(n - 2);
    let log: string[] = [];
  `);
});
after(() => kernel.stop());

const FOREVER: Record<string, string> = {
  recursion: 'await sleep(1); fib(80);',
  'callbacks of methods':
    'await sleep(1); const many = Array(1e5).fill(1); many.forEach(() => many.forEach((it) => it));',
  'a comparison': 'await sleep(1); for (;;) [3, 1, 2].sort((a, b) => a - b);',
  'a getter':
    'await sleep(1); const o = { get x(): number { return o.x2; }, get x2(): number { return fib(80); } }; o.x;',
  'a generator': 'await sleep(1); function* all() { for (let i = 0; ; i++) yield i; } for (const i of all());',
  'a method of a class':
    'await sleep(1); class A { f(n: number): number { return n < 2 ? 1 : this.f(n - 1) + this.f(n - 2); } } class B extends A { constructor(readonly y = 1) { super(); } } new B().f(80);',
  'asynchronous recursion': 'async function again(): Promise<void> { await null; return again(); } await again();',
  'promises that follow one another':
    'function next() { Promise.resolve().then(next); } next(); await new Promise(() => {});',
  'ticks that follow one another': 'function tick() { process.nextTick(tick); } tick(); await new Promise(() => {});',
  'a thread that sleeps': 'await sleep(1); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  'awaits that are caught': 'for (;;) { try { await sleep(5); } catch {} }',
  'an asynchronous generator':
    'async function* all() { for (let i = 0; ; i++) { await sleep(1); yield i; } } for await (const i of all());',
};

for (const [name, code] of Object.entries(FOREVER)) {
  test(`${name}: an interrupt ends it, and the next cell runs`, async () => {
    const { ms } = await interruptCell(kernel, code);
    assert.ok(ms < PROMPT, `it took ${ms} ms`);
    assert.equal(await kernel.run('6 * 7'), '42');
  });
}

test('an interrupt that comes while the kernel loads ends the cell that waits', async () => {
  const fresh = await TestKernel.start();
  try {
    const id = fresh.send('shell', 'execute_request', { code: "(0, eval)('for (;;) {}')" });
    await fresh.request('control', 'interrupt_request');
    assert.equal((await fresh.finish(id)).reply.content.ename, 'KeyboardInterrupt');
    assert.equal(await fresh.run('6 * 7'), '42');
  } finally {
    await fresh.stop();
  }
});

test('what a timer computes when its cell is over ends, too', async () => {
  const id = kernel.send('shell', 'execute_request', {
    code: "setTimeout(() => { console.log('computes'); fib(80); }, 10); 0",
  });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.content.text === 'computes\n', 'the timer');
  await kernel.request('control', 'interrupt_request');
  assert.equal(await kernel.run('6 * 7'), '42');
});

test('what follows an await is not run, in the cell and in functions', async () => {
  await kernel.run('log = []; let go = () => {}; const gate = new Promise<void>((resolve) => (go = resolve));');
  await interruptCell(
    kernel,
    "const f = async () => { await gate; log.push('function'); }; await f(); log.push('cell');",
  );
  await interruptCell(kernel, "await gate; log.push('cell');");
  await kernel.run('go(); await sleep(1);');
  assert.equal(await kernel.run('log.length'), '0');
});

test('catch and finally put things in order, with loops, functions and awaits of their own', async () => {
  const tidy = "for (const file of ['a', 'b']) { await sleep(1); log.push(file); } await close('c'); log.push('d');";
  await kernel.run(
    'async function close(name: string) { for (let i = 0; i < 2; i++) await sleep(1); log.push(name); }',
  );
  for (const work of ['while (true) {}', 'await sleep(1); while (true) {}', 'while (true) await sleep(1)']) {
    for (const block of [`catch { ${tidy} }`, `finally { ${tidy} }`]) {
      await kernel.run('log = [];');
      await interruptCell(kernel, `try { ${work}; } ${block}`);
      await eventually(
        async () => (await kernel.run('log.join()')) === "'a,b,c,d'",
        `the end of ${block} after ${work}`,
      );
    }
  }
});

test('a synchronous finally runs before the cell ends', async () => {
  const { output } = await interruptCell(
    kernel,
    "const shut = (name: string) => { for (let i = 0; i < 2; i++); console.log('shut', name); };\ntry { while (true) {} } finally { for (const name of ['a', 'b']) shut(name); }",
  );
  assert.match(output, /shut a\nshut b/);
});

test('handlers of an interrupted cell go on, and so do functions that it declared', async () => {
  await interruptCell(
    kernel,
    "log = []; var beat = setInterval(async () => { await null; for (let i = 0; i < 2; i++) log.push('beat'); }, 5); await new Promise(() => {});",
  );
  await eventually(async () => Number(await kernel.run('log.length')) > 4, 'the handler');
  await kernel.run('clearInterval(beat)');
});

test('the text of a function is what the user wrote, and runs elsewhere', async () => {
  const sources = [
    'x => x + 1',
    'async (x) => await x',
    'async () => {\n    for await (const x of [1])\n        await x;\n}',
    'function f(x) { return x; }',
    '({ n }) => ({ n })',
  ];
  for (const source of sources) {
    await kernel.run(`var g: any = ${source}`);
    assert.doesNotMatch(await kernel.run('String(g)'), /joylab|Atomics/);
    assert.equal(await kernel.run("typeof (0, eval)('(' + g + ')')"), "'function'");
  }
  const spoken = "var one = function (x: number) { 'use strict'; return x; }; String(one).replace(/\\s+/g, ' ')";
  assert.equal(await kernel.run(spoken), `"function (x) { 'use strict'; return x; }"`);
});
