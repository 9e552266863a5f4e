import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { interruptCell } from '../interrupt/interruptCell';
import { plain, text, TestKernel, types, UNTIL_RELEASED } from '../client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

const count = () =>
  kernel
    .run('0')
    .then(() => kernel.execute('1'))
    .then(({ reply }) => reply.content.execution_count as number);

test('an execution publishes busy, its input, its outputs in order, idle', async () => {
  const { all, reply } = await kernel.execute("console.log('a'); console.error('b'); console.log('c'); 'd'");
  assert.deepEqual(types(all), ['status', 'execute_input', 'stream', 'stream', 'stream', 'execute_result', 'status']);
  assert.deepEqual(
    [all[0], all.at(-1)!].map(({ content }) => content.execution_state),
    ['busy', 'idle'],
  );
  assert.deepEqual(
    all.slice(2, 5).map(({ content }) => [content.name, content.text]),
    [
      ['stdout', 'a\n'],
      ['stderr', 'b\n'],
      ['stdout', 'c\n'],
    ],
  );
  assert.deepEqual(all[5].content.data, { 'text/plain': "'d'" });
  assert.equal(all[1].content.execution_count, reply.content.execution_count);
});

test('many prints arrive whole, in order, in few messages', async () => {
  const start = performance.now();
  const { outputs } = await kernel.execute('for (let i = 0; i < 1000; i++) console.log(i)');
  // What is printed within 15 ms is one message.
  const most = 5 + (performance.now() - start) / 10;
  assert.equal(text(outputs), Array.from({ length: 1000 }, (_, i) => `${i}\n`).join(''));
  assert.ok(outputs.length <= most, `${outputs.length} messages, not ${most}`);
});

test('output appears while synchronous code runs', async () => {
  const id = kernel.send('shell', 'execute_request', { code: `console.log('early'); ${UNTIL_RELEASED}` });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'stream', 'the output');
  assert.ok(!kernel.iopub.some((it) => it.parentHeader.msg_id === id && it.content.execution_state === 'idle'));
  kernel.release();
  await kernel.finish(id);
});

test('late output goes to the cell that made it', async () => {
  const first = await kernel.execute(`
    let secondRuns = false, lateIsPrinted = false;
    const timer = setInterval(() => {
      if (!secondRuns) return;
      console.log('late');
      lateIsPrinted = true;
      clearInterval(timer);
    }, 5);`);
  await kernel.run(
    "console.log('second'); secondRuns = true; while (!lateIsPrinted) await new Promise((resolve) => setTimeout(resolve, 5));",
  );
  const late = await kernel.published(
    (it) => it.header.msg_type === 'stream' && it.content.text === 'late\n',
    'the late output',
  );
  assert.equal(late.parentHeader.msg_id, first.reply.parentHeader.msg_id);
});

test('an exception in a callback is shown in its cell and the kernel lives', async () => {
  const { reply } = await kernel.execute(
    "setTimeout(() => { throw new Error('in a timer'); }, 5);\nvoid Promise.reject(new Error('in a promise'));",
  );
  const id = reply.parentHeader.msg_id;
  for (const what of ['in a timer', 'in a promise']) {
    await kernel.published((it) => it.parentHeader.msg_id === id && String(it.content.text).includes(what), what);
  }
  assert.equal(await kernel.run('6 * 7'), '42');
});

test('silent: no output on iopub but status, no count, no history', async () => {
  const before = await count();
  const { all } = await kernel.execute("'quiet'", { silent: true });
  assert.deepEqual(types(all), ['status', 'status']);
  assert.equal(await count(), before + 2);
});

test('store_history false leaves count and history as they are', async () => {
  const before = await count();
  await kernel.execute('"unstored"', { store_history: false });
  assert.equal(await count(), before + 2);
  const history = await kernel.request('shell', 'history_request', {
    hist_access_type: 'search',
    pattern: '*unstored*',
    n: 5,
    output: false,
    raw: true,
  });
  assert.deepEqual(history.content.history, []);
});

test('user_expressions are evaluated after the cell', async () => {
  const { reply } = await kernel.execute('const forty = 40', {
    user_expressions: { good: 'forty + 2', bad: 'nothing.here' },
  });
  assert.deepEqual(reply.content.user_expressions.good, { status: 'ok', data: { 'text/plain': '42' }, metadata: {} });
  assert.equal(reply.content.user_expressions.bad.status, 'error');
  assert.match(reply.content.user_expressions.bad.evalue, /Cannot find name 'nothing'/);
});

test('cells queued behind one that fails are aborted, unless stop_on_error is false', async () => {
  for (const [stop_on_error, expected] of [
    [true, 'aborted'],
    [false, 'ok'],
  ] as const) {
    const ids = [`await 0; ${UNTIL_RELEASED} throw new Error('x')`, '1 + 1'].map((code) =>
      kernel.send('shell', 'execute_request', { code, stop_on_error }),
    );
    await kernel.received();
    kernel.release();
    assert.equal((await kernel.finish(ids[0])).reply.content.status, 'error');
    assert.equal((await kernel.finish(ids[1])).reply.content.status, expected);
  }
});

test("execute_reply says when the cell started, for the notebook's timing", async () => {
  const { reply } = await kernel.execute('await new Promise((resolve) => setTimeout(resolve, 30))');
  const { started, status } = reply.metadata as { started: string; status: string };
  assert.equal(status, 'ok');
  assert.ok(Date.parse(reply.header.date) - Date.parse(started) >= 20);
});

test('an output that is not JSON is an error in its cell', async () => {
  assert.match(
    await kernel.fail("({ [Symbol.for('Jupyter.display')]: () => ({ 'application/json': 10n }) })"),
    /BigInt/,
  );
  assert.equal(await kernel.run('1'), '1');
});

test('errors have no colours in ename and evalue', async () => {
  const { reply, outputs } = await kernel.execute("throw new TypeError('plain')");
  assert.deepEqual([reply.content.ename, reply.content.evalue], ['TypeError', 'plain']);
  assert.equal(outputs[0].header.msg_type, 'error');
  assert.match(plain(outputs[0].content.traceback.join('\n')), /^TypeError: plain\n/);
});

test('a display can be updated', async () => {
  const { outputs } = await kernel.execute(`
    import { cellContext } from '${require.resolve('../../../kernel/display/cellContext')}';
    cellContext().display({ 'text/plain': 'a' }, { displayId: 'one' });
    cellContext().display({ 'text/plain': 'b' }, { displayId: 'one', update: true });
    cellContext().display({ 'text/plain': 'c', 'image/png': new Uint8Array([1, 2, 3]) });`);
  assert.deepEqual(types(outputs), ['display_data', 'update_display_data', 'display_data']);
  assert.deepEqual(
    outputs.map(({ content }) => content.transient),
    [{ display_id: 'one' }, { display_id: 'one' }, {}],
  );
  assert.equal(outputs[2].content.data['image/png'], 'AQID');
});

/** A cell that displays what takes `promise` to be ready. */
const slow = (promise: string) => `
  import { display } from 'joylab';
  display({ [Symbol.for('Jupyter.display')]: async () => { await ${promise}; return { 'text/plain': 'slow' }; } });
  display('next');`;

test('what is displayed belongs to its cell, in its order, although nobody awaits it', async () => {
  const outputs = await kernel.execute(`${slow('new Promise((done) => setTimeout(done, 300))')}\n'result'`);
  assert.deepEqual(
    outputs.outputs.map(({ content }) => content.data['text/plain']),
    ['slow', 'next', "'result'"],
  );
  const failed = await kernel.execute(`${slow('new Promise((done) => setTimeout(done, 300))')}\nthrow new Error('x')`);
  assert.deepEqual(types(failed.outputs), ['display_data', 'display_data', 'error']);
});

test('a display that is never ready is ended by an interrupt, and holds up no later cell', async () => {
  await interruptCell(kernel, slow('new Promise(() => {})'));
  const { outputs } = await kernel.execute("display('later')");
  assert.deepEqual(types(outputs), ['display_data']);
});

test("tslab's display works", async () => {
  const { outputs } = await kernel.execute("import { display } from 'tslab'; display.html('<b>x</b>')");
  assert.deepEqual(
    outputs.map(({ content }) => content.data),
    [{ 'text/html': '<b>x</b>' }],
  );
});
