import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encode, type Message } from '../../kernel/jupyter/message';
import { Signer } from '../../kernel/jupyter/signature';
import { eventually } from '../eventually';
import { plain, text, TestKernel, UNTIL_RELEASED } from './client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

const types = (messages: Message[]) => messages.map(({ header }) => header.msg_type);
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

test('a comm carries data and binary buffers both ways', async () => {
  await kernel.run(`
    import { registerCommTarget } from 'joylab';
    registerCommTarget('test.echo', (comm, data, buffers) => {
      comm.send({ opened: data }, buffers);
      comm.onMessage((data, buffers) => comm.send({ echo: data }, buffers.map((it) => it.map((byte) => 255 - byte))));
      comm.onClose(() => console.log('closed'));
    });`);
  const comm_id = 'comm-1';
  const opening = kernel.send('shell', 'comm_open', { comm_id, target_name: 'test.echo', data: { a: 1 } }, [
    Buffer.from([1, 2, 3]),
  ]);
  const opened = await kernel.published(
    (it) => it.header.msg_type === 'comm_msg' && 'opened' in it.content.data,
    'the answer',
  );
  assert.deepEqual(opened.content, { comm_id, data: { opened: { a: 1 } } });
  assert.deepEqual([...opened.buffers[0]], [1, 2, 3]);
  assert.equal(opened.parentHeader.msg_id, opening);
  const info = await kernel.request('shell', 'comm_info_request', { target_name: 'test.echo' });
  assert.deepEqual(info.content, { status: 'ok', comms: { [comm_id]: { target_name: 'test.echo' } } });
  kernel.send('shell', 'comm_msg', { comm_id, data: 'hello' }, [Buffer.from([0, 255]), Buffer.from([7])]);
  const echo = await kernel.published(
    (it) => it.header.msg_type === 'comm_msg' && 'echo' in it.content.data,
    'the echo',
  );
  assert.equal(echo.content.data.echo, 'hello');
  assert.deepEqual(
    echo.buffers.map((it) => [...it]),
    [[255, 0], [248]],
  );
  kernel.send('shell', 'comm_close', { comm_id, data: {} });
  await kernel.published((it) => it.content.text === 'closed\n', 'the close handler');
  assert.deepEqual((await kernel.request('shell', 'comm_info_request', {})).content.comms, {});
});

test('the kernel opens and closes comms, too', async () => {
  const { outputs } = await kernel.execute(`
    import { openComm } from 'joylab';
    const opened = openComm('front.end', { a: 1 }, [new Uint8Array([1, 2])]);
    opened.onMessage((data, buffers) => console.log(data, buffers[0][0]));
    opened.onClose(() => console.log('gone'));`);
  const [open] = outputs;
  assert.equal(open.header.msg_type, 'comm_open');
  assert.deepEqual(
    [open.content.target_name, open.content.data, [...open.buffers[0]]],
    ['front.end', { a: 1 }, [1, 2]],
  );
  const { comm_id } = open.content;
  kernel.send('shell', 'comm_msg', { comm_id, data: { b: 2 } }, [Buffer.from([7])]);
  await kernel.published((it) => it.content.text === '{ b: 2 } 7\n', 'the message');
  const sent = await kernel.execute('opened.send({ c: 3 }, [new Uint8Array(new Float32Array([1.5]).buffer)])');
  assert.equal(sent.outputs[0].buffers[0].length, 4);
  kernel.send('shell', 'comm_close', { comm_id });
  await kernel.published((it) => it.content.text === 'gone\n', 'the end');
  const closed = await kernel.execute(
    "const second = openComm('front.end'); second.close(); second.send({}); second.close();",
  );
  assert.deepEqual(types(closed.outputs), ['comm_open', 'comm_close']);
});

test('a comm for an unknown target is closed', async () => {
  kernel.send('shell', 'comm_open', { comm_id: 'stray', target_name: 'nobody', data: {} });
  await kernel.published((it) => it.header.msg_type === 'comm_close' && it.content.comm_id === 'stray', 'comm_close');
});

test('comm messages are handled while a cell awaits, and leave the kernel busy', async () => {
  await kernel.run(`
    import { host } from '${require.resolve('../../kernel/display/host')}';
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    host().registerCommTarget('test.release', () => release());`);
  const id = kernel.send('shell', 'execute_request', { code: 'await released; "released"' });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'execute_input', 'the start');
  kernel.send('shell', 'comm_open', { comm_id: 'release', target_name: 'test.release', data: {} });
  const { outputs } = await kernel.finish(id);
  assert.equal(text(outputs), "'released'");
  const states = kernel.iopub.filter(({ header }) => header.msg_type === 'status');
  const from = states.findIndex((it) => it.parentHeader.msg_id === id);
  assert.deepEqual(
    states.slice(from, from + 2).map((it) => [it.parentHeader.msg_id, it.content.execution_state]),
    [
      [id, 'busy'],
      [id, 'idle'],
    ],
  );
});

test('kernel_info, completion and interrupt_request are answered while a cell runs', async () => {
  const id = kernel.send('shell', 'execute_request', { code: 'await new Promise(() => {})' });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'execute_input', 'the start');
  assert.equal((await kernel.request('shell', 'kernel_info_request')).content.protocol_version, '5.5');
  assert.equal((await kernel.request('control', 'kernel_info_request')).content.implementation, 'joylab');
  assert.ok(
    (await kernel.request('shell', 'complete_request', { code: 'Math.flo', cursor_pos: 8 })).content.matches.includes(
      'floor',
    ),
  );
  await kernel.request('control', 'interrupt_request');
  await kernel.finish(id);
});

test('positions are code points: after emoji, too', async () => {
  const code = "const face = '😀😀'; face.toUpp";
  const points = [...code].length;
  const { content } = await kernel.request('shell', 'complete_request', { code, cursor_pos: points });
  assert.ok(content.matches.includes('toUpperCase'));
  assert.deepEqual([content.cursor_start, content.cursor_end], [points - 'toUpp'.length, points]);
  const inspected = await kernel.request('shell', 'inspect_request', {
    code,
    cursor_pos: [...code].lastIndexOf('f') + 1,
    detail_level: 0,
  });
  assert.match(inspected.content.data['text/plain'], /const face: "😀😀"/);
});

test('completions carry their types, as JupyterLab shows them', async () => {
  const { content } = await kernel.request('shell', 'complete_request', { code: 'Math.f', cursor_pos: 6 });
  const floor = content.metadata._jupyter_types_experimental.find((it: any) => it.text === 'floor');
  assert.deepEqual(floor, { text: 'floor', type: floor.type, start: 5, end: 6 });
  assert.match(floor.type, /method|function/);
  assert.equal(content.metadata._jupyter_types_experimental.length, content.matches.length);
});

test('is_complete says how far to indent', async () => {
  const ask = async (code: string) => (await kernel.request('shell', 'is_complete_request', { code })).content;
  assert.deepEqual(await ask('1 + 1'), { status: 'complete' });
  assert.deepEqual(await ask('if (true) {'), { status: 'incomplete', indent: '  ' });
  assert.equal((await ask('let = ;')).status, 'invalid');
});

test('kernel_info tells what JupyterLab, nbconvert and VS Code go by', async () => {
  const { content } = await kernel.request('shell', 'kernel_info_request');
  assert.equal(content.status, 'ok');
  assert.equal(content.protocol_version, '5.5');
  const { name, mimetype, file_extension, pygments_lexer, nbconvert_exporter, version } = content.language_info;
  assert.deepEqual(
    [name, mimetype, file_extension, pygments_lexer, nbconvert_exporter],
    ['typescript', 'text/typescript', '.ts', 'typescript', 'script'],
  );
  assert.match(version, /^\d+\.\d+\.\d+/);
  // Nothing is promised that is not there: no debugger, no subshells.
  assert.deepEqual(content.supported_features, []);
});

test('debug_request is refused at once; usage_request tells memory and processor time', async () => {
  const debug = await kernel.request('control', 'debug_request', { type: 'request', seq: 3, command: 'initialize' });
  assert.deepEqual(debug.content, {
    type: 'response',
    request_seq: 3,
    success: false,
    command: 'initialize',
    message: 'This kernel has no debugger.',
  });
  const { content } = await kernel.request('control', 'usage_request');
  assert.equal(content.pid, kernel.process.pid);
  assert.ok(content.kernel_memory > 50e6 && content.host_virtual_memory.total > content.kernel_memory);
  assert.ok(content.kernel_cpu >= 0 && content.cpu_count >= 1);
});

test('requests on control have a busy and an idle of their own', async () => {
  for (const type of ['interrupt_request', 'kernel_info_request', 'usage_request']) {
    const id = kernel.send('control', type, {});
    await kernel.reply(id);
    await kernel.published((it) => it.parentHeader.msg_id === id && it.content.execution_state === 'idle', 'idle');
    assert.deepEqual(
      kernel.iopub.filter((it) => it.parentHeader.msg_id === id).map((it) => it.content.execution_state),
      ['busy', 'idle'],
    );
  }
});

test("execute_reply says when the cell started, for the notebook's timing", async () => {
  const { reply } = await kernel.execute('await new Promise((resolve) => setTimeout(resolve, 30))');
  const { started, status } = reply.metadata as { started: string; status: string };
  assert.equal(status, 'ok');
  assert.ok(Date.parse(reply.header.date) - Date.parse(started) >= 20);
});

test('messages with a wrong signature, or none, are dropped', async () => {
  const request = { type: 'execute_request', content: JSON.stringify({ code: "console.log('forged')" }), parent: null };
  await kernel.shell.send(encode(request, [], new Signer('hmac-sha256', 'another key')));
  await kernel.shell.send(encode(request, [], new Signer('hmac-sha256', '')));
  assert.equal(await kernel.run('1'), '1');
  assert.ok(!kernel.iopub.some(({ content }) => content.text === 'forged\n'));
});

test('buffers are not part of the signature', async () => {
  const comm = encode(
    { type: 'comm_open', content: '{"comm_id":"b","target_name":"nobody","data":{}}', parent: null },
    [],
    kernel.signer,
  );
  await kernel.shell.send([...comm, Buffer.from('a buffer that nobody signed')]);
  await kernel.published((it) => it.header.msg_type === 'comm_close' && it.content.comm_id === 'b', 'comm_close');
});

test('malformed messages do no harm', async () => {
  const signed = (frames: string[]) => [
    '<IDS|MSG>',
    kernel.signer.sign(frames.map((it) => Buffer.from(it))),
    ...frames,
  ];
  const header = JSON.stringify({
    msg_id: 'm',
    msg_type: 'execute_request',
    session: 's',
    username: 'u',
    date: '',
    version: '5.5',
  });
  for (const frames of [
    [''],
    ['<IDS|MSG>'],
    ['x', 'y', 'z'],
    signed(['{', '{}', '{}', '{}']),
    signed(['[]', '{}', '{}', '{}']),
    signed(['{}', '{}', '{}', '{}']),
    signed([header, 'null', '{}', '{}']),
    signed([header, '{}', '{}', '{"code": 5}']),
    signed([header.replace('execute_request', 'no_such_request'), '{}', '{}', '{}']),
    signed([header.replace('execute_request', 'complete_request'), '{}', '{}', '{"code": {}, "cursor_pos": "x"}']),
    signed([header.replace('execute_request', 'comm_msg'), '{}', '{}', '{"comm_id": 3}']),
  ]) {
    for (const channel of ['shell', 'control', 'stdin'] as const) await kernel[channel].send(frames);
  }
  assert.equal(await kernel.run('6 * 7'), '42');
});

test('an output that is not JSON is an error in its cell', async () => {
  assert.match(
    await kernel.fail("({ [Symbol.for('Jupyter.display')]: () => ({ 'application/json': 10n }) })"),
    /BigInt/,
  );
  assert.equal(await kernel.run('1'), '1');
});

test('prompt asks the front end; without one it is an error', async () => {
  const id = kernel.send('shell', 'execute_request', {
    code: "const name = prompt('Your name?'); name",
    allow_stdin: true,
  });
  const request = await kernel.reply(id, 'input_request');
  assert.deepEqual(request.content, { prompt: 'Your name? ', password: false });
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'Zoë 😀' });
  assert.equal(text((await kernel.finish(id)).outputs), "'Zoë 😀'");
  assert.match(await kernel.fail("prompt('x')"), /allow_stdin/);
});

test('confirm and promptSecret ask, too', async () => {
  const id = kernel.send('shell', 'execute_request', {
    code: "[confirm('Sure?'), promptSecret('Key?')]",
    allow_stdin: true,
  });
  const first = await kernel.reply(id, 'input_request');
  assert.deepEqual(first.content, { prompt: 'Sure? [y/N] ', password: false });
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'Yes' });
  await kernel.until(
    () => kernel.replies.filter((it) => it.parentHeader.msg_id === id).length === 2,
    'the second question',
  );
  const second = kernel.replies.filter((it) => it.parentHeader.msg_id === id)[1];
  assert.deepEqual(second.content, { prompt: 'Key? ', password: true });
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'hush' });
  assert.equal(text((await kernel.finish(id)).outputs), "[ true, 'hush' ]");
});

test('an answer that nobody waits for is not taken for the next one', async () => {
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'stale' });
  // Messages of a channel keep their order: when the next one has been dropped, the answer has been read.
  const dropped = async (): Promise<number> =>
    (await kernel.request('control', 'usage_request')).content.dropped_messages;
  const before = await dropped();
  await kernel.stdin.send(['no message']);
  await eventually(async () => (await dropped()) > before, 'the message is dropped');
  const id = kernel.send('shell', 'execute_request', { code: "prompt('?')", allow_stdin: true });
  await kernel.reply(id, 'input_request');
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'fresh' });
  assert.equal(text((await kernel.finish(id)).outputs), "'fresh'");
});

test('a prompt can be interrupted', async () => {
  const id = kernel.send('shell', 'execute_request', { code: "prompt('?')", allow_stdin: true });
  await kernel.reply(id, 'input_request');
  await kernel.request('control', 'interrupt_request');
  assert.equal((await kernel.finish(id)).reply.content.ename, 'KeyboardInterrupt');
});

test('a display can be updated', async () => {
  const { outputs } = await kernel.execute(`
    import { host } from '${require.resolve('../../kernel/display/host')}';
    host().display({ 'text/plain': 'a' }, { displayId: 'one' });
    host().display({ 'text/plain': 'b' }, { displayId: 'one', update: true });
    host().display({ 'text/plain': 'c', 'image/png': new Uint8Array([1, 2, 3]) });`);
  assert.deepEqual(types(outputs), ['display_data', 'update_display_data', 'display_data']);
  assert.deepEqual(
    outputs.map(({ content }) => content.transient),
    [{ display_id: 'one' }, { display_id: 'one' }, {}],
  );
  assert.equal(outputs[2].content.data['image/png'], 'AQID');
});

test("tslab's display works", async () => {
  const { outputs } = await kernel.execute("import { display } from 'tslab'; display.html('<b>x</b>')");
  assert.deepEqual(
    outputs.map(({ content }) => content.data),
    [{ 'text/html': '<b>x</b>' }],
  );
});

test('shutdown answers and ends the process', async () => {
  const other = await TestKernel.start();
  await other.run('1');
  const reply = await other.request('control', 'shutdown_request', { restart: false });
  assert.deepEqual(reply.content, { status: 'ok', restart: false });
  const code = other.process.exitCode ?? (await new Promise((resolve) => other.process.once('exit', resolve)));
  assert.equal(code, 0);
  await other.stop();
});

test('shutdown_request is answered on the channel it came on', async () => {
  const other = await TestKernel.start();
  const reply = await other.request('shell', 'shutdown_request', { restart: true });
  assert.deepEqual(reply.content, { status: 'ok', restart: true });
  await other.published(
    (it) => it.header.msg_type === 'shutdown_reply' && it.content.restart === true,
    'shutdown_reply for the other clients',
  );
  if (other.process.exitCode === null) await new Promise((resolve) => other.process.once('exit', resolve));
  await other.stop();
});

test('shutdown ends a kernel that computes', async () => {
  const other = await TestKernel.start();
  other.send('shell', 'execute_request', { code: "console.log('x'); await 0; (0, eval)('for (;;);')" });
  await other.published(({ header }) => header.msg_type === 'stream', 'the start');
  const exit = new Promise((resolve) => other.process.once('exit', resolve));
  await other.request('control', 'shutdown_request', { restart: true });
  await exit;
  await other.stop();
});

test('errors have no colours in ename and evalue', async () => {
  const { reply, outputs } = await kernel.execute("throw new TypeError('plain')");
  assert.deepEqual([reply.content.ename, reply.content.evalue], ['TypeError', 'plain']);
  assert.equal(outputs[0].header.msg_type, 'error');
  assert.match(plain(outputs[0].content.traceback.join('\n')), /^TypeError: plain\n/);
});
