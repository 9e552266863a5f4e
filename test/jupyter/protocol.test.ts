import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encode, type Message } from '../../kernel/jupyter/message';
import { Signer } from '../../kernel/jupyter/signature';
import { plain, text, TestKernel } from './client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

const types = (messages: Message[]) => messages.map(({ header }) => header.msg_type);
const count = () => kernel.run('0').then(() => kernel.execute('1')).then(({ reply }) => reply.content.execution_count as number);

test('an execution publishes busy, its input, its outputs in order, idle', async () => {
  const { all, reply } = await kernel.execute("console.log('a'); console.error('b'); console.log('c'); 'd'");
  assert.deepEqual(types(all), ['status', 'execute_input', 'stream', 'stream', 'stream', 'execute_result', 'status']);
  assert.deepEqual([all[0], all.at(-1)!].map(({ content }) => content.execution_state), ['busy', 'idle']);
  assert.deepEqual(all.slice(2, 5).map(({ content }) => [content.name, content.text]), [['stdout', 'a\n'], ['stderr', 'b\n'], ['stdout', 'c\n']]);
  assert.deepEqual(all[5].content.data, { 'text/plain': "'d'" });
  assert.equal(all[1].content.execution_count, reply.content.execution_count);
});

test('many prints arrive whole, in order, in few messages', async () => {
  const { outputs } = await kernel.execute('for (let i = 0; i < 1000; i++) console.log(i)');
  assert.equal(text(outputs), Array.from({ length: 1000 }, (_, i) => `${i}\n`).join(''));
  assert.ok(outputs.length < 100, `${outputs.length} messages`);
});

test('output appears while synchronous code runs', async () => {
  const id = kernel.send('shell', 'execute_request', { code: "console.log('early'); for (const end = Date.now() + 600; Date.now() < end; );" });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'stream', 'the output');
  assert.ok(!kernel.iopub.some((it) => it.parentHeader.msg_id === id && it.content.execution_state === 'idle'));
  await kernel.finish(id);
});

test('late output goes to the cell that made it', async () => {
  const first = await kernel.execute("setTimeout(() => console.log('late'), 150); 1");
  await kernel.run("console.log('second'); await new Promise((resolve) => setTimeout(resolve, 300));");
  const late = await kernel.published((it) => it.header.msg_type === 'stream' && it.content.text === 'late\n', 'the late output');
  assert.equal(late.parentHeader.msg_id, first.reply.parentHeader.msg_id);
});

test('an exception in a callback is shown in its cell and the kernel lives', async () => {
  const { reply } = await kernel.execute("setTimeout(() => { throw new Error('in a timer'); }, 5);\nvoid Promise.reject(new Error('in a promise'));");
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
  const history = await kernel.request('shell', 'history_request', { hist_access_type: 'search', pattern: '*unstored*', n: 5, output: false, raw: true });
  assert.deepEqual(history.content.history, []);
});

test('user_expressions are evaluated after the cell', async () => {
  const { reply } = await kernel.execute('const forty = 40', { user_expressions: { good: 'forty + 2', bad: 'nothing.here' } });
  assert.deepEqual(reply.content.user_expressions.good, { status: 'ok', data: { 'text/plain': '42' }, metadata: {} });
  assert.equal(reply.content.user_expressions.bad.status, 'error');
  assert.match(reply.content.user_expressions.bad.evalue, /Cannot find name 'nothing'/);
});

test('cells queued behind one that fails are aborted, unless stop_on_error is false', async () => {
  for (const [stop_on_error, expected] of [[true, 'aborted'], [false, 'ok']] as const) {
    const ids = ["await new Promise((resolve) => setTimeout(resolve, 50)); throw new Error('x')", '1 + 1'].map((code) =>
      kernel.send('shell', 'execute_request', { code, stop_on_error }));
    assert.equal((await kernel.finish(ids[0])).reply.content.status, 'error');
    assert.equal((await kernel.finish(ids[1])).reply.content.status, expected);
  }
});

test('a comm carries data and binary buffers both ways', async () => {
  await kernel.run(`
    import { host } from '${require.resolve('../../kernel/display/host')}';
    host().registerCommTarget('test.echo', (comm, data, buffers) => {
      comm.send({ opened: data }, buffers);
      comm.onMessage((data, buffers) => comm.send({ echo: data }, buffers.map((it) => it.map((byte) => 255 - byte))));
      comm.onClose(() => console.log('closed'));
    });`);
  const comm_id = 'comm-1';
  const opening = kernel.send('shell', 'comm_open', { comm_id, target_name: 'test.echo', data: { a: 1 } }, [Buffer.from([1, 2, 3])]);
  const opened = await kernel.published((it) => it.header.msg_type === 'comm_msg' && 'opened' in it.content.data, 'the answer');
  assert.deepEqual(opened.content, { comm_id, data: { opened: { a: 1 } } });
  assert.deepEqual([...opened.buffers[0]], [1, 2, 3]);
  assert.equal(opened.parentHeader.msg_id, opening);
  const info = await kernel.request('shell', 'comm_info_request', { target_name: 'test.echo' });
  assert.deepEqual(info.content, { status: 'ok', comms: { [comm_id]: { target_name: 'test.echo' } } });
  kernel.send('shell', 'comm_msg', { comm_id, data: 'hello' }, [Buffer.from([0, 255]), Buffer.from([7])]);
  const echo = await kernel.published((it) => it.header.msg_type === 'comm_msg' && 'echo' in it.content.data, 'the echo');
  assert.equal(echo.content.data.echo, 'hello');
  assert.deepEqual(echo.buffers.map((it) => [...it]), [[255, 0], [248]]);
  kernel.send('shell', 'comm_close', { comm_id, data: {} });
  await kernel.published((it) => it.content.text === 'closed\n', 'the close handler');
  assert.deepEqual((await kernel.request('shell', 'comm_info_request', {})).content.comms, {});
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
  assert.deepEqual(states.slice(from, from + 2).map((it) => [it.parentHeader.msg_id, it.content.execution_state]), [[id, 'busy'], [id, 'idle']]);
});

test('kernel_info, completion and interrupt_request are answered while a cell runs', async () => {
  const id = kernel.send('shell', 'execute_request', { code: 'await new Promise(() => {})' });
  await kernel.published((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'execute_input', 'the start');
  assert.equal((await kernel.request('shell', 'kernel_info_request')).content.protocol_version, '5.5');
  assert.equal((await kernel.request('control', 'kernel_info_request')).content.implementation, 'joylab');
  assert.ok((await kernel.request('shell', 'complete_request', { code: 'Math.flo', cursor_pos: 8 })).content.matches.includes('floor'));
  await kernel.request('control', 'interrupt_request');
  await kernel.finish(id);
});

test('positions are code points: after emoji, too', async () => {
  const code = "const face = '😀😀'; face.toUpp";
  const points = [...code].length;
  const { content } = await kernel.request('shell', 'complete_request', { code, cursor_pos: points });
  assert.ok(content.matches.includes('toUpperCase'));
  assert.deepEqual([content.cursor_start, content.cursor_end], [points - 'toUpp'.length, points]);
  const inspected = await kernel.request('shell', 'inspect_request', { code, cursor_pos: [...code].lastIndexOf('f') + 1, detail_level: 0 });
  assert.match(inspected.content.data['text/plain'], /const face: "😀😀"/);
});

test('messages with a wrong signature, or none, are dropped', async () => {
  const request = { type: 'execute_request', content: JSON.stringify({ code: "console.log('forged')" }), parent: null };
  await kernel.shell.send(encode(request, [], new Signer('hmac-sha256', 'another key')));
  await kernel.shell.send(encode(request, [], new Signer('hmac-sha256', '')));
  assert.equal(await kernel.run('1'), '1');
  assert.ok(!kernel.iopub.some(({ content }) => content.text === 'forged\n'));
});

test('buffers are not part of the signature', async () => {
  const comm = encode({ type: 'comm_open', content: '{"comm_id":"b","target_name":"nobody","data":{}}', parent: null }, [], kernel.signer);
  await kernel.shell.send([...comm, Buffer.from('a buffer that nobody signed')]);
  await kernel.published((it) => it.header.msg_type === 'comm_close' && it.content.comm_id === 'b', 'comm_close');
});

test('malformed messages do no harm', async () => {
  const signed = (frames: string[]) => ['<IDS|MSG>', kernel.signer.sign(frames.map((it) => Buffer.from(it))), ...frames];
  const header = JSON.stringify({ msg_id: 'm', msg_type: 'execute_request', session: 's', username: 'u', date: '', version: '5.5' });
  for (const frames of [
    [''], ['<IDS|MSG>'], ['x', 'y', 'z'], signed(['{', '{}', '{}', '{}']), signed(['[]', '{}', '{}', '{}']), signed(['{}', '{}', '{}', '{}']),
    signed([header, 'null', '{}', '{}']), signed([header, '{}', '{}', '{"code": 5}']), signed([header.replace('execute_request', 'no_such_request'), '{}', '{}', '{}']),
    signed([header.replace('execute_request', 'complete_request'), '{}', '{}', '{"code": {}, "cursor_pos": "x"}']),
    signed([header.replace('execute_request', 'comm_msg'), '{}', '{}', '{"comm_id": 3}']),
  ]) {
    for (const channel of ['shell', 'control', 'stdin'] as const) await kernel[channel].send(frames);
  }
  assert.equal(await kernel.run('6 * 7'), '42');
});

test('an output that is not JSON is an error in its cell', async () => {
  assert.match(await kernel.fail("({ [Symbol.for('Jupyter.display')]: () => ({ 'application/json': 10n }) })"), /BigInt/);
  assert.equal(await kernel.run('1'), '1');
});

test('prompt asks the front end; without one it is an error', async () => {
  const id = kernel.send('shell', 'execute_request', { code: "const name = prompt('Your name?'); name", allow_stdin: true });
  const request = await kernel.reply(id, 'input_request');
  assert.deepEqual(request.content, { prompt: 'Your name? ', password: false });
  kernel.send('stdin', 'input_reply', { status: 'ok', value: 'Zoë 😀' });
  assert.equal(text((await kernel.finish(id)).outputs), "'Zoë 😀'");
  assert.match(await kernel.fail("prompt('x')"), /allow_stdin/);
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
  assert.deepEqual(outputs.map(({ content }) => content.transient), [{ display_id: 'one' }, { display_id: 'one' }, {}]);
  assert.equal(outputs[2].content.data['image/png'], 'AQID');
});

test('tslab\'s display works', async () => {
  const { outputs } = await kernel.execute("import { display } from 'tslab'; display.html('<b>x</b>')");
  assert.deepEqual(outputs.map(({ content }) => content.data), [{ 'text/html': '<b>x</b>' }]);
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
