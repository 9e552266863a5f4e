import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../../eventually';
import { TestKernel, UNTIL_RELEASED } from '../client';
import { interruptCell, type Way } from './interruptCell';

/** An interrupt is answered within a second on a quiet machine; one that is not seen is never answered. */
const PROMPT = 10_000;

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run('let kept = 1; const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));');
});
after(() => kernel.stop());

const interrupt = (code: string, how?: Way) => interruptCell(kernel, `kept++;\n${code}`, how);

const CASES: Record<string, string> = {
  'a synchronous loop': 'while (true) {}',
  'a loop after an await': 'await sleep(1);\nfor (;;) {}',
  'a loop that catches everything': 'await sleep(1);\nfor (;;) { try { while (true); } catch {} }',
  'a loop that awaits': 'while (true) await sleep(10);',
  'a loop in a function of an earlier cell': 'await sleep(1);\nendless();',
  'a promise that never settles': 'await new Promise(() => {});',
  'synchronous work without a loop': "'x'.repeat(28) + /^(x+x+)+y/.test('x'.repeat(40));",
};

for (const [name, code] of Object.entries(CASES)) {
  for (const how of ['message', 'signal', 'group'] as const) {
    test(`${name} stops at once by ${how}, and the state survives`, async () => {
      await kernel.run('function endless() { do { kept = kept; } while (true); }\nkept = 1;');
      const { ms } = await interrupt(code, how);
      assert.ok(ms < PROMPT, `it took ${ms} ms`);
      assert.equal(await kernel.run('kept'), '2');
    });
  }
}

test('a signal while nothing runs does nothing, whatever listeners a library adds', async () => {
  const signals = async (): Promise<number> => (await kernel.request('control', 'usage_request')).content.signals;
  // A signal that was not seen yet would stop the next cell.
  const idleSignal = async () => {
    const before = await signals();
    kernel.process.kill('SIGINT');
    await eventually(async () => (await signals()) > before, 'the signal is seen');
  };
  await idleSignal();
  assert.equal(await kernel.run("process.on('SIGINT', () => process.exit(9)); 6 * 7"), '42');
  await idleSignal();
  assert.equal(await kernel.run('6 * 7'), '42');
  assert.ok((await interrupt('while (true) {}', 'signal')).ms < PROMPT);
  assert.ok((await interrupt('await sleep(1); while (true) {}', 'signal')).ms < PROMPT);
  await kernel.run("process.removeAllListeners('SIGINT');");
  assert.ok((await interrupt('while (true) {}', 'signal')).ms < PROMPT);
});

test('a library that computes after an await: the user learns why the cell goes on', async () => {
  const id = kernel.send('shell', 'execute_request', {
    code: `await sleep(1); console.log('started');\n(0, eval)(${JSON.stringify(UNTIL_RELEASED)});`,
  });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.content.text === 'started\n', 'the start');
  await kernel.request('control', 'interrupt_request');
  await kernel.published(
    (it) =>
      it.parentHeader.msg_id === id && /what computes .* cannot be stopped .* restart the kernel/.test(it.content.text),
    'the explanation',
  );
  kernel.release();
  const { reply } = await kernel.finish(id);
  assert.equal(reply.content.ename, 'KeyboardInterrupt');
});

test('an interrupted cell does not go on in the background', async () => {
  await kernel.run('let turns = 0;');
  await interrupt('while (true) { await sleep(5); turns++; }');
  await kernel.run('await sleep(30)');
  const turns = await kernel.run('turns');
  await kernel.run('await sleep(60)');
  assert.equal(await kernel.run('turns'), turns);
});

test('variables assigned before the interrupt keep value and type', async () => {
  await interrupt('const assigned = { a: 1 };\nawait new Promise(() => {});\nconst unassigned = 5;');
  assert.equal(await kernel.run('assigned.a.toFixed(1)'), "'1.0'");
  assert.match(await kernel.fail('unassigned'), /Cannot find name 'unassigned'/);
});

test('code that watches the signal stops by itself and finishes its work', async () => {
  const { ms, output } = await interrupt(`
    import { cellContext } from '${require.resolve('../../../kernel/display/cellContext')}';
    await new Promise<void>((resolve) => cellContext().signal.addEventListener('abort', () => setTimeout(() => {
      console.log('finished');
      resolve();
    }, 100)));
  `);
  assert.match(output, /finished/);
  assert.ok(ms < PROMPT);
});

test('queued cells are not run after an interrupt', async () => {
  const first = kernel.send('shell', 'execute_request', {
    code: "console.log('started'); await new Promise(() => {});",
  });
  const second = kernel.send('shell', 'execute_request', { code: "console.log('second')" });
  await kernel.published((it) => it.parentHeader.msg_id === first && it.header.msg_type === 'stream', 'the start');
  await kernel.received();
  await kernel.request('control', 'interrupt_request');
  const { reply, outputs } = await kernel.finish(second);
  assert.equal(reply.content.status, 'aborted');
  assert.deepEqual(outputs, []);
});

test('an interrupt while nothing runs does nothing', async () => {
  const reply = await kernel.request('control', 'interrupt_request');
  assert.equal(reply.content.status, 'ok');
  assert.equal(await kernel.run('for (let i = 0; i < 3; i++); kept = 7; kept'), '7');
});
